"""The video page, without a browser."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from nicegui import ElementFilter, ui
from nicegui.testing import User
from nicegui.testing.user_interaction import UserInteraction

from services.core.errors import Conflict, InvalidRequest
from services.core.model import Channel, Kind, Phase, Problem
from services.generations.service import TypicalDuration
from tests.support.eventually import equals
from tests.ui.stand_in_services import AHEAD, CLOUD, FILM, StandInServices, a_film, a_receipt, settle
from ui.components.progress_bar import ProgressBar
from ui.components.toast import Toast

pytestmark = [pytest.mark.asyncio, AHEAD]


def write(user: User, text: str) -> None:
    user.find(marker="prompt").elements.pop().set_value(text)


def toasts(user: User) -> list[str]:
    with user:
        return [toast.message for toast in ElementFilter(kind=Toast)]


def stage(user: User) -> set[str]:
    """Returns the CSS classes of the stage's view."""
    with user:
        (gate,) = [one for one in ElementFilter(kind=ui.element) if "r-gate" in one.classes]
        return set(gate.classes)


def stage_title(user: User) -> str:
    with user:
        (title,) = [one for one in ElementFilter(kind=ui.element) if "r-title" in one.classes]
    return " ".join(one.text for one in title.descendants() if isinstance(one, ui.label))


def cards(user: User) -> list[ui.element]:
    with user:
        found = [one for one in ElementFilter(kind=ui.element) if "r-card" in one.classes]
    strip = found[0].parent_slot.children if found and found[0].parent_slot else []
    return sorted(found, key=strip.index)


def press(user: User, name: str) -> None:
    """Click the one button of this accessible name."""
    with user:
        buttons = [
            one for one in ElementFilter(kind=ui.element) if one.tag == "button" and name_of(one) == name
        ]
    UserInteraction(user, set(buttons[-1:]), None).click()
    assert buttons, name


def name_of(button: ui.element) -> str:
    labels = [one.text for one in event_kind(button) if isinstance(one, ui.label)]
    return str(button.props.get("aria-label", " ".join(labels)))


def event_kind(element: ui.element) -> Iterator[ui.element]:
    """Returns the text without elements that are hidden from screen readers."""
    for child in element:
        if child.props.get("aria-hidden") != "true":
            yield child
            yield from event_kind(child)


def figures(user: User) -> list[str]:
    """Returns the displayed progress values, the stage's first."""
    with user:
        return [str(bar.props["aria-valuetext"]) for bar in ElementFilter(kind=ProgressBar) if bar.visible]


def videos(user: User) -> list[ui.element]:
    with user:
        return [one for one in ElementFilter(kind=ui.element) if one.tag == "video"]


async def test_an_empty_page_offers_three_examples(user: User) -> None:
    await user.open("/")
    await user.should_see("Nothing here yet")
    with user:
        assert len([one for one in ElementFilter(kind=ui.element) if "r-example" in one.classes]) == 3


async def test_an_example_starts_with_one_click(user: User, stand_in: StandInServices) -> None:
    await user.open("/")
    press(user, "Rain over a neon city, dolly forward between the towers")
    await user.should_see("Saved. Sending next.")
    assert [draft.prompt for draft in stand_in.drafts] == [
        "Rain over a neon city, dolly forward between the towers"
    ]


async def test_generate_sends_what_stands_in_the_fields(user: User, stand_in: StandInServices) -> None:
    await user.open("/")
    write(user, "A kite over the sea")
    user.find(marker="generate").click()
    await settle()
    (draft,) = stand_in.drafts
    assert (draft.kind, draft.prompt, draft.model) == (Kind.VIDEO, "A kite over the sea", "animatic/film")
    assert (
        draft.settings.duration_s,
        draft.settings.aspect_ratio,
        draft.settings.resolution,
        draft.settings.fps,
    ) == (5.0, "16:9", "720p", 24)
    assert draft.seed is None


async def test_an_empty_prompt_is_shown_at_the_field_and_nothing_is_sent(
    user: User, stand_in: StandInServices
) -> None:
    await user.open("/")
    write(user, "  ")
    user.find(marker="generate").click()
    await user.should_see("Describe what you want to see.")
    assert stand_in.drafts == []


