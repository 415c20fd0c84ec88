"""Unwanted results and unconfirmed generations on the pages, updated live."""

from __future__ import annotations

import asyncio
import time

import pytest
from nicegui import ElementFilter
from nicegui.testing import User

from services.core.model import Generation, Kind, Phase
from tests.support.eventually import equals
from tests.ui.stand_in_services import AHEAD, StandInServices, a_request, settle
from tests.ui.test_studio import cards, press, stage, toasts, videos
from ui.components.notifications import FRAME_S
from ui.components.toast import Toast

pytestmark = [pytest.mark.asyncio, AHEAD]


def arrived(stand_in: StandInServices, **fields: object) -> Generation:
    row = stand_in.put(Phase.DROPPED, stop_requested_at=time.time(), finished_at=time.time(), **fields)
    return stand_in.finish(row.id)


async def wait_for_toasts() -> None:
    await asyncio.sleep(FRAME_S + 0.05)
    await settle()


@pytest.mark.parametrize("address", ["/", "/g/{id}"])
async def test_it_is_set_apart_with_two_acts_and_keeping_it_leaves_the_film_alone(
    user: User, stand_in: StandInServices, address: str
) -> None:
    row = arrived(stand_in)
    await user.open(address.format(id=row.id))
    await user.should_see("Arrived after you stopped it")
    (film,) = videos(user)
    press(user, "Keep")
    await user.should_see("Kept in your library.")
    await user.should_not_see("Arrived after you stopped it")
    assert stand_in.calls.count(("keep", row.id)) == 1
    assert videos(user) == [film]
    press(user, "Delete")


async def test_dropping_it_needs_no_question_and_can_be_undone(user: User, stand_in: StandInServices) -> None:
    row = arrived(stand_in)
    await user.open("/")
    press(user, "Discard")
    await user.should_see("Moved to trash.")
    await equals(lambda: cards(user), [])
    with user:
        (toast,) = [one for one in ElementFilter(kind=Toast) if one.props.get("act") == "Undo"]
    (listener,) = [one for one in toast._event_listeners.values() if one.type == "open"]
    toast._handle_event({"listener_id": listener.id, "args": []})
    await settle()
    assert [call for call in stand_in.calls if call[0] != "shown"] == [
        ("delete", row.id),
        ("restore", row.id),
    ]
    assert len(cards(user)) == 1


async def test_its_card_says_so_and_wears_a_mark(user: User, stand_in: StandInServices) -> None:
    row = arrived(stand_in)
    await user.open("/")
    (card,) = cards(user)
    assert "is-unwanted" in card.classes
    await user.should_see("arrived after stop")
    stand_in.change(row.id, stop_requested_at=None)
    await settle()
    assert "is-unwanted" not in card.classes


LATE = {
    "the message": {"phase": Phase.PROCESSING, "late_since": 1.0},
    "an unconfirmed submit": {"phase": Phase.UNCONFIRMED},
    "the stop": {"phase": Phase.DROPPED, "stop_requested_at": 1.0, "finished_at": 1.0},
    "it was given up": {"phase": Phase.ERROR, "error_code": "gave_up", "finished_at": 1.0},
    "it failed": {"phase": Phase.ERROR, "error_code": "failed", "finished_at": 1.0},
}


@pytest.mark.parametrize("kind", [Kind.VIDEO, Kind.IMAGE])
@pytest.mark.parametrize("after", LATE)
@pytest.mark.parametrize("alone", [True, False])
async def test_what_arrives_late_turns_the_page_by_itself_with_one_toast(
    user: User, stand_in: StandInServices, after: str, kind: Kind, alone: bool
) -> None:
    row = stand_in.put(**LATE[after], kind=kind)  # type: ignore[arg-type]
    stand_in.bus.publish(row)
    await user.open(f"/g/{row.id}" if alone else {Kind.VIDEO: "/", Kind.IMAGE: "/image"}[kind])
    assert "is-ready" not in stage(user)
    stand_in.finish(row.id)
    await wait_for_toasts()
    assert "is-ready" in stage(user)
    assert len(toasts(user)) == 1
    stand_in.change(row.id, poster="poster.jpg")
    await wait_for_toasts()
    assert len(toasts(user)) == 1


# -- unconfirmed ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("backend", "words"),
    [
        ("animatic", "Searching at the backend."),
        ("cloud", "This backend cannot be searched."),
    ],
)
async def test_looking_at_the_backend_says_what_is_done(
    user: User, stand_in: StandInServices, backend: str, words: str
) -> None:
    row = stand_in.put(Phase.UNCONFIRMED, request=a_request(backend=backend))
    await user.open(f"/g/{row.id}")
    press(user, "Check now")
    await settle()
    assert ("check", row.id) in stand_in.calls
    assert toasts(user)[0].startswith(words)


async def test_sending_again_asks_once_and_a_no_sends_nothing(user: User, stand_in: StandInServices) -> None:
    row = stand_in.put(Phase.UNCONFIRMED)
    await user.open(f"/g/{row.id}")
    press(user, "Submit again")
    await user.should_see("both will run")
    press(user, "Cancel")
    await settle()
    assert ("submit_again", row.id) not in stand_in.calls
    press(user, "Submit again")
    await user.should_see("both will run")
    press(user, "Submit again")
    await settle()
    assert stand_in.calls.count(("submit_again", row.id)) == 1


async def test_what_may_have_been_taken_can_be_looked_for_after_the_stop_too(
    user: User, stand_in: StandInServices
) -> None:
    row = stand_in.put(Phase.DROPPED, stop_requested_at=1.0, finished_at=1.0, possibly_accepted_since=1.0)
    await user.open(f"/g/{row.id}")
    press(user, "Check now")
    await settle()
    assert ("check", row.id) in stand_in.calls
