"""What is told on every open page, and what is not (C2, C3, C4, C6)."""

from __future__ import annotations

from typing import Any

import pytest

from services.core.model import Channel, Generation, Kind, Phase, replace
from tests.ui.stand_in_services import StandInServices, a_receipt, a_request
from ui.session.notification_rules import event_of, words_of
from ui.state import Change

SINCE = 1000.0
RUNNING = StandInServices().put(created_at=900.0)


def told(before: Generation | None, **after: Any) -> str | None:
    change = Change(before=before, after=replace(RUNNING, revision=2, **after))
    event = event_of(change, since=SINCE)
    return None if event is None else words_of(event, change.after).text


def done(won_by: Channel = Channel.PUSH, **fields: Any) -> dict[str, Any]:
    return {"phase": Phase.COMPLETED, "receipt": a_receipt(won_by), "finished_at": 1100.0, **fields}


def test_a_push_win_has_its_fixed_words() -> None:
    assert told(RUNNING, **done()) == "Video generated successfully via SSE!"


def test_a_poll_win_has_its_fixed_words() -> None:
    assert told(RUNNING, **done(Channel.POLL)) == "Video generated successfully!"


@pytest.mark.parametrize(
    ("won_by", "words"),
    [
        (Channel.PUSH, "Image generated successfully via SSE!"),
        (Channel.POLL, "Image generated successfully!"),
    ],
)
def test_an_image_says_image(won_by: Channel, words: str) -> None:
    assert told(RUNNING, **done(won_by, request=a_request(kind=Kind.IMAGE))) == words


@pytest.mark.parametrize(
    ("late_after_s", "figure"),
    [(180.0, "3 minutes"), (45.0, "45 seconds"), (60.0, "1 minute"), (1.0, "1 second"), (90.0, "90 seconds")],
)
def test_the_late_message_follows_its_figure(late_after_s: float, figure: str) -> None:
    words = f"Taking longer than {figure}. You can leave, it will arrive here."
    assert told(RUNNING, late_since=1100.0, late_after_s=late_after_s) == words


def test_the_late_message_comes_once() -> None:
    assert told(replace(RUNNING, late_since=1100.0), late_since=1100.0, progress=0.5) is None


@pytest.mark.parametrize(("late_since", "is_told"), [(999.0, False), (1001.0, True)])
def test_of_an_unknown_one_only_a_lateness_that_began_since_is_told(late_since: float, is_told: bool) -> None:
    assert (told(None, late_since=late_since) is not None) == is_told


def test_an_unknown_one_that_waits_for_a_choice_is_not_told() -> None:
    assert told(None, phase=Phase.UNCONFIRMED) is None


def test_progress_is_never_told() -> None:
    assert told(RUNNING, progress=0.5) is None


def test_what_changes_after_the_end_is_not_told_again() -> None:
    finished = replace(RUNNING, **done())
    assert told(finished, **done(poster="p.webp")) is None


def test_what_had_finished_before_is_not_told() -> None:
    assert told(None, **done(finished_at=999.0, poster="p.webp")) is None


def test_what_finished_since_is_told_though_it_was_not_known() -> None:
    assert told(None, **done(finished_at=1001.0)) == "Video generated successfully via SSE!"


def test_a_failure_is_told_with_the_backends_reason() -> None:
    words = told(
        RUNNING, phase=Phase.ERROR, error_code="failed", error_text="out of memory", finished_at=1100.0
    )
    assert words == "The backend could not make it. out of memory"


def test_a_late_result_after_a_failure_is_told() -> None:
    assert told(replace(RUNNING, phase=Phase.ERROR), **done(Channel.POLL)) == "Video generated successfully!"


def test_a_stopped_one_that_arrives_has_its_own_sentence() -> None:
    stopped = replace(RUNNING, phase=Phase.DROPPED, stop_requested_at=1050.0)
    words = told(stopped, **done(stop_requested_at=1050.0))
    assert words == "A stopped one arrived after all: paid, not wanted. Keep it, or drop it."


def test_one_that_was_deleted_under_way_and_arrives_is_told_too() -> None:
    deleted = replace(RUNNING, phase=Phase.DROPPED, stop_requested_at=1050.0, trashed_at=1050.0)
    words = told(deleted, **done(stop_requested_at=1050.0, trashed_at=1050.0))
    assert words == "A deleted one arrived after all, and was paid for. It waits in the trash."


def test_an_unconfirmed_one_asks_for_a_choice() -> None:
    words = told(replace(RUNNING, phase=Phase.SUBMITTING), phase=Phase.UNCONFIRMED)
    assert words is not None
    assert "nobody knows" in words


def test_a_stop_is_not_told() -> None:
    assert told(RUNNING, phase=Phase.DROPPED, stop_requested_at=1050.0, finished_at=1050.0) is None


def test_a_deleted_one_is_not_told() -> None:
    assert told(RUNNING, **done(trashed_at=1100.0)) is None
