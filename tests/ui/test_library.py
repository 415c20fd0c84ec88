"""The library's page without a browser: queries, actions and live updates."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from nicegui import ElementFilter, app, ui
from nicegui.testing import User

from services.core.model import LOCAL_OWNER, GenerationQuery, Kind, Phase
from tests.support.eventually import equals, eventually
from tests.support.library_harness import LibraryHarness
from ui.components.button import Button
from ui.components.library_grid import LibraryGrid
from ui.session import library_query

pytestmark = pytest.mark.asyncio


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """Calls that the server makes on the open grid."""
    calls: list[tuple[Any, ...]] = []
    monkeypatch.setattr(LibraryGrid, "run_method", lambda _self, *call: calls.append(call))
    return calls


def grid(user: User) -> LibraryGrid:
    with user:
        (found,) = ElementFilter(kind=LibraryGrid)
    return found


def titles(user: User) -> list[str]:
    return [item["title"] for item in grid(user)._props["list"]["items"]]


def act(user: User, *args: Any) -> None:
    shelf = grid(user)
    for listener in shelf._event_listeners.values():
        if listener.type == "act":
            shelf._handle_event({"listener_id": listener.id, "args": list(args)})


def press(user: User, name: str, *, last: bool = False) -> None:
    with user:
        buttons = [
            one
            for one in ElementFilter(kind=Button)
            if any(isinstance(child, ui.label) and child.text == name for child in one.descendants())
        ]
    assert len(buttons) == 1 or last
    button = max(buttons, key=lambda one: one.id)
    for listener in button._event_listeners.values():
        button._handle_event({"listener_id": listener.id, "args": None})


async def test_the_newest_are_listed_at_once_with_their_size(harness: LibraryHarness, visitor: User) -> None:
    await harness.put("first", content=b"x" * 2_000_000)
    await harness.put("second", phase=Phase.ERROR)
    await visitor.open("/library")
    assert titles(visitor) == ["second", "first"]
    await visitor.should_see("1 file, 2.0 MB")


async def test_an_address_carries_the_search(harness: LibraryHarness, visitor: User) -> None:
    await harness.put("a red kite")
    await harness.put("a blue kite", kind=Kind.VIDEO)
    await visitor.open("/library?q=kite&kind=image&state=odd&when=never&since=x")
    assert titles(visitor) == ["a red kite"]


async def test_typing_narrows_the_list_and_an_empty_one_says_so(
    harness: LibraryHarness, visitor: User
) -> None:
    await harness.put("a red kite")
    await harness.put("rain")
    await visitor.open("/library")
    with visitor:
        (search,) = ElementFilter(kind=ui.input)
        search.value = "kit"
    await equals(lambda: titles(visitor), ["a red kite"])
    with visitor:
        search.value = '"nothing'
    await equals(lambda: titles(visitor), [])
    assert grid(visitor)._props["list"]["nothing"][0] == "No results."


async def test_more_comes_when_it_is_asked_for_and_never_for_an_older_list(
    harness: LibraryHarness, visitor: User, sent: list[tuple[Any, ...]]
) -> None:
    for number in range(70):
        await harness.put(str(number))
    await visitor.open("/library")
    assert (len(titles(visitor)), grid(visitor)._props["list"]["more"]) == (60, True)
    turn = grid(visitor)._props["list"]["turn"]
    for listener in grid(visitor)._event_listeners.values():
        if listener.type == "more":
            grid(visitor)._handle_event({"listener_id": listener.id, "args": turn - 1})
            grid(visitor)._handle_event({"listener_id": listener.id, "args": turn})
    await eventually(lambda: bool(sent))
    ((name, of_turn, items, more),) = sent
    assert (name, of_turn, len(items), more) == ("append", turn, 10, False)


async def test_what_is_new_or_changed_comes_to_the_open_page(
    harness: LibraryHarness, visitor: User, sent: list[tuple[Any, ...]]
) -> None:
    row = await harness.put("a kite")
    await visitor.open("/library?q=kite")
    await harness.library.star([row.id], on=True, owner=LOCAL_OWNER)
    await eventually(lambda: bool(sent))
    name, item, belongs = sent[0]
    assert (name, item["id"], item["starred"], belongs) == ("put", row.id, True, True)
    other = await harness.put("rain")
    harness.bus.publish(other)
    await eventually(lambda: len(sent) == 2)
    assert sent[1][2] is False
    await harness.library.trash.put([row.id], owner=LOCAL_OWNER)
    await eventually(lambda: len(sent) == 3)
    assert (sent[2][1]["trashed"], sent[2][2]) == (True, False)


async def test_a_delete_offers_its_undo(harness: LibraryHarness, visitor: User) -> None:
    row = await harness.put()
    await visitor.open("/library")
    act(visitor, "trash", [row.id])
    await visitor.should_see("Moved 1 item to trash.")
    assert (await harness.generations.listed(GenerationQuery(), owner=LOCAL_OWNER)).items == []
    with visitor:
        (toast,) = [one for one in ElementFilter(kind=ui.notification) if one._props.get("act") == "Undo"]
        for listener in toast._event_listeners.values():
            if listener.type == "open":
                toast._handle_event({"listener_id": listener.id, "args": None})
    async with asyncio.timeout(2):
        while not (await harness.generations.listed(GenerationQuery(), owner=LOCAL_OWNER)).items:
            await asyncio.sleep(0.02)


async def test_settings_are_reused_on_the_page_of_their_kind(harness: LibraryHarness, visitor: User) -> None:
    row = await harness.put("a kite", kind=Kind.VIDEO)
    await visitor.open("/library")
    act(visitor, "reuse", [row.id])
    await eventually(lambda: "draft-video" in storage(visitor))
    assert storage(visitor)["draft-video"]["prompt"] == "a kite"


async def test_a_picture_is_used_as_a_source_in_the_composer_of_its_kind(
    harness: LibraryHarness, visitor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def source_from(generation_id: str, *, owner: str) -> str:
        return f"ab/{generation_id}.source.png"

    monkeypatch.setattr(harness.generations, "source_from", source_from)
    row = await harness.put("a kite", kind=Kind.IMAGE)
    await visitor.open("/library")
    act(visitor, "image_from", [row.id])
    await eventually(lambda: "draft-image" in storage(visitor))
    draft = storage(visitor)["draft-image"]
    assert (draft["source"], draft["prompt"]) == (f"ab/{row.id}.source.png", "a kite")


async def test_the_trash_is_restored_and_emptied_after_a_question(
    harness: LibraryHarness, visitor: User
) -> None:
    first, second = await harness.put("one"), await harness.put("two")
    await harness.library.trash.put([first.id, second.id], owner=LOCAL_OWNER)
    await visitor.open("/library?trash=1")
    assert titles(visitor) == ["two", "one"]
    act(visitor, "restore", [first.id])
    await visitor.should_see("Restored 1 item.")
    press(visitor, "Empty trash")
    await visitor.should_see("This cannot be undone.")
    assert (
        len((await harness.generations.listed(GenerationQuery(trashed=True), owner=LOCAL_OWNER)).items) == 1
    )
    press(visitor, "Empty")
    await visitor.should_see("Permanently deleted 1 item.")
    assert (await harness.generations.listed(GenerationQuery(trashed=True), owner=LOCAL_OWNER)).items == []


@pytest.mark.parametrize("args", [[], ["odd", []], ["trash", "x"], ["trash", [7]], "trash", None, [[], {}]])
async def test_an_unknown_action_does_nothing(harness: LibraryHarness, visitor: User, args: Any) -> None:
    await harness.put()
    await visitor.open("/library")
    shelf = grid(visitor)
    for listener in shelf._event_listeners.values():
        if listener.type == "act":
            shelf._handle_event({"listener_id": listener.id, "args": args})
    await asyncio.sleep(0.1)
    assert len((await harness.generations.listed(GenerationQuery(), owner=LOCAL_OWNER)).items) == 1


async def test_a_url_holds_only_the_chosen_filters() -> None:
    found = library_query.from_params(
        {"q": "маяк", "when": "between", "since": "2026-01-01", "until": "9999-12-31", "x": "y"}
    )
    assert library_query.from_params(dict(found_query(found.url()))) == found
    query = found.generation_query()
    assert query.since is not None
    assert query.until is None
    assert library_query.LibraryQuery().url() == "/library"


def found_query(address: str) -> list[tuple[str, str]]:
    from urllib.parse import parse_qsl, urlsplit

    return parse_qsl(urlsplit(address).query)


def storage(user: User) -> dict[str, Any]:
    with user:
        return dict(app.storage.user)


async def test_the_settings_show_the_storage_use_and_check_it(harness: LibraryHarness, visitor: User) -> None:
    row = await harness.put(content=b"x" * 2_000_000)
    gone = await harness.put(content=b"y" * 1_000_000)
    assert gone.kept is not None
    harness.folder.path(gone.kept.name).unlink()
    await visitor.open("/settings")
    await visitor.should_see("3.0 MB in 2 files")
    press(visitor, "Check files")
    await visitor.should_see("1 file is missing:")
    await visitor.should_see(gone.id)
    await visitor.should_not_see(row.id)


async def test_a_rule_is_saved_after_a_confirmation_and_an_invalid_figure_is_shown_at_its_field(
    harness: LibraryHarness, visitor: User
) -> None:
    await visitor.open("/settings")
    with visitor:
        (size,) = [
            one
            for one in ElementFilter(kind=ui.element)
            if one.tag == "input" and one._props.get("type") == "radio" and one._props.get("value") == "size"
        ]
        (field,) = [one for one in ElementFilter(kind=ui.input) if one._props.get("for") == "gb"]
    for listener in size._event_listeners.values():
        size._handle_event({"listener_id": listener.id, "args": None})
    field.value = "a lot"
    press(visitor, "Save")
    await visitor.should_see("Enter a size from 0.1 to 100,000 GB.")
    field.value = "12,5"
    press(visitor, "Save")
    await visitor.should_see("Save this retention rule?")
    assert (await harness.library.retention.rule(owner=LOCAL_OWNER)).keep == "all"
    press(visitor, "Save", last=True)
    await visitor.should_see("Rule saved.")
    rule = await harness.library.retention.rule(owner=LOCAL_OWNER)
    assert (rule.keep, rule.gb) == ("size", 12.5)


async def test_what_is_not_wanted_has_a_filter_and_is_kept_or_dropped_from_its_card(
    harness: LibraryHarness, visitor: User, sent: list[tuple[Any, ...]]
) -> None:
    row = await harness.put("a stopped one", stop_requested_at=1.0)
    await harness.put("an ordinary one")
    await visitor.open("/library?state=ready")
    assert titles(visitor) == ["an ordinary one"]
    await visitor.open("/library?state=unwanted")
    assert titles(visitor) == ["a stopped one"]
    assert grid(visitor)._props["list"]["items"][0]["unwanted"] is True
    act(visitor, "keep", [row.id])
    await visitor.should_see("Kept 1 item.")
    assert not (await harness.store.get(row.id)).unwanted
    await eventually(lambda: bool(sent))
    assert (sent[-1][1]["unwanted"], sent[-1][2]) == (False, False)


async def test_the_sum_follows_what_comes_and_goes_while_the_page_is_open(
    harness: LibraryHarness, visitor: User
) -> None:
    await harness.put("first", content=b"x" * 1_000_000)
    await visitor.open("/library")
    await visitor.should_see("1 file, 1.0 MB")
    row = await harness.put("second", content=b"x" * 2_000_000)
    harness.bus.publish(row)
    await visitor.should_see("2 files, 3.0 MB")
    await harness.generations.delete(row.id, owner=LOCAL_OWNER)
    await visitor.should_see("1 file, 1.0 MB")


async def test_emptying_says_what_stays_because_it_may_still_come(
    harness: LibraryHarness, visitor: User
) -> None:
    await harness.put(
        "waits", phase=Phase.DROPPED, trashed_at=1.0, job_id="job", watch_until=time.time() + 60
    )
    await harness.put("goes", trashed_at=1.0)
    await visitor.open("/library?trash=1")
    press(visitor, "Empty trash")
    await visitor.should_see("This cannot be undone.")
    press(visitor, "Empty")
    await visitor.should_see(
        "Permanently deleted 1 item. 1 stopped item stays in the trash: its paid result may still arrive."
    )
    await equals(lambda: titles(visitor), ["waits"])


async def test_an_unconfirmed_ones_card_offers_its_three_acts(harness: LibraryHarness, visitor: User) -> None:
    row = await harness.put("a lost one", phase=Phase.UNCONFIRMED)
    await visitor.open("/library")
    act(visitor, "check", [row.id])
    await visitor.should_see("This backend cannot be searched.")
    act(visitor, "submit_again", [row.id])
    await visitor.should_see("both will run")
    press(visitor, "Cancel")
    assert (await harness.store.get(row.id)).phase is Phase.UNCONFIRMED
    act(visitor, "let_go", [row.id])
    await eventually(lambda: any(getattr(one, "phase", None) is Phase.DROPPED for one in harness.events))
    act(visitor, "check", [row.id])
    await visitor.should_see("This item's status has changed. Nothing was submitted.")


def tag_filter(user: User) -> ui.select:
    with user:
        (found,) = [one for one in ElementFilter(kind=ui.select) if one.props.get("for") == "by-tag"]
    return found


async def test_a_new_tag_is_in_the_filter_at_once_and_an_unused_one_leaves_it(
    harness: LibraryHarness, visitor: User
) -> None:
    kite = await harness.put("a kite")
    await visitor.open("/library")
    await harness.library.tag([kite.id], "night shoot", on=True, owner=LOCAL_OWNER)
    await equals(lambda: list(tag_filter(visitor).options), ["", "night shoot"])
    assert tag_filter(visitor).parent_slot.parent.visible  # type: ignore[union-attr]
    tag_filter(visitor).set_value("night shoot")
    await harness.put("rain")
    await equals(lambda: titles(visitor), ["a kite"])
    await harness.library.tag([kite.id], "night shoot", on=False, owner=LOCAL_OWNER)
    await asyncio.sleep(0.5)
    assert "night shoot" in tag_filter(visitor).options  # chosen, so it stays
    tag_filter(visitor).set_value("")
    await harness.library.tag([kite.id], "day", on=True, owner=LOCAL_OWNER)
    await equals(lambda: list(tag_filter(visitor).options), ["", "day"])


async def test_a_tag_in_the_address_is_the_chosen_one(harness: LibraryHarness, visitor: User) -> None:
    await harness.put("a kite")
    await visitor.open("/library?tag=unknown")
    assert tag_filter(visitor).value == "unknown"


async def test_siblings_are_all_results_of_one_request_the_deleted_ones_too(harness: LibraryHarness) -> None:
    first = await harness.put("a kite", request_id="one")
    second = await harness.put("a kite", request_id="one")
    await harness.put("a kite", request_id="another")
    await harness.library.trash.put([first.id], owner=LOCAL_OWNER)
    assert await harness.generations.siblings(second) == [first.id, second.id]
