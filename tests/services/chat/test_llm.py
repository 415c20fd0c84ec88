"""A language model over a real HTTP server: its text, its tool calls, and each way in which it fails."""

from __future__ import annotations

import asyncio
import gzip
import logging
import math
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from uuid6 import uuid7

from services.app.build import build_llm
from services.backends.base import Capabilities
from services.backends.scripted import Script, Scripted
from services.chat.llm import LanguageModel
from services.chat.openai_endpoint import LlmUnavailable, OpenAIEndpoint
from services.core.conversation import Message, PartialReply, Sort
from services.core.model import LOCAL_OWNER, Kind
from services.core.settings import Settings
from services.http.address import Address
from services.http.proxy import OutboundProxy
from services.store.chats import ChatRows
from tests.services.http.test_transport import answering, serving
from tests.support.connect_proxy import connect_proxy
from tests.support.engine_harness import EngineHarness, FakeCatalogue
from tests.support.llm_server import Completion, FakeLlm, fake_llm

pytestmark = pytest.mark.asyncio
KEY = "sk-very-secret"
LIGHTHOUSE = ("make_video", {"prompt": "a lighthouse at night", "duration_s": 10, "aspect_ratio": "9:16"})


@pytest.fixture
def llm() -> Iterator[FakeLlm]:
    with fake_llm() as llm:
        yield llm


@pytest_asyncio.fixture
async def harness(tmp_path: Path, llm: FakeLlm) -> AsyncIterator[EngineHarness]:
    harness = EngineHarness(
        tmp_path, Scripted(Script(length_s=0.2), capabilities=Capabilities(idempotent=True))
    )
    await harness.open()
    model = LanguageModel(
        ChatRows(harness.store),
        FakeCatalogue(),
        OpenAIEndpoint(Address(llm.url, KEY), "small", silence_s=0.5, within_s=1.5),
    )
    harness.chats._replier._llm = model
    yield harness
    await model.close()
    await harness.close()


async def reply(harness: EngineHarness, text: str, chat_id: str | None = None) -> Message:
    sent = await harness.chats.post(chat_id or str(uuid7()), text, begin=True, owner=LOCAL_OWNER)
    async with asyncio.timeout(8):
        while harness.chats.is_answering(sent.id, owner=LOCAL_OWNER):
            await asyncio.sleep(0.01)
    messages = await harness.chats.messages(sent.chat_id, owner=LOCAL_OWNER)
    return next(one for one in messages if one.reply_to == sent.id)


def code(message: Message) -> str:
    assert message.understood is not None
    return str(message.understood["code"])


async def test_it_replies_with_text(harness: EngineHarness, llm: FakeLlm) -> None:
    llm.completions = [Completion(text="A lighthouse would look well at night.")]
    answer = await reply(harness, "what would look well at night?")
    assert (answer.text, code(answer)) == ("A lighthouse would look well at night.", "said")
    asked = llm.requests[0]
    assert (asked["model"], asked["stream"], asked["path"]) == ("small", True, "/v1/chat/completions")
    assert {tool["function"]["name"] for tool in asked["tools"]} == {"make_video", "make_image"}
    assert asked["messages"][-1] == {"role": "user", "content": "what would look well at night?"}
    assert llm.keys == [f"Bearer {KEY}"]


async def test_its_text_is_published_while_it_arrives(harness: EngineHarness, llm: FakeLlm) -> None:
    llm.completions = [Completion(text="word " * 20, piece_every_s=0.03)]
    published: list[str] = []
    harness.chats.events.subscribe(
        lambda event: published.append(event.text) if isinstance(event, PartialReply) else None
    )
    answer = await reply(harness, "talk to me")
    assert len(published) >= 2
    assert all(answer.text.startswith(text.strip()) for text in published)


async def test_its_tool_call_makes_a_video(harness: EngineHarness, llm: FakeLlm) -> None:
    llm.completions = [Completion(text="At once.", tool_calls=[LIGHTHOUSE])]
    answer = await reply(harness, "something with a lighthouse, tall, ten seconds")
    assert (answer.text, code(answer)) == ("At once.", "making")
    (generation,) = (await harness.generations.listed(owner=LOCAL_OWNER)).items
    request = generation.request
    assert (request.prompt, request.settings.duration_s, request.settings.aspect_ratio) == (
        "a lighthouse at night",
        10.0,
        "9:16",
    )
    assert request.chat_id == answer.chat_id
    assert len(llm.requests) == 1


