"""One press, one generation: what the server makes of the keys that a page sends."""

from __future__ import annotations

import asyncio

import pytest
from nicegui import ElementFilter, events, ui
from nicegui.testing import User

from services.core.model import Phase
from tests.ui.stand_in_services import AHEAD, StandInServices, settle

pytestmark = [pytest.mark.asyncio, AHEAD]

FIRST, SECOND = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"


def click(user: User, button: ui.element, press: object) -> None:
    with user:
        for listener in button._event_listeners.values():
            if listener.type == "click":
                args = {"press": press}
                arguments = events.GenericEventArguments(sender=button, client=button.client, args=args)
                events.handle_event(listener.handler, arguments)


def button(user: User, name: str) -> ui.element:
    with user:
        return next(
            one
            for one in ElementFilter(kind=ui.element)
            if one.tag == "button"
            and any(isinstance(each, ui.label) and each.text == name for each in one.descendants())
        )


def prompt(user: User) -> ui.element:
    return user.find(marker="prompt").elements.pop()


async def test_a_press_that_arrives_twice_starts_one_generation(
    user: User, stand_in: StandInServices
) -> None:
    await user.open("/")
    prompt(user).set_value("a kite")  # type: ignore[attr-defined]
    for _ in range(2):
        click(user, button(user, "Generate"), {"key": FIRST, "texts": {"prompt": "a kite"}})
    await settle()
    assert [draft.prompt for draft in stand_in.drafts] == ["a kite"]


async def test_two_presses_start_two(user: User, stand_in: StandInServices) -> None:
    await user.open("/")
    for key in (FIRST, SECOND):
        click(user, button(user, "Generate"), {"key": key, "texts": {"prompt": "a kite"}})
    await settle()
    assert [draft.prompt for draft in stand_in.drafts] == ["a kite", "a kite"]


async def test_a_changed_form_is_another_request_even_within_the_moment(
    user: User, stand_in: StandInServices
) -> None:
    await user.open("/")
    for text in ("a kite", "a red kite"):
        click(user, button(user, "Generate"), {"key": FIRST, "texts": {"prompt": text}})
        await settle()
    assert [draft.prompt for draft in stand_in.drafts] == ["a kite", "a red kite"]


async def test_the_box_counts_where_its_events_were_lost(user: User, stand_in: StandInServices) -> None:
    await user.open("/")
    prompt(user).set_value("an old text")  # type: ignore[attr-defined]
    click(
        user, button(user, "Generate"), {"key": FIRST, "texts": {"prompt": "أهلا 👨‍👩‍👧 𝔘", "strange": "x"}}
    )
    await settle()
    assert [draft.prompt for draft in stand_in.drafts] == ["أهلا 👨‍👩‍👧 𝔘"]


@pytest.mark.parametrize("press", [None, 7, {}, {"key": "no key", "texts": [1]}, {"texts": {"prompt": 5}}])
async def test_an_odd_press_is_an_ordinary_one(user: User, stand_in: StandInServices, press: object) -> None:
    await user.open("/")
    prompt(user).set_value("a kite")  # type: ignore[attr-defined]
    click(user, button(user, "Generate"), press)
    await settle()
    assert [draft.prompt for draft in stand_in.drafts] == ["a kite"]


async def test_an_example_pressed_twice_starts_one(user: User, stand_in: StandInServices) -> None:
    await user.open("/")
    with user:
        example = next(one for one in ElementFilter(kind=ui.element) if "r-example" in one.classes)
    for _ in range(2):
        click(user, example, {"key": FIRST, "texts": {}})
    await settle()
    assert len(stand_in.drafts) == 1


async def test_a_retry_pressed_twice_starts_one(user: User, stand_in: StandInServices) -> None:
    failed = stand_in.put(Phase.ERROR, prompt="again", error_code="failed", finished_at=1.0)
    await user.open("/")
    retry = button(user, "Retry")
    for _ in range(2):
        click(user, retry, {"key": FIRST, "texts": {}})
    await settle()
    assert stand_in.calls.count(("retry", failed.id)) == 1
    assert len(stand_in.rows) == 2


async def test_submit_again_pressed_twice_asks_once(user: User, stand_in: StandInServices) -> None:
    stand_in.put(Phase.UNCONFIRMED, prompt="lost")
    await user.open("/")
    again = button(user, "Submit again")
    for _ in range(2):
        click(user, again, None)
    await asyncio.sleep(0.1)
    with user:
        assert len([one for one in ElementFilter(kind=ui.dialog) if one.value]) == 1


async def test_the_same_job_as_another_one_is_said_linked_and_offered_with_a_new_seed(
    user: User, stand_in: StandInServices
) -> None:
    stand_in.put(Phase.COMPLETED, id="first", prompt="a kite")
    same = stand_in.put(
        Phase.ERROR, prompt="a kite", error_code="same_job", error_text="first", finished_at=1.0
    )
    await user.open("/")
    await user.should_see("The same job as an earlier one: the backend made nothing new.")
    await user.should_not_see("Retry")
    with user:
        links = [one for one in ElementFilter(kind=ui.element) if one.props.get("href") == "/g/first"]
    assert len(links) == 1
    for _ in range(2):
        click(user, button(user, "Generate with a new seed"), {"key": FIRST, "texts": {}})
    await settle()
    seeds = [row.request.seed for row in stand_in.rows.values()]
    assert seeds[2:] == [same.request.seed + 1]