async def test_a_refused_value_is_shown_at_its_field_and_no_input_is_lost(
    user: User, stand_in: StandInServices
) -> None:
    stand_in.refuse = InvalidRequest("Only 2 to 10 seconds can be had.", field="duration")
    await user.open("/")
    write(user, "A kite")
    user.find(marker="generate").click()
    await user.should_see("Only 2 to 10 seconds can be had.")
    await user.should_see("A kite")


async def test_a_new_one_goes_to_the_stage_and_first_into_the_strip(
    user: User, stand_in: StandInServices
) -> None:
    stand_in.put(Phase.COMPLETED, prompt="older", created_at=1.0)
    await user.open("/")
    write(user, "A kite")
    user.find(marker="generate").click()
    await settle()
    assert "is-working" in stage(user)
    assert name_of(cards(user)[0]) == "A kite"
    assert cards(user)[0].props["aria-selected"] == "true"


async def test_a_second_prompt_may_be_sent_while_the_first_is_under_way(
    user: User, stand_in: StandInServices
) -> None:
    await user.open("/")
    for prompt in ("first", "second"):
        write(user, prompt)
        user.find(marker="generate").click()
        await settle()
    assert [name_of(card) for card in cards(user)] == ["second", "first"]


@pytest.mark.parametrize(
    ("won_by", "words"),
    [
        (Channel.PUSH, "Video generated successfully via SSE!"),
        (Channel.POLL, "Video generated successfully!"),
    ],
)
async def test_an_arrival_is_notified_once_and_plays(
    user: User, stand_in: StandInServices, won_by: Channel, words: str
) -> None:
    row = stand_in.put()
    await user.open("/")
    stand_in.finish(row.id, won_by)
    stand_in.change(row.id, poster="p.webp")
    await settle()
    assert toasts(user) == [words]
    (video,) = videos(user)
    assert video.props["src"] == f"/media/{row.id}/file"
    assert video.props["aria-label"] == row.request.prompt


async def test_the_film_is_on_the_stage_before_its_notification(
    user: User, stand_in: StandInServices
) -> None:
    row = stand_in.put()
    await user.open("/")
    stand_in.finish(row.id)
    assert len(videos(user)) == 1 and toasts(user) == []
    await settle()
    assert len(videos(user)) == 1 and len(toasts(user)) == 1
    assert "is-ready" in stage(user)


async def test_another_one_chosen_while_a_film_is_revealed_stays_on_the_stage(
    user: User, stand_in: StandInServices
) -> None:
    stand_in.put(Phase.ERROR, prompt="other", created_at=1.0)
    row = stand_in.put()
    await user.open("/")
    stand_in.finish(row.id)
    UserInteraction(user, {next(card for card in cards(user) if name_of(card) == "other")}, None).click()
    await settle()
    assert "is-failed" in stage(user) and videos(user) == [] and len(toasts(user)) == 1


async def test_a_film_deleted_while_it_is_revealed_is_not_notified(
    user: User, stand_in: StandInServices
) -> None:
    row = stand_in.put()
    await user.open("/")
    stand_in.finish(row.id)
    stand_in.change(row.id, trashed_at=1.0)
    await settle()
    assert toasts(user) == [] and videos(user) == []


async def test_two_open_pages_are_notified_once_each(user: User, stand_in: StandInServices) -> None:
    row = stand_in.put()
    await user.open("/")
    first = user.client
    await user.open("/")
    assert user.client is not first
    stand_in.finish(row.id)
    await settle()
    for client in (first, user.client):
        assert client is not None
        with client:
            assert len(list(ElementFilter(kind=Toast))) == 1


async def test_a_film_finished_before_is_on_the_stage_and_not_notified(
    user: User, stand_in: StandInServices
) -> None:
    row = stand_in.put()
    stand_in.finish(row.id)
    await user.open("/")
    stand_in.change(row.id, poster="p.webp")
    await settle()
    assert toasts(user) == []
    assert "is-ready" in stage(user)


async def test_the_player_is_not_rebuilt_when_the_poster_comes(user: User, stand_in: StandInServices) -> None:
    row = stand_in.put()
    stand_in.finish(row.id)
    await user.open("/")
    (before,) = videos(user)
    stand_in.change(row.id, poster="p.webp")
    await settle()
    assert videos(user) == [before]


async def test_a_page_that_is_opened_midway_shows_the_progress(user: User, stand_in: StandInServices) -> None:
    stand_in.runs["animatic", "animatic/film"] = TypicalDuration(p50_s=118, p90_s=200, runs=9)
    stand_in.put(progress=0.42, stage="rendering")
    await user.open("/")
    assert figures(user)[0] == "42 %"
    await user.should_see("Rendering.")
    await user.should_see("about 2 min, from 9 runs here")


