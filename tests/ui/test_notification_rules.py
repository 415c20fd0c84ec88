"""Which changes are notified on every open page, and which are not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from services.core.model import Channel, Generation, Kind, Phase
from tests.ui.stand_in_services import StandInServices, a_receipt, a_request
from ui.session.notification_rules import event_for, text_for
from ui.state import Change

SINCE = 1000.0
RUNNING = StandInServices().put(created_at=900.0)


def notified_text(before: Generation | None, **after: Any) -> str | None:
    change = Change(before=before, after=replace(RUNNING, revision=2, **after))
    event = event_for(change, since=SINCE)
    return None if event is None else text_for(event, change.after).text


def done(won_by: Channel = Channel.PUSH, **fields: Any) -> dict[str, Any]:
    return {"phase": Phase.COMPLETED, "receipt": a_receipt(won_by), "finished_at": 1100.0, **fields}


def test_a_push_win_has_its_fixed_words() -> None:
    assert notified_text(RUNNING, **done()) == "Video generated successfully via SSE!"


def test_a_poll_win_has_its_fixed_words() -> None:
    assert notified_text(RUNNING, **done(Channel.POLL)) == "Video generated successfully!"


@pytest.mark.parametrize(
    ("won_by", "words"),
    [
        (Channel.PUSH, "Image generated successfully via SSE!"),
        (Channel.POLL, "Image generated successfully!"),
    ],
)
def test_an_image_says_image(won_by: Channel, words: str) -> None:
    assert notified_text(RUNNING, **done(won_by, request=a_request(kind=Kind.IMAGE))) == words


@pytest.mark.parametrize(
    ("late_after_s", "figure"),
    [(180.0, "3 minutes"), (45.0, "45 seconds"), (60.0, "1 minute"), (1.0, "1 second"), (90.0, "90 seconds")],
)
def test_the_late_message_follows_its_figure(late_after_s: float, figure: str) -> None:
    words = f"Taking longer than {figure}. You can leave, it will arrive here."
    assert notified_text(RUNNING, late_since=1100.0, late_after_s=late_after_s) == words


def test_the_late_message_comes_once() -> None:
    assert notified_text(replace(RUNNING, late_since=1100.0), late_since=1100.0, progress=0.5) is None


@pytest.mark.parametrize(("late_since", "is_notified"), [(999.0, False), (1001.0, True)])
def test_an_unknown_generation_is_notified_as_late_only_if_it_became_late_since(
    late_since: float, is_notified: bool
) -> None:
    assert (notified_text(None, late_since=late_since) is not None) == is_notified


def test_an_unknown_unconfirmed_generation_is_not_notified() -> None:
    assert notified_text(None, phase=Phase.UNCONFIRMED) is None


def test_progress_is_never_notified() -> None:
    assert notified_text(RUNNING, progress=0.5) is None


def test_a_change_after_the_end_is_not_notified_again() -> None:
    finished = replace(RUNNING, **done())
    assert notified_text(finished, **done(poster="p.webp")) is None


def test_a_generation_that_finished_before_is_not_notified() -> None:
    assert notified_text(None, **done(finished_at=999.0, poster="p.webp")) is None


def test_an_unknown_generation_that_finished_since_is_notified() -> None:
    assert notified_text(None, **done(finished_at=1001.0)) == "Video generated successfully via SSE!"


def test_a_failure_is_notified_with_the_backends_reason() -> None:
    words = notified_text(
        RUNNING, phase=Phase.ERROR, error_code="failed", error_text="out of memory", finished_at=1100.0
    )
    assert words == "The backend could not complete the request. out of memory"


def test_a_late_result_after_a_failure_is_notified() -> None:
    assert (
        notified_text(replace(RUNNING, phase=Phase.ERROR), **done(Channel.POLL))
        == "Video generated successfully!"
    )


def test_a_stopped_one_that_arrives_has_its_own_sentence() -> None:
    stopped = replace(RUNNING, phase=Phase.DROPPED, stop_requested_at=1050.0)
    words = notified_text(stopped, **done(stop_requested_at=1050.0))
    assert words == "A stopped generation arrived. Keep or discard it?"


def test_a_result_of_a_deleted_generation_is_notified_too() -> None:
    deleted = replace(RUNNING, phase=Phase.DROPPED, stop_requested_at=1050.0, trashed_at=1050.0)
    words = notified_text(deleted, **done(stop_requested_at=1050.0, trashed_at=1050.0))
    assert words == "A deleted generation arrived. It is in the trash."


def test_an_unconfirmed_one_asks_for_a_choice() -> None:
    words = notified_text(replace(RUNNING, phase=Phase.SUBMITTING), phase=Phase.UNCONFIRMED)
    assert words is not None
    assert "couldn't confirm" in words


def test_a_stop_is_not_notified() -> None:
    assert notified_text(RUNNING, phase=Phase.DROPPED, stop_requested_at=1050.0, finished_at=1050.0) is None


def test_a_deleted_generation_is_not_notified() -> None:
    assert notified_text(RUNNING, **done(trashed_at=1100.0)) is None