async def test_it_may_call_several_tools(harness: EngineHarness, llm: FakeLlm) -> None:
    llm.completions = [Completion(tool_calls=[LIGHTHOUSE, ("make_image", {"prompt": "a fox", "count": 2})])]
    answer = await reply(harness, "a film and two pictures")
    kinds = sorted(one.request.kind for one in (await harness.generations.listed(owner=LOCAL_OWNER)).items)
    assert kinds == [Kind.IMAGE, Kind.IMAGE, Kind.VIDEO]
    assert [one.sort for one in await harness.chats.messages(answer.chat_id, owner=LOCAL_OWNER)].count(
        Sort.ARTIFACT
    ) == 3


async def test_it_knows_earlier_messages_and_artifacts(harness: EngineHarness, llm: FakeLlm) -> None:
    llm.completions = [Completion(tool_calls=[LIGHTHOUSE]), Completion(text="Good.")]
    first = await reply(harness, "a lighthouse please")
    await reply(harness, "and now?", first.chat_id)
    system, *turns, last = llm.requests[1]["messages"]
    assert "a lighthouse at night" in system["content"]
    assert turns == [
        {"role": "user", "content": "a lighthouse please"},
        {"role": "assistant", "content": "(made a video: a lighthouse at night)"},
    ]
    assert last["content"] == "and now?"


async def test_a_command_goes_to_the_parser_alone(harness: EngineHarness, llm: FakeLlm) -> None:
    assert code(await reply(harness, "/video a kite")) == "making"
    assert code(await reply(harness, "/video")) == "empty_command"
    assert llm.requests == []


WRONG: list[tuple[str, Any]] = [
    ("make_video", {"prompt": ""}),
    ("make_video", {}),
    ("make_video", {"prompt": "a kite", "duration_s": "long"}),
    ("make_video", {"prompt": "a kite", "duration_s": -1}),
    ("make_video", {"prompt": "a kite", "duration_s": math.nan}),
    ("make_video", {"prompt": "a kite", "aspect_ratio": "0:0"}),
    ("make_video", {"prompt": "a kite", "model": "the best"}),
    ("make_video", {"prompt": "a kite", "from_last_image": True}),
    ("make_image", {"prompt": "a kite", "count": 400}),
    ("make_coffee", {"prompt": "strong"}),
    ("make_video", "{not json"),
    ("make_video", "[1, 2]"),
    ("make_video", "[" * 5000),
]


@pytest.mark.parametrize("call", WRONG, ids=[str(each)[:60] for each in WRONG])
async def test_wrong_arguments_may_be_corrected_once(
    harness: EngineHarness, llm: FakeLlm, call: tuple[str, Any]
) -> None:
    llm.completions = [Completion(tool_calls=[call]), Completion(tool_calls=[LIGHTHOUSE])]
    assert code(await reply(harness, "a lighthouse")) == "making"
    result = llm.requests[1]["messages"][-1]
    assert result["role"] == "tool"
    assert result["content"].startswith("Not taken: ")
    assert len((await harness.generations.listed(owner=LOCAL_OWNER)).items) == 1


async def test_after_two_wrong_calls_the_parser_answers_and_no_call_was_carried_out(
    harness: EngineHarness, llm: FakeLlm
) -> None:
    llm.completions = [Completion(tool_calls=[LIGHTHOUSE, WRONG[0]])]
    answer = await reply(harness, "make a video of a kite")
    assert answer.understood is not None
    assert (answer.understood["speechless"], len(llm.requests)) == ("nonsense", 2)
    assert [one.request.prompt for one in (await harness.generations.listed(owner=LOCAL_OWNER)).items] == [
        "a kite"
    ]


FAULTS = [
    (Completion(fault="hang"), "slow"),
    (Completion(fault="silent"), "slow"),
    (Completion(text="word " * 500, piece_every_s=0.05), "slow"),
    (Completion(status=500), "down"),
    (Completion(status=429), "down"),
    (Completion(status=401), "refused"),
    (Completion(status=404), "refused"),
    (Completion(status=302), "refused"),
    (Completion(fault="html"), "nonsense"),
    (Completion(fault="garbage"), "nonsense"),
    (Completion(fault="strange"), "nonsense"),
    (Completion(fault="endless"), "nonsense"),
    (Completion(text=""), "nonsense"),
    (Completion(text="Half a sen", fault="cut"), "nonsense"),
]