async def test_unknown_progress_is_not_invented(user: User, stand_in: StandInServices) -> None:
    stand_in.put(progress=None)
    await user.open("/")
    await user.should_see("no estimate yet")
    assert figures(user) == []


async def test_another_tabs_one_does_not_take_the_stage(user: User, stand_in: StandInServices) -> None:
    mine = stand_in.put(prompt="mine")
    await user.open("/")
    theirs = stand_in.put(prompt="theirs")
    stand_in.bus.publish(theirs)
    stand_in.finish(theirs.id)
    await settle()
    assert [name_of(card) for card in cards(user)] == ["theirs", "mine"]
    assert "is-working" in stage(user)
    assert toasts(user) == ["Video generated successfully via SSE!"]
    assert mine.id


async def test_the_message_of_c4_is_notified_and_stays_on_the_stage(
    user: User, stand_in: StandInServices
) -> None:
    row = stand_in.put(late_after_s=45.0)
    await user.open("/")
    stand_in.change(row.id, late_since=time.time())
    await settle()
    words = "Taking longer than 45 seconds. You can leave, it will arrive here."
    assert toasts(user) == [words]


async def test_a_failure_says_what_happened_and_the_backends_text_stays_text(
    user: User, stand_in: StandInServices
) -> None:
    row = stand_in.put()
    await user.open("/")
    stand_in.change(
        row.id, phase=Phase.ERROR, error_code="failed", error_text="<b>bold</b>", finished_at=time.time()
    )
    await user.should_see("<b>bold</b>")
    await user.should_see("This model is free. No charge.")
    await user.should_see("Retry")
    with user:
        assert not [one for one in ElementFilter(kind=ui.html) if "bold" in one.content]


async def test_retry_puts_a_new_one_on_the_stage(user: User, stand_in: StandInServices) -> None:
    stand_in.put(Phase.ERROR, prompt="again", error_code="failed", finished_at=1.0)
    await user.open("/")
    press(user, "Retry")
    await settle()
    assert "is-working" in stage(user)
    assert len(cards(user)) == 2


async def test_edit_brings_prompt_and_settings_back(user: User, stand_in: StandInServices) -> None:
    row = stand_in.put(Phase.ERROR, prompt="the old words", error_code="failed", finished_at=1.0)
    stand_in.rows[row.id] = replace(
        row, request=replace(row.request, settings=replace(row.request.settings, duration_s=10.0))
    )
    await user.open("/")
    press(user, "Edit")
    await settle()
    user.find(marker="generate").click()
    await settle()
    assert (stand_in.drafts[0].prompt, stand_in.drafts[0].settings.duration_s) == ("the old words", 10.0)


async def test_an_unconfirmed_one_offers_three_acts(user: User, stand_in: StandInServices) -> None:
    row = stand_in.put(Phase.UNCONFIRMED)
    await user.open("/")
    await user.should_see("We couldn't confirm that the backend accepted this request.")
    for name in ("Check now", "Submit again", "Discard"):
        await user.should_see(name)
    assert row.id


async def test_stop_stops_and_says_so(user: User, stand_in: StandInServices) -> None:
    row = stand_in.put()
    await user.open("/")
    press(user, "Stop")
    await user.should_see("Stopped.")
    assert stand_in.calls[-1] == ("stop", row.id)
    assert toasts(user) == []


def undo(user: User) -> None:
    with user:
        toast = [one for one in ElementFilter(kind=Toast) if one.props.get("act") == "Undo"][-1]
    (listener,) = [one for one in toast._event_listeners.values() if one.type == "open"]
    toast._handle_event({"listener_id": listener.id, "args": []})


async def test_a_delete_asks_nothing_and_an_undo_brings_it_back_to_the_stage(
    user: User, stand_in: StandInServices
) -> None:
    stand_in.put(Phase.COMPLETED, finished_at=1.0, prompt="older")
    row = stand_in.put(Phase.COMPLETED, finished_at=1.0, prompt="newer")
    await user.open("/")
    press(user, "Delete")
    await user.should_see("Moved 1 item to trash.")
    await equals(lambda: len(cards(user)), 1)
    assert stage_title(user) == "older"
    undo(user)
    await equals(lambda: len(cards(user)), 2)
    await equals(lambda: stage_title(user), "newer")
    assert ("restore", row.id) in stand_in.calls


