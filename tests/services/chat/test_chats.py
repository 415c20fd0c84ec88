"""Conversations over the real engine, in virtual time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from uuid6 import uuid7

from services.backends.base import Capabilities
from services.backends.scripted import Script, Scripted
from services.core.conversation import ChatEvent, Message, PartialReply, Role, Sort
from services.core.errors import Conflict, InvalidRequest, NotFound, StoreFailed
from services.core.model import LOCAL_OWNER, Draft, Kind, Phase
from tests.support.engine_harness import EngineHarness

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


@pytest_asyncio.fixture
async def harness(tmp_path: Path) -> AsyncIterator[EngineHarness]:
    backend = Scripted(Script(length_s=5.0), capabilities=Capabilities(idempotent=True, searchable=True))
    harness = EngineHarness(tmp_path, backend)
    await harness.open()
    yield harness
    await harness.close()


@pytest.fixture
def chat_id() -> str:
    return str(uuid7())


async def say(harness: EngineHarness, chat_id: str, text: str, **more: Any) -> Message:
    message = await harness.chats.post(chat_id, text, begin=True, **({"owner": LOCAL_OWNER} | more))
    await asyncio.sleep(0.1)
    return message


async def thread(harness: EngineHarness, chat_id: str) -> list[Message]:
    return await harness.chats.messages(chat_id, owner=LOCAL_OWNER)


async def sorts(harness: EngineHarness, chat_id: str) -> list[str]:
    return [f"{one.role}:{one.sort}" for one in await thread(harness, chat_id)]


async def reply(harness: EngineHarness, chat_id: str) -> dict[str, Any]:
    """The content of the last reply."""
    replies = [one for one in await thread(harness, chat_id) if one.reply_to is not None]
    assert replies[-1].understood is not None
    return replies[-1].understood


ASKED_AND_ARRIVED = ["person:words", "studio:words", "studio:artifact", "studio:result"]


async def test_a_video_that_is_asked_for_is_an_artifact_and_its_result_stays(
    harness: EngineHarness, chat_id: str
) -> None:
    await say(harness, chat_id, "make a 10 second vertical video of a lighthouse")
    assert await sorts(harness, chat_id) == ASKED_AND_ARRIVED[:3]
    assert (await reply(harness, chat_id))["works"][0] == {
        "kind": "video", "model": "Scripted video", "prompt": "a lighthouse", "length": 10.0,
        "frame": "9:16", "count": 1, "seed": None, "without": "",
    }  # fmt: skip
    await asyncio.sleep(6)
    assert await sorts(harness, chat_id) == ASKED_AND_ARRIVED
    artifact, result = (await thread(harness, chat_id))[2:]
    assert artifact.generation_id == result.generation_id
    generation = await harness.store.get(str(result.generation_id))
    assert generation.phase is Phase.COMPLETED
    assert generation.request.chat_id == chat_id


async def test_a_message_that_comes_twice_is_one_message(harness: EngineHarness, chat_id: str) -> None:
    message_id = str(uuid7())
    await asyncio.gather(*(say(harness, chat_id, "/video a kite", message_id=message_id) for _ in range(3)))
    await say(harness, chat_id, "/video a kite", message_id=message_id)
    assert await sorts(harness, chat_id) == ASKED_AND_ARRIVED[:3]
    assert len(harness.backend.jobs) == 1


async def test_an_id_of_another_message_is_refused(harness: EngineHarness, chat_id: str) -> None:
    message_id = str(uuid7())
    await say(harness, chat_id, "/video a kite", message_id=message_id)
    with pytest.raises(Conflict):
        await say(harness, chat_id, "/video a boat", message_id=message_id)


async def test_replies_come_in_the_order_of_the_messages(harness: EngineHarness, chat_id: str) -> None:
    said = [
        await harness.chats.post(chat_id, f"/video kite {n}", begin=True, owner=LOCAL_OWNER) for n in range(5)
    ]
    await asyncio.sleep(1)
    replies = [one.reply_to for one in await thread(harness, chat_id) if one.reply_to]
    assert replies == [one.id for one in said]


async def test_three_pictures_are_three_artifacts_of_one_message(
    harness: EngineHarness, chat_id: str
) -> None:
    await say(harness, chat_id, "make three images of a lake")
    await asyncio.sleep(6)
    assert await sorts(harness, chat_id) == ["person:words", "studio:words"] + ["studio:artifact"] * 3 + ["studio:result"] * 3  # fmt: skip
    assert (await reply(harness, chat_id))["works"][0]["count"] == 3


@pytest.mark.parametrize("checkpoint", ["chat_understood", "chat_started"])
async def test_a_kill_between_message_and_reply_neither_loses_nor_starts_twice(
    harness: EngineHarness, chat_id: str, checkpoint: str
) -> None:
    def pull(name: str) -> None:
        if name == checkpoint:
            raise asyncio.CancelledError

    harness.checkpoint = pull
    await say(harness, chat_id, "/video a kite")
    assert await sorts(harness, chat_id) == ["person:words"] + ["studio:artifact"] * (
        checkpoint == "chat_started"
    )
    await harness.crash()
    harness.checkpoint = lambda _: None
    await harness.open()
    await asyncio.sleep(7)
    assert sorted(await sorts(harness, chat_id)) == sorted(ASKED_AND_ARRIVED)
    assert len(harness.backend.jobs) == 1


@pytest.mark.parametrize("dies_after_s", [0.0, 0.005, 0.02, 1.0, 4.99, 5.02, 5.05, 8.0])
async def test_a_kill_at_any_moment_leaves_one_reply_one_artifact_and_one_result(
    harness: EngineHarness, chat_id: str, dies_after_s: float
) -> None:
    await harness.chats.post(chat_id, "/video a kite", begin=True, owner=LOCAL_OWNER)
    await asyncio.sleep(dies_after_s)
    await harness.crash()
    await harness.open()
    await asyncio.sleep(40)
    assert sorted(await sorts(harness, chat_id)) == sorted(ASKED_AND_ARRIVED)
    assert len(harness.backend.jobs) == 1


async def test_a_result_that_arrives_while_the_chat_is_closed_is_added_at_the_next_start(
    harness: EngineHarness, chat_id: str
) -> None:
    await say(harness, chat_id, "/video a kite")
    await harness.chats.close()
    await asyncio.sleep(6)
    assert await sorts(harness, chat_id) == ASKED_AND_ARRIVED[:3]
    await harness.crash()
    await harness.open()
    await asyncio.sleep(0.1)
    assert await sorts(harness, chat_id) == ASKED_AND_ARRIVED


@pytest.mark.parametrize("text", ["a " * 4_000, "make it " * 1_000, "video 5s " * 888, "ещё " * 2_000])
async def test_a_message_of_4000_words_is_answered_also_at_the_next_start(
    harness: EngineHarness, chat_id: str, text: str
) -> None:
    def die(name: str) -> None:
        if name == "chat_understood":
            raise asyncio.CancelledError

    harness.checkpoint = die
    begun = time.process_time()
    await say(harness, chat_id, text)
    await harness.crash()
    harness.checkpoint = lambda _: None
    await harness.open()
    deadline = time.monotonic() + 20
    while len(await sorts(harness, chat_id)) < 2 and time.monotonic() < deadline:
        await asyncio.to_thread(time.sleep, 0.02)  # long texts are parsed in a thread, in real time
    assert (await sorts(harness, chat_id))[:2] == ["person:words", "studio:words"]
    assert time.process_time() - begun < 3


async def test_a_generation_started_elsewhere_for_the_conversation_is_in_it(
    harness: EngineHarness, chat_id: str
) -> None:
    await say(harness, chat_id, "hello")
    (started,) = await harness.generations.start(
        Draft(kind=Kind.VIDEO, prompt="a kite", chat_id=chat_id), owner=LOCAL_OWNER
    )
    again = await harness.generations.retry(started.id, owner=LOCAL_OWNER)
    await asyncio.sleep(6)
    named = [one.generation_id for one in await thread(harness, chat_id) if one.sort is Sort.ARTIFACT]
    assert named == [started.id, again.id]
    assert (await sorts(harness, chat_id)).count("studio:result") == 2


async def test_a_generation_of_no_conversation_here_changes_nothing(
    harness: EngineHarness, chat_id: str
) -> None:
    await harness.generations.start(
        Draft(kind=Kind.VIDEO, prompt="a kite", chat_id=chat_id), owner=LOCAL_OWNER
    )
    await asyncio.sleep(6)
    with pytest.raises(NotFound):
        await thread(harness, chat_id)


async def test_a_failure_is_a_result_too_and_a_late_arrival_does_not_make_a_second(
    harness: EngineHarness, chat_id: str
) -> None:
    harness.backend._script = Script(length_s=1.0, fails="moderated")
    await say(harness, chat_id, "/video a kite")
    await asyncio.sleep(30)
    assert await sorts(harness, chat_id) == ASKED_AND_ARRIVED


async def test_a_stopped_one_that_arrives_all_the_same_has_one_result(
    harness: EngineHarness, chat_id: str
) -> None:
    await say(harness, chat_id, "/video a kite")
    artifact = (await thread(harness, chat_id))[-1]
    await harness.generations.stop(str(artifact.generation_id), owner=LOCAL_OWNER)
    await asyncio.sleep(60)
    assert (await harness.store.get(str(artifact.generation_id))).unwanted
    assert await sorts(harness, chat_id) == ASKED_AND_ARRIVED


async def test_the_polling_of_an_artifact_is_the_chats(harness: EngineHarness, chat_id: str) -> None:
    harness.backend._script = Script(length_s=60.0)
    await say(harness, chat_id, "/video a kite")
    generation = await harness.store.get(str((await thread(harness, chat_id))[-1].generation_id))
    await asyncio.sleep(28)
    assert harness.trace_entries(generation, "poll", "attempt") == []
    await asyncio.sleep(20)
    asked = [entry.at for entry in harness.trace_entries(generation, "poll", "attempt")]
    gaps = [round(after - before) for before, after in pairwise(asked)]
    assert gaps[:3] == [1, 2, 5]


# -- follow-ups -----------------------------------------------------------------------------------


async def newest(harness: EngineHarness, chat_id: str) -> Any:
    artifact = [one for one in await thread(harness, chat_id) if one.sort is Sort.ARTIFACT][-1]
    return (await harness.store.get(str(artifact.generation_id))).request


async def test_a_change_is_of_the_last_artifact(harness: EngineHarness, chat_id: str) -> None:
    await say(harness, chat_id, "/video a lighthouse at dawn")
    first = await newest(harness, chat_id)
    await say(harness, chat_id, "longer and vertical")
    second = await newest(harness, chat_id)
    assert (second.prompt, second.settings.duration_s, second.settings.aspect_ratio, second.seed) == (first.prompt, 10.0, "9:16", first.seed)  # fmt: skip
    await say(harness, chat_id, "make it night")
    third = await newest(harness, chat_id)
    assert (third.prompt, third.settings.duration_s, third.settings.aspect_ratio) == (
        "a lighthouse, at night",
        10.0,
        "9:16",
    )
    await say(harness, chat_id, "again with another seed")
    fourth = await newest(harness, chat_id)
    assert fourth.prompt == third.prompt
    assert fourth.seed != third.seed
    assert (await reply(harness, chat_id))["changes"] == ["another_seed"]


async def test_what_a_model_does_not_offer_becomes_the_nearest_and_the_reply_names_it(
    harness: EngineHarness, chat_id: str
) -> None:
    await say(harness, chat_id, "make an 8 second video of a kite in 4:3")
    assert (await newest(harness, chat_id)).settings.duration_s == 10.0
    assert (await reply(harness, chat_id))["notes"] == [{"code": "length", "asked": 8.0, "given": 10.0}]


async def test_at_the_longest_there_is_no_longer(harness: EngineHarness, chat_id: str) -> None:
    await say(harness, chat_id, "/video a kite 20 s")
    await say(harness, chat_id, "longer")
    assert await reply(harness, chat_id) | {"works": []} == {
        "code": "no_longer", "works": [], "changes": [], "notes": [], "length": 20.0, "language": "en"
    }  # fmt: skip
    assert len(harness.backend.jobs) == 1


@pytest.mark.parametrize(
    ("before", "text", "code"),
    [
        (None, "longer", "nothing_yet"),
        (None, "/video", "empty_command"),
        (None, "/dance", "unknown_command"),
        (None, "hello", "hello"),
        (None, "a lighthouse at night", "which"),
        ("/video a kite", "animate it", "already_moving"),
        ("/image a kite", "animate it", "not_ready"),
    ],
)
async def test_the_reply_says_why_nothing_is_made(
    harness: EngineHarness, chat_id: str, before: str | None, text: str, code: str
) -> None:
    if before is not None:
        await say(harness, chat_id, before)
    await say(harness, chat_id, text)
    assert (await reply(harness, chat_id))["code"] == code


async def test_a_deleted_artifact_is_not_changed(harness: EngineHarness, chat_id: str) -> None:
    await say(harness, chat_id, "/video a kite")
    await harness.generations.delete(
        str((await thread(harness, chat_id))[-1].generation_id), owner=LOCAL_OWNER
    )
    await say(harness, chat_id, "longer")
    assert (await reply(harness, chat_id))["code"] == "deleted"


@pytest.mark.parametrize(
    ("first", "text"), [("/image a kite", "animate it, 10 seconds"), ("/video a kite", "continue")]
)
async def test_a_picture_is_animated_and_a_film_goes_on_from_its_last_frame(
    harness: EngineHarness, chat_id: str, monkeypatch: Any, first: str, text: str
) -> None:
    taken: list[str] = []

    async def source_from(generation_id: str, *, owner: str) -> str:
        taken.append(generation_id)
        return "a/picture.png"

    async def there(name: str, *, owner: str) -> None:
        assert name == "a/picture.png"

    monkeypatch.setattr(harness.generations, "source_from", source_from)
    monkeypatch.setattr(harness.generations._sources, "check", there, raising=False)
    await say(harness, chat_id, first)
    await asyncio.sleep(6)
    await say(harness, chat_id, text)
    made = await newest(harness, chat_id)
    assert (made.kind, made.source, made.model) == (
        Kind.VIDEO,
        "a/picture.png",
        "scripted/video-from-picture",
    )
    assert made.settings.duration_s == (10.0 if "10" in text else 5.0)
    assert len(taken) == 1


async def test_a_refusal_of_the_engine_is_the_reply(
    harness: EngineHarness, chat_id: str, monkeypatch: Any
) -> None:
    async def refuse(*_: Any, **__: Any) -> Any:
        raise InvalidRequest("The {name} is not possible.", field="prompt", name="prompt")

    monkeypatch.setattr(harness.generations, "start", refuse)
    await say(harness, chat_id, "/video a kite")
    said = await reply(harness, chat_id)
    assert (said["code"], said["refusal"]) == ("refused", {"sentence": "The {name} is not possible.", "values": {"name": "prompt"}})  # fmt: skip


async def test_a_full_disk_delays_the_reply_and_does_not_lose_it(
    harness: EngineHarness, chat_id: str, monkeypatch: Any
) -> None:
    start, calls = harness.generations.start, []

    async def full_at_first(*args: Any, **named: Any) -> Any:
        calls.append(named["key"])
        if len(calls) < 3:
            raise StoreFailed("The disk is full.")
        return await start(*args, **named)

    monkeypatch.setattr(harness.generations, "start", full_at_first)
    await say(harness, chat_id, "/video a kite")
    await asyncio.sleep(20)
    assert len(set(calls)) == 1
    assert await sorts(harness, chat_id) == ASKED_AND_ARRIVED


async def test_a_bug_in_a_reply_is_reported_and_the_conversation_goes_on(
    harness: EngineHarness, chat_id: str, monkeypatch: Any, caplog: Any
) -> None:
    monkeypatch.setattr("services.chat.replying.parse", lambda *_, **__: 1 / 0)
    await say(harness, chat_id, "/video a kite")
    assert (await reply(harness, chat_id))["code"] == "bug"
    monkeypatch.undo()
    await say(harness, chat_id, "/video a kite")
    assert (await reply(harness, chat_id))["code"] == "making"
    assert "could not be answered" in caplog.text


# -- conversations --------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "  \n ", "x" * 50_000, "a\x00b"])
async def test_an_invalid_message_is_refused_with_a_sentence(
    harness: EngineHarness, chat_id: str, text: str
) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        await harness.chats.post(chat_id, text, begin=True, owner=LOCAL_OWNER)
    assert refusal.value.field == "message"
    assert await harness.chats.conversations(owner=LOCAL_OWNER) == []


async def test_a_message_to_an_unknown_conversation_is_refused(harness: EngineHarness, chat_id: str) -> None:
    with pytest.raises(NotFound):
        await harness.chats.post(chat_id, "hello", owner=LOCAL_OWNER)


async def test_conversations_are_listed_renamed_and_deleted(harness: EngineHarness, chat_id: str) -> None:
    other = str(uuid7())
    await say(harness, chat_id, "/video a   lighthouse " + "very " * 30 + "far away")
    await say(harness, other, "/image a fox")
    assert [one.id for one in await harness.chats.conversations(owner=LOCAL_OWNER)] == [other, chat_id]
    await say(harness, chat_id, "hello")
    first, second = await harness.chats.conversations(owner=LOCAL_OWNER)
    assert (first.id, second.id) == (chat_id, other)
    assert len(first.title) <= 60
    assert first.title.endswith("…")
    assert (await harness.chats.rename(other, " The  fox ", owner=LOCAL_OWNER)).title == "The fox"
    await harness.chats.delete(chat_id, owner=LOCAL_OWNER)
    assert [one.title for one in await harness.chats.conversations(owner=LOCAL_OWNER)] == ["The fox"]
    with pytest.raises(NotFound):
        await thread(harness, chat_id)
    assert len((await harness.generations.listed(owner=LOCAL_OWNER)).items) == 2


async def test_nobody_sees_another_persons_conversation(harness: EngineHarness, chat_id: str) -> None:
    await say(harness, chat_id, "/video a kite", owner="ada")
    for act in (harness.chats.get, harness.chats.messages, harness.chats.delete):
        with pytest.raises(NotFound):
            await act(chat_id, owner=LOCAL_OWNER)  # type: ignore[operator]
    with pytest.raises(NotFound):
        await harness.chats.post(chat_id, "hello", begin=True, owner=LOCAL_OWNER)
    assert await harness.chats.conversations(owner=LOCAL_OWNER) == []


async def test_a_long_conversation_is_read_in_pages(harness: EngineHarness, chat_id: str) -> None:
    for number in range(12):
        await harness.chats.post(chat_id, f"hello {number}", begin=True, owner=LOCAL_OWNER)
    await asyncio.sleep(1)
    last = await harness.chats.messages(chat_id, limit=10, owner=LOCAL_OWNER)
    before = await harness.chats.messages(chat_id, before=last[0].seq, limit=100, owner=LOCAL_OWNER)
    assert [one.seq for one in before + last] == sorted(one.seq for one in before + last)
    assert len(before + last) == 24


async def test_listeners_receive_each_message_once(harness: EngineHarness, chat_id: str) -> None:
    received: list[ChatEvent] = []
    harness.chats.events.subscribe(received.append, topic=chat_id)
    await say(harness, chat_id, "/video a kite")
    await asyncio.sleep(6)
    ids = [one.id for one in received if isinstance(one, Message)]
    assert len(ids) == len(set(ids)) == 4
    assert not any(isinstance(one, PartialReply) for one in received)
    first = next(one for one in received if isinstance(one, Message))
    assert first.role is Role.PERSON


async def test_a_reply_in_progress_is_visible_to_its_owner_only(harness: EngineHarness, chat_id: str) -> None:
    asking = await harness.chats.post(chat_id, "/video a kite", begin=True, owner=LOCAL_OWNER)
    assert harness.chats.is_answering(asking.id, owner=LOCAL_OWNER)
    assert not harness.chats.is_answering(asking.id, owner="somebody else")
    await asyncio.sleep(1)
    messages = await thread(harness, chat_id)
    assert await harness.chats.artifacts(messages, owner=LOCAL_OWNER)
    assert not await harness.chats.artifacts(messages, owner="somebody else")
