"""The conversations' pages, over the real engine with a scripted backend."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from nicegui import ElementFilter, ui
from nicegui.testing import User
from nicegui.testing.user_interaction import UserInteraction
from uuid6 import uuid7

from services.backends.base import Capabilities
from services.backends.scripted import Script, Scripted
from services.chat.parser import Change, Intent, parse
from services.chat.planning import make_plan
from services.core.model import LOCAL_OWNER, Generation, Kind, Model, Problem
from services.core.phase_messages import PROBLEMS
from tests.support.engine_harness import EngineHarness
from tests.support.eventually import equals, eventually
from tests.support.patient_user import patient_user
from tests.ui.stand_in_services import StandInServices
from ui.components.message import PendingReply, Result
from ui.components.message_box import MessageBox
from ui.components.notifications import FRAME_S
from ui.components.press import Press
from ui.components.toast import Toast
from ui.pages.routes import register
from ui.text import replies
from ui.text.languages import speaking, translations

pytestmark = pytest.mark.asyncio
ID = "00000000-0000-4000-8000-000000000001"


@pytest_asyncio.fixture
async def harness(tmp_path: Path) -> AsyncIterator[EngineHarness]:
    backend = Scripted(Script(length_s=0.4, event_every_s=0.1), capabilities=Capabilities(idempotent=True))
    harness = EngineHarness(tmp_path, backend)
    await harness.open()
    yield harness
    await harness.close()


@pytest_asyncio.fixture
async def user(harness: EngineHarness) -> AsyncIterator[User]:
    async with patient_user() as simulated:
        register(
            harness.generations,
            StandInServices().as_library(),
            harness.chats,
            StandInServices().as_deliveries(),
            StandInServices().as_diagnostics(),
        )
        yield simulated


def send(user: User, text: str, message_id: str | None = None) -> None:
    user.find(kind=MessageBox).trigger("send", {"id": message_id or str(uuid7()), "text": text})


async def begin_conversation(harness: EngineHarness, text: str = "/video a kite") -> str:
    chat_id = str(uuid7())
    await harness.chats.post(chat_id, text, begin=True, owner=LOCAL_OWNER)
    await eventually(lambda: not harness.chats._tasks)
    return chat_id


def press(user: User, words: str) -> None:
    assert user.client is not None
    (label,) = (
        one for one in user.client.elements.values() if isinstance(one, ui.label) and one.text == words
    )
    button = label.parent_slot.parent if label.parent_slot else label
    UserInteraction(user, {button}, None).trigger("click")


def count(user: User, css_class: str) -> int:
    assert user.client is not None
    return sum(1 for one in user.client.elements.values() if css_class in one.classes)


def drawn(user: User) -> tuple[int, int, int]:
    """Returns the numbers of artifacts, results and films."""
    return count(user, "r-artifact"), count(user, "is-result"), len(films(user))


def toasts(user: User) -> list[str]:
    with user:
        return [toast.message for toast in ElementFilter(kind=Toast)]


def films(user: User) -> list[ui.element]:
    assert user.client is not None
    return [one for one in user.client.elements.values() if one.tag == "video"]


async def test_a_message_begins_a_conversation_and_its_film_plays_in_it(
    user: User, harness: EngineHarness
) -> None:
    await user.open("/chat/new")
    await user.should_see("What would you like to make?")
    send(user, "make a 10 second vertical video of a lighthouse")
    await user.should_see("A video, 10 s, 9:16, with Scripted video:")
    await user.should_not_see("What would you like to make?")
    await user.should_see("Your video is here · Push won")
    await equals(lambda: drawn(user), (1, 1, 1))
    assert [one.title for one in await harness.chats.conversations(owner=LOCAL_OWNER)] == [
        "make a 10 second vertical video of a lighthouse"
    ]


async def test_the_page_is_the_same_after_a_reload(user: User, harness: EngineHarness) -> None:
    chat_id = await begin_conversation(harness)
    await user.open(f"/chat/{chat_id}")
    await user.should_see("A video, 5 s, 16:9, with Scripted video:")
    await eventually(lambda: count(user, "is-done"))
    await user.open(f"/chat/{chat_id}")
    await equals(lambda: drawn(user), (1, 1, 1))


async def test_what_finishes_while_nobody_looks_is_there_afterwards(
    user: User, harness: EngineHarness
) -> None:
    chat_id = await begin_conversation(harness)
    await user.open("/")
    await eventually(lambda: harness.backend.jobs)
    await asyncio.sleep(1)
    await user.open(f"/chat/{chat_id}")
    await equals(lambda: drawn(user), (1, 1, 1))


async def test_sent_twice_it_is_one_message(user: User, harness: EngineHarness) -> None:
    await user.open("/chat/new")
    message_id = str(uuid7())
    for _ in range(3):
        send(user, "/video a kite", message_id)
    await eventually(lambda: count(user, "is-done"))
    assert (count(user, "is-person"), count(user, "r-artifact")) == (1, 1)
    assert len(harness.backend.jobs) == 1


NO_TEXT = "The message contains an invalid character (U+{}). Remove it."
NOT_ARRIVED = "Message not sent. Send it again."


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({"id": ID, "text": "x" * 50_000}, "The message has 50,000 characters; the limit is 8,000."),
        ({"id": ID, "text": "/video a \ud83d kite"}, NO_TEXT.format("D83D")),
        ({"id": ID, "text": "/video a \uffff kite"}, NO_TEXT.format("FFFF")),
        ({"id": ID, "text": "/video a\0kite"}, NO_TEXT.format("0000")),
        ({"id": ID, "text": "/video a\x1bkite"}, NO_TEXT.format("001B")),
        ({"id": ID, "text": " \n"}, "The message is empty. Describe what you want to see."),
        ({"id": "\ud83d", "text": "/video a kite"}, "The message ID must be a UUID."),
        ({"id": ID, "text": None}, NOT_ARRIVED),
        ({"id": ID}, NOT_ARRIVED),
        ({"text": "/video a kite"}, NOT_ARRIVED),
        ("/video a kite", NOT_ARRIVED),
        (None, NOT_ARRIVED),
    ],
)
async def test_a_message_that_cannot_be_sent_is_refused_at_the_field_with_the_reason(
    user: User, harness: EngineHarness, sent: object, sentence: str
) -> None:
    await user.open("/chat/new")
    called: list[tuple[str, Any]] = []
    box = next(iter(user.find(kind=MessageBox).elements))
    box.run_method = lambda name, *args: called.append((name, args))  # type: ignore[assignment, method-assign]
    user.find(kind=MessageBox).trigger("send", sent)
    await eventually(lambda: called)
    name, (_id, told) = called[0]
    assert (name, told) == ("refused", sentence)
    assert await harness.chats.conversations(owner=LOCAL_OWNER) == []
    assert not harness.backend.jobs


@pytest.mark.parametrize(
    "text",
    [
        "👩🏽‍🚀 flies a 𝒌𝒊𝒕𝒆 over 𠮷野, 🇯🇵",
        "עפיפון מעל הים, طائرة ورقية \u202eabc\u202c \u200fdef",
        "می‌خواهم, ทะเล, e\u0301 é ﬁ \u2126",
        "first\n\n  second\tand\u2028third\u3000\u200bend",
    ],
)
async def test_every_script_reaches_the_backend_as_it_was_written(
    user: User, harness: EngineHarness, text: str
) -> None:
    await user.open("/chat/new")
    send(user, f"/video {text}")
    await eventually(lambda: harness.backend.jobs)
    await user.should_see(f"/video {text}")
    (generation,) = (await harness.generations.listed(owner=LOCAL_OWNER)).items
    assert generation.request.prompt == text


async def test_markup_in_messages_stays_text(user: User, harness: EngineHarness) -> None:
    words = "<img src=x onerror=alert(1)> **b** {{ 7*7 }}"
    chat_id = await begin_conversation(harness, f"/video {words}")
    await user.open(f"/chat/{chat_id}")
    await user.should_see(f"/video {words}")
    assert user.client is not None
    assert not any(isinstance(one, ui.html | ui.markdown) for one in user.client.elements.values())


async def test_an_unknown_conversation_has_a_page_that_says_so(user: User) -> None:
    for address in (f"/chat/{uuid7()}", "/chat/nonsense"):
        answer = await user.http_client.get(address)
        assert answer.status_code == 404
        assert "Conversation not found." in answer.text


async def test_a_deleted_artifact_leaves_a_note(user: User, harness: EngineHarness) -> None:
    chat_id = await begin_conversation(harness)
    await user.open(f"/chat/{chat_id}")
    await eventually(lambda: films(user))
    (generation,) = (await harness.generations.listed(owner=LOCAL_OWNER)).items
    await harness.generations.delete(generation.id, owner=LOCAL_OWNER)
    await user.should_see("Deleted.")
    await equals(lambda: films(user), [])
    await user.open(f"/chat/{chat_id}")
    await user.should_see("Deleted.")


async def test_the_reply_is_waited_for_with_its_words_so_far(user: User, harness: EngineHarness) -> None:
    class Slow:
        async def answer(self, message: Any, last: Any, on_text: Callable[[str], None]) -> Any:
            from services.chat.plan import Plan

            on_text("A kite,")
            await self.go.wait()
            return Plan(code="said", text="A kite, you say?")

        def __init__(self) -> None:
            self.go = asyncio.Event()

    slow = Slow()
    harness.chats._replier._llm = slow
    await user.open("/chat/new")
    send(user, "hm, a kite?")
    await user.should_see(kind=PendingReply)
    await user.should_see("A kite,")
    slow.go.set()
    await user.should_see("A kite, you say?")
    await user.should_not_see(kind=PendingReply)


async def test_offers_are_sent_with_one_click(user: User, harness: EngineHarness) -> None:
    await user.open("/chat/new")
    press(user, "Make a square image of fog in a pine forest at dawn")
    await user.should_see("An image, 1:1, with Scripted image:")


async def test_another_page_of_the_same_conversation_is_updated_too(
    user: User, harness: EngineHarness
) -> None:
    chat_id = await begin_conversation(harness, "hello")
    await user.open(f"/chat/{chat_id}")
    await harness.chats.post(chat_id, "/image a fox", owner=LOCAL_OWNER)
    await user.should_see("An image, 16:9, with Scripted image:")
    await eventually(lambda: count(user, "is-done"))


async def test_the_list_has_what_is_new_and_loses_what_is_deleted(user: User, harness: EngineHarness) -> None:
    chat_id = await begin_conversation(harness, "hello")
    await user.open("/chat/new")
    await user.should_see("hello")
    other = await begin_conversation(harness, "/video a dragon")
    await user.should_see("/video a dragon")
    await harness.chats.rename(chat_id, "Greetings", owner=LOCAL_OWNER)
    await user.should_see("Greetings")
    await harness.chats.delete(other, owner=LOCAL_OWNER)
    await user.should_not_see("/video a dragon")


async def test_earlier_messages_come_when_they_are_asked_for(user: User, harness: EngineHarness) -> None:
    chat_id = await begin_conversation(harness, "hello 0")
    for number in range(1, 30):
        await harness.chats.post(chat_id, f"hello {number}", owner=LOCAL_OWNER)
    await eventually(lambda: not harness.chats._tasks)
    await user.open(f"/chat/{chat_id}")
    await user.should_see("hello 29")
    await user.should_not_see("hello 5", retries=1)
    press(user, "Show earlier messages")
    await user.should_see("hello 5")
    await equals(lambda: count(user, "is-person"), 30)


async def test_an_arrival_is_notified_once(user: User, harness: EngineHarness) -> None:
    chat_id = await begin_conversation(harness, "hello")
    await user.open(f"/chat/{chat_id}")
    await harness.chats.post(chat_id, "/video a kite", owner=LOCAL_OWNER)
    await equals(lambda: toasts(user), ["Video generated successfully via SSE!"])
    await asyncio.sleep(FRAME_S + 0.2)
    assert len(toasts(user)) == 1


@pytest.mark.parametrize("code", sorted(translations()))
async def test_what_is_offered_is_understood_in_each_language(code: str) -> None:
    say = translations()[code].gettext
    for example in replies.EXAMPLES:
        assert isinstance(parse(say(example), follows=True), Intent), say(example)
    for step in (*replies.AFTER_VIDEO, *replies.AFTER_IMAGE, "Once more"):
        assert isinstance(parse(say(step), follows=True), Change), say(step)


async def test_every_code_of_the_reader_has_a_sentence() -> None:
    codes = ["hello", "thanks", "help", "unclear", "nothing_yet", "deleted", "already_moving", "not_ready", "no_picture", "no_animator", "bug", "empty_command", "unknown_command", "no_prompt", "which", "no_longer", "no_shorter"]  # fmt: skip
    for code in codes:
        assert replies.reply_text({"code": code}).sentences, code


async def test_a_russian_message_is_answered_in_russian_in_an_english_interface(
    user: User, harness: EngineHarness
) -> None:
    await user.open("/chat/new")
    send(user, "сделай видео про маяк")
    await user.should_see("Видео, 5 с, 16:9, модель Scripted video:")
    await user.should_see("Видео готово")
    await user.should_see("Пусть будет ночь")
    await user.should_see("Show")
    send(user, "thank you so much")
    await user.should_see("You're welcome.")
    send(user, "спасибо!")
    await user.should_see("Пожалуйста.")


async def test_an_english_message_is_answered_in_english_in_a_russian_interface(
    harness: EngineHarness,
) -> None:
    chat_id = await begin_conversation(harness, "thanks!")
    (_sent, reply) = await harness.chats.messages(chat_id, owner=LOCAL_OWNER)
    understood = reply.understood or {}
    with speaking("ru"):
        assert replies.reply_text({"code": "thanks"}).sentences == ["Пожалуйста."]
        with speaking(understood["language"]):
            assert replies.reply_text(understood).sentences == ["You're welcome."]
        with speaking(None):
            assert replies.reply_text({"code": "thanks"}).sentences == ["Пожалуйста."]


async def test_a_change_is_suggested_after_thanks_only_where_there_is_something_to_change(
    user: User, harness: EngineHarness
) -> None:
    chat_id = await begin_conversation(harness, "thanks")
    await user.open(f"/chat/{chat_id}")
    await user.should_see("You're welcome.")
    await user.should_not_see("You can also change the last result", retries=1)
    send(user, "/image a fox")
    await eventually(lambda: count(user, "is-done"))
    send(user, "lovely, thanks")
    await user.should_see("You can also change the last result")


class Offered:
    """A catalogue."""

    def __init__(self, *models: Model) -> None:
        self._models = models

    def models(self, kind: Kind, *, needs_source: bool | None = None) -> list[Model]:
        return [one for one in self._models if one.kind is kind and needs_source in (None, one.needs_source)]


FILM = Model(backend="b", name="film", label="Film", kind=Kind.VIDEO, durations_s=(5.0, 10.0))
STILL = Model(backend="b", name="still", label="Still", kind=Kind.IMAGE)
MOVER = Model(backend="b", name="mover", label="Mover", kind=Kind.VIDEO, needs_source=True)


def offered_for(generation: Generation, *models: Model) -> list[str]:
    return [offer.name for offer in replies.result_text(generation, Offered(*models)).offers]


async def test_only_changes_that_a_model_can_make_are_suggested(harness: EngineHarness) -> None:
    await begin_conversation(harness, "/image a fox")
    await asyncio.sleep(1)
    (image,) = (await harness.generations.listed(owner=LOCAL_OWNER)).items
    image = replace(image, request=replace(image.request, backend="b", model="still"))
    assert offered_for(image, FILM, STILL, MOVER) == ["Animate it", "Square", "Another seed", "Make it night"]
    assert "Animate it" not in offered_for(image, FILM, STILL)
    assert offered_for(image, FILM, MOVER) == ["Animate it"]
    square = replace(STILL, aspect_ratios=("16:9",))
    assert "Square" not in offered_for(image, FILM, square)
    at_night = replace(image, request=replace(image.request, prompt="a fox at night"))
    assert "Make it night" not in offered_for(at_night, STILL)
    assert offered_for(image) == ["Animate it", "Square", "Another seed", "Make it night"]


async def test_a_film_of_the_longest_length_has_no_longer_one_suggested(harness: EngineHarness) -> None:
    await begin_conversation(harness, "/video 10s a fox")
    await asyncio.sleep(1)
    (film,) = (await harness.generations.listed(owner=LOCAL_OWNER)).items
    film = replace(film, request=replace(film.request, backend="b", model="film"))
    offered = offered_for(film, FILM)
    assert "Longer" not in offered and "Shorter" in offered


async def test_a_longer_one_is_not_said_to_have_a_new_length_as_well() -> None:
    for changes, said in ((["longer", "length"], "longer"), (["length"], "new length")):
        sentences = replies.reply_text({"code": "making", "changes": changes}).sentences
        assert sentences == [f"Same prompt, {said}."]


async def test_examples_and_abilities_name_only_what_the_models_on_offer_make() -> None:
    images_only = replies.reply_text({"code": "hello"}, Offered(STILL))
    assert [offer.text for offer in images_only.offers] == [replies.EXAMPLES[1]]
    assert not any("animate" in sentence for sentence in images_only.sentences)
    assert any("animate" in one for one in replies.reply_text({"code": "help"}, Offered(MOVER)).sentences)
    which = replies.reply_text({"code": "which", "prompt": "a fox"}, Offered(FILM))
    assert [offer.text for offer in which.offers] == ["/video a fox"]


async def a_result_with_a_problem(harness: EngineHarness, text: str) -> Generation:
    await begin_conversation(harness, text)
    await asyncio.sleep(1)
    (generation,) = (await harness.generations.listed(owner=LOCAL_OWNER)).items
    assert generation.kept is not None
    problem = Problem(code="unknown", reason=PROBLEMS["unknown"])
    return replace(generation, kept=replace(generation.kept, problem=problem))


async def test_a_result_that_a_browser_may_not_show_is_not_called_ready_but_offered_as_a_download(
    user: User, harness: EngineHarness
) -> None:
    image = await a_result_with_a_problem(harness, "/image a fox")
    reply = replies.result_text(image)
    assert len(reply.sentences) == 1 and "this browser may not show it" in reply.sentences[0]
    assert [offer.name for offer in reply.offers] == ["Another seed"]
    stopped = replies.result_text(replace(image, stop_requested_at=1.0))
    assert any("this browser may not show it" in sentence for sentence in stopped.sentences)
    await user.open("/chat/new")
    assert user.client is not None
    with user.client:
        Result(image.id, image, models=Offered(), language="en", send_text=never, show=print)
    await user.should_see("Download")
    await user.should_not_see("Show")


async def never(text: str, press: Press) -> None:
    raise AssertionError(text)


async def test_a_result_that_cannot_be_read_is_no_starting_image(harness: EngineHarness) -> None:
    image = await a_result_with_a_problem(harness, "/image a fox")
    for text in ("animate it", "оживи её"):
        plan = make_plan(parse(text, follows=True), Offered(FILM, MOVER), last=image, chat_id="")
        assert (plan.code, plan.works) == ("no_picture", ())
    plan = make_plan(parse("another seed", follows=True), Offered(STILL), last=image, chat_id="")
    assert plan.code != "no_picture"


async def test_what_arrives_after_a_stop_is_kept_or_dropped_in_the_conversation(
    user: User, harness: EngineHarness
) -> None:
    harness.backend._script = Script(length_s=1.0)
    chat_id = await begin_conversation(harness)
    (generation,) = (await harness.generations.listed(owner=LOCAL_OWNER)).items
    await harness.generations.stop(generation.id, owner=LOCAL_OWNER)
    await user.open(f"/chat/{chat_id}")
    await user.should_see("Arrived after you stopped it")
    await user.should_see("Arrived after it was stopped. You may have been charged for it.")
    await user.should_not_see("Your video is here")
    await user.should_see("Keep")
    press(user, "Keep")
    await user.should_see("Your video is here")
    await user.should_not_see("Arrived after you stopped it")