@pytest.mark.parametrize(("completion", "reason"), FAULTS, ids=[f"{each.fault or each.status} {n}" for n, (each, _) in enumerate(FAULTS)])  # fmt: skip
async def test_when_it_fails_the_parser_answers_in_bounded_time_and_names_the_failure(
    harness: EngineHarness,
    llm: FakeLlm,
    completion: Completion,
    reason: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    llm.completions = [completion]
    begun = asyncio.get_running_loop().time()
    with caplog.at_level(logging.DEBUG):
        answer = await reply(harness, "make a 5 second video of a kite")
    assert asyncio.get_running_loop().time() - begun < 3
    assert answer.understood is not None
    assert (code(answer), answer.understood["speechless"], answer.text) == ("making", reason, "")
    assert len((await harness.generations.listed(owner=LOCAL_OWNER)).items) == 1
    assert KEY not in caplog.text


async def test_when_it_is_down_the_parser_answers(harness: EngineHarness, llm: FakeLlm) -> None:
    llm.close()
    answer = await reply(harness, "make a video of a kite")
    assert answer.understood is not None
    assert (code(answer), answer.understood["speechless"]) == ("making", "down")


# -- the way there ---------------------------------------------------------------------------------


def configured(url: str, proxy_url: str) -> OpenAIEndpoint:
    """As the settings would have it."""
    settings = Settings(_env_file=None, chat_url=url, chat_model="small")  # type: ignore[call-arg]
    proxy = OutboundProxy.configured(proxy_url)
    model = build_llm(settings, None, None, proxy)  # type: ignore[arg-type]
    assert model is not None
    return model._endpoint


async def asked(endpoint: OpenAIEndpoint) -> str:
    try:
        return (await endpoint.ask([{"role": "user", "content": "hello"}], lambda _: None)).text
    finally:
        await endpoint.close()


async def test_it_is_asked_through_the_outbound_proxy(llm: FakeLlm) -> None:
    port = int(llm.url.rpartition(":")[2].removesuffix("/v1"))
    async with connect_proxy({"llm.example": port}) as proxy:
        assert await asked(configured("http://llm.example/v1", proxy.url)) == "Hello."
        assert proxy.asked == ["POST http://llm.example/v1/chat/completions"]


async def test_one_on_this_machine_is_asked_directly(llm: FakeLlm) -> None:
    async with connect_proxy() as proxy:
        assert await asked(configured(llm.url, proxy.url)) == "Hello."
        assert proxy.asked == []


def packed(body: bytes, *, times: int) -> bytes:
    for _ in range(times):
        body = gzip.compress(body, 1)
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {', '.join(['gzip'] * times)}\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def test_an_answer_that_came_packed_is_unpacked() -> None:
    said = b'data: {"choices": [{"delta": {"content": "Hello."}, "finish_reason": "stop"}]}\n\n'
    async with serving(answering(packed(said, times=1))) as url:
        assert await asked(OpenAIEndpoint(Address(url), "small")) == "Hello."


@pytest.mark.parametrize("filling", [b"\n", b"x"])
async def test_a_packed_answer_that_bursts_is_given_up(filling: bytes) -> None:
    bomb = packed(b"data: " + filling * 300_000_000, times=2)
    assert len(bomb) < 10_000
    async with serving(answering(bomb)) as url:
        with pytest.raises(LlmUnavailable):
            await asked(OpenAIEndpoint(Address(url), "small"))


async def test_letters_whose_halves_came_apart_are_whole_again(harness: EngineHarness, llm: FakeLlm) -> None:
    llm.completions = [Completion(text="a kite \ud83e\ude81 and half \ud83d")]
    answer = await reply(harness, "hello there")
    assert answer.text == "a kite \U0001fa81 and half \ufffd"


async def test_half_a_letter_in_the_conversation_reaches_it_as_json(llm: FakeLlm) -> None:
    endpoint = OpenAIEndpoint(Address(llm.url), "small")
    await endpoint.ask([{"role": "user", "content": "a \ud83d kite"}], lambda _: None)
    await endpoint.close()
    assert llm.requests[0]["messages"][0]["content"] == "a \ud83d kite"


async def test_a_kill_during_its_answer_starts_nothing_twice(harness: EngineHarness, llm: FakeLlm) -> None:
    llm.completions = [Completion(text="word " * 40, tool_calls=[LIGHTHOUSE], piece_every_s=0.02)]
    chat_id = str(uuid7())
    await harness.chats.post(chat_id, "a lighthouse", begin=True, owner=LOCAL_OWNER)
    await asyncio.sleep(0.3)
    await harness.crash()
    llm.completions = [Completion(tool_calls=[LIGHTHOUSE])]
    harness.llm = harness.chats._replier._llm
    await harness.open()
    async with asyncio.timeout(8):
        while len(await harness.chats.messages(chat_id, owner=LOCAL_OWNER)) < 4:
            await asyncio.sleep(0.05)
    assert len(harness.backend.jobs) == 1