async def test_the_delete_key_on_a_card_deletes_it_and_leaves_what_runs(
    user: User, stand_in: StandInServices
) -> None:
    stand_in.put(Phase.COMPLETED, finished_at=1.0, prompt="done")
    running = stand_in.put(prompt="running")
    await user.open("/")
    for card in cards(user):
        (listener,) = [one for one in card._event_listeners.values() if one.type == "keydown.delete"]
        card._handle_event({"listener_id": listener.id, "args": []})
    await user.should_see("Moved 1 item to trash.")
    await user.should_see("Still in progress. Stop it before deleting.")
    await equals(lambda: [row.id for row in stand_in.rows.values() if row.trashed_at is None], [running.id])


async def test_clear_all_names_count_and_kind_leaves_the_starred_and_can_be_undone(
    user: User, stand_in: StandInServices
) -> None:
    for number in range(3):
        stand_in.put(Phase.COMPLETED, finished_at=1.0, prompt=f"film {number}")
    starred = stand_in.put(Phase.COMPLETED, finished_at=1.0, starred_at=1.0)
    image = stand_in.put(Phase.COMPLETED, finished_at=1.0, kind=Kind.IMAGE)
    await user.open("/")
    press(user, "Clear all")
    await user.should_see("Move 3 videos to trash?")
    press(user, "Cancel")
    await settle()
    assert len(cards(user)) == 4
    press(user, "Clear all")
    await user.should_see("Move 3 videos to trash?")
    press(user, "Clear all")
    await user.should_see("Moved 3 videos to trash.")
    left = {row.id for row in stand_in.rows.values() if row.trashed_at is None}
    assert left == {starred.id, image.id}
    undo(user)
    await equals(lambda: len(cards(user)), 4)


async def test_clear_all_says_when_there_is_nothing_to_clear(user: User, stand_in: StandInServices) -> None:
    stand_in.put(Phase.COMPLETED, finished_at=1.0, starred_at=1.0)
    await user.open("/")
    press(user, "Clear all")
    await user.should_see("Nothing to clear. Starred items stay.")


async def test_what_another_tab_deletes_leaves_stage_and_strip(user: User, stand_in: StandInServices) -> None:
    row = stand_in.put(Phase.COMPLETED, finished_at=1.0)
    await user.open("/")
    await stand_in.delete(row.id)
    await user.should_see("Nothing here yet")
    await equals(lambda: cards(user), [])


async def test_an_error_of_ours_is_a_calm_sentence(
    user: User, stand_in: StandInServices, caplog: pytest.LogCaptureFixture
) -> None:
    stand_in.refuse = RuntimeError("a bug")
    await user.open("/")
    write(user, "A kite")
    user.find(marker="generate").click()
    await settle()
    assert toasts(user) == ["Something went wrong in Rushes. Your results are safe; see the log for details."]
    assert "A page handler failed" in caplog.text
    caplog.clear()


async def test_an_app_errors_message_is_shown_as_it_is(user: User, stand_in: StandInServices) -> None:
    stand_in.refuse = Conflict("The data folder is somebody else's.")
    await user.open("/")
    write(user, "A kite")
    user.find(marker="generate").click()
    await settle()
    assert toasts(user) == ["The data folder is somebody else's."]


async def test_what_was_typed_is_there_after_a_reload(user: User) -> None:
    await user.open("/")
    write(user, "half a sentence")
    await user.open("/")
    await user.should_see("half a sentence")


async def test_the_form_is_drawn_from_the_models_data(user: User, stand_in: StandInServices) -> None:
    await user.open("/")
    await user.should_see("Animatic film · free")
    with user:
        (model,) = [one for one in ElementFilter(kind=ui.select) if one.props.get("for") == "model"]
    model.set_value((CLOUD.backend, CLOUD.name))
    await user.should_see("Veo 3 · $0.35 a second")
    await user.should_see("8 s")
    await user.should_not_see("4:3")


async def test_a_model_list_that_comes_later_is_taken_over(user: User, stand_in: StandInServices) -> None:
    stand_in.catalogue.listed = []
    await user.open("/")
    await user.should_see("No models available.")
    write(user, "typed meanwhile")
    stand_in.catalogue.listed = [FILM]
    for listener in stand_in.catalogue.listeners:
        listener()
    await user.should_see("Animatic film · free")
    await user.should_see("typed meanwhile")


async def test_clearing_the_stage_leaves_the_strip(user: User, stand_in: StandInServices) -> None:
    stand_in.put(Phase.COMPLETED, finished_at=1.0)
    await user.open("/")
    with user:
        (clear,) = [
            one
            for one in ElementFilter(kind=ui.element)
            if one.props.get("aria-label") == "New: clear the current result"
        ]
    user.find(clear.html_id) if False else None
    for listener in clear._event_listeners.values():
        clear._handle_event({"listener_id": listener.id, "args": []})
    await user.should_see("Nothing here yet")
    assert len(cards(user)) == 1


async def test_the_live_region_announces_each_stage_once(user: User, stand_in: StandInServices) -> None:
    row = stand_in.put(stage="queued")
    await user.open("/")
    with user:
        (voice,) = [one for one in ElementFilter(kind=ui.label) if one.props.get("aria-live") == "polite"]
    announced = [voice.text]
    for fields in (
        {"stage": "rendering"},
        {"progress": 0.2},
        {"progress": 0.3},
        {"phase": Phase.COLLECTING, "stage": ""},
    ):
        stand_in.change(row.id, **fields)
        await settle()
        if voice.text != announced[-1]:
            announced.append(voice.text)
    assert announced == [
        "Queued at the backend.",
        "Rendering.",
        "Finished. Downloading …",
    ]


async def test_the_video_page_is_found_under_its_name_too(user: User) -> None:
    await user.open("/video")
    await user.should_see(marker="prompt")
    await user.should_see("Nothing here yet")


async def test_a_file_with_a_problem_is_named_and_offered_as_a_download_first(
    user: User, stand_in: StandInServices
) -> None:
    problem = Problem(code="unknown", reason="The file format is unknown.")
    kept = replace(a_film(), width=None, height=None, duration_s=None, fps=None, problem=problem)
    row = stand_in.put(prompt="odd")
    stand_in.change(
        row.id, phase=Phase.COMPLETED, finished_at=time.time(), kept=kept, receipt=a_receipt(), progress=1.0
    )
    await user.open(f"/g/{row.id}")
    told = "The file arrived, but this browser may not show it: the file format is unknown."
    await user.should_see(told)
    assert videos(user) == []
    with user:
        named = [one for one in ElementFilter(kind=ui.element) if "r-btn" in one.classes and one.tag != "div"]
        acts = [one for one in named if one.parent_slot and "r-acts" in one.parent_slot.parent.classes]
    assert acts[0].props["data-act"] == "download"
    assert "r-btn-quiet" not in acts[0].classes
    assert "Use last frame" not in {name_of(one) for one in acts}
    await settle()
    assert ("shown", row.id) in stand_in.calls


async def test_a_problem_is_on_the_card_and_in_the_toast(user: User, stand_in: StandInServices) -> None:
    row = stand_in.put()
    await user.open("/")
    problem = Problem(code="picture", reason="The file is an image, not a video.")
    kept = replace(a_film(), width=None, height=None, duration_s=None, fps=None, problem=problem)
    stand_in.change(
        row.id, phase=Phase.COMPLETED, finished_at=time.time(), kept=kept, receipt=a_receipt(), progress=1.0
    )
    await settle()
    told = "The file arrived, but this browser may not show it: the file is an image, not a video."
    assert toasts(user) == [told]
    (card,) = cards(user)
    assert card.props["title"] == told
    await user.should_see("may not show · push")


async def test_use_again_says_that_the_seed_changes_and_offers_the_earlier_one(
    user: User, stand_in: StandInServices
) -> None:
    stand_in.finish(stand_in.put().id)
    await user.open("/")
    press(user, "Use again")
    await user.should_see("The seed changes. It was 48210.")
    press(user, "Keep the seed")
    await user.should_not_see("The seed changes")
    press(user, "Generate")
    await settle()
    assert stand_in.drafts[-1].seed == 48210


async def test_the_note_about_the_seed_ends_with_the_next_generation(
    user: User, stand_in: StandInServices
) -> None:
    stand_in.finish(stand_in.put().id)
    await user.open(f"/g/{next(iter(stand_in.rows))}")
    press(user, "Use again")
    await settle()
    await user.open("/")
    await user.should_see("It was 48210.")
    press(user, "Generate")
    await settle()
    assert stand_in.drafts[-1].seed is None
    await user.should_not_see("The seed changes")
