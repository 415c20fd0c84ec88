"""What it says about a job, as recorded in wire/superduperai/*.json, and how it is lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from services.backends.lenient_json import MAX_MESSAGE_CHARS
from services.backends.superduperai import SuperDuperAI, adapter
from services.backends.superduperai.events import EventParser
from services.core.errors import ChannelLost
from services.core.job_results import extra_result_id
from services.core.model import Failure, JobUpdate, Result
from services.http.address import Address
from services.http.event_stream import StreamEvent
from tests.services.backends.conftest import TOKEN, Canned

WIRE = Path(__file__).parent / "wire" / "superduperai"


def recorded(name: str) -> list[Any]:
    return [pytest.param(each, id=each["name"]) for each in json.loads((WIRE / f"{name}.json").read_text())]


@pytest.fixture
def parser(canned: Canned) -> EventParser:
    return EventParser(Address(canned.url, TOKEN))


def must_be(update: JobUpdate, told: dict[str, Any], base: str) -> None:
    assert update.code == told["heard"]
    assert update.foreign is (told["heard"] == "foreign")
    assert update.poll_now is (told["heard"] == "ask")
    match update.code:
        case "result":
            assert update.outcome == Result(
                url=told["url"].format(base=base), finished_at=told.get("finished_at")
            )
        case "failed":
            assert update.outcome == Failure(text=told["text"])
        case _:
            assert update.outcome is None
            assert update.progress == told.get("progress")


@pytest.mark.asyncio
@pytest.mark.parametrize("told", recorded("polls"))
async def test_a_polled_answer_is_put_into_our_words(
    told: dict[str, Any], canned: Canned, backend: SuperDuperAI
) -> None:
    canned.says(told["answer"])
    must_be(await backend.poll("f1"), told, canned.url)
    asked = canned.calls[0]
    assert (asked.method, asked.path) == ("GET", "/api/v1/file/f1")
    assert asked.headers["accept"] == "application/json"
    assert asked.headers["authorization"] == f"Bearer {TOKEN}"


@pytest.mark.asyncio
async def test_a_polled_answer_about_another_job_is_not_taken_for_ours(
    canned: Canned, backend: SuperDuperAI
) -> None:
    canned.says({"id": "f2", "url": "https://r.example.net/a-strangers.mp4", "tasks": []})
    with pytest.raises(ChannelLost) as lost:
        await backend.poll("f1")
    assert lost.value.reason == "malformed"


@pytest.mark.asyncio
@pytest.mark.parametrize("told", recorded("events"))
async def test_an_event_is_put_into_our_words(
    told: dict[str, Any], canned: Canned, parser: EventParser
) -> None:
    must_be(parser.parse(StreamEvent(data=json.dumps(told["event"])), "f1"), told, canned.url)


@pytest.mark.asyncio
@pytest.mark.parametrize("event", [StreamEvent(data="[DONE]"), StreamEvent(data=" [DONE]\n")])
async def test_the_end_marker_says_nothing_about_the_job(event: StreamEvent, parser: EventParser) -> None:
    assert parser.parse(event, "f1").foreign


@pytest.mark.asyncio
async def test_the_type_may_stand_in_the_event_line(parser: EventParser) -> None:
    event = StreamEvent(type="file", data='{"object": {"id": "f1", "url": "https://r.example.net/a.mp4"}}')
    assert parser.parse(event, "f1").code == "result"


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "data", ["{not json", "", "null", "[]", '"file"', "7", "[" * 100_000, '{"a":' * 100_000]
)
async def test_an_event_that_is_no_object_is_a_malformed_channel(data: str, parser: EventParser) -> None:
    with pytest.raises(ChannelLost) as lost:
        parser.parse(StreamEvent(data=data), "f1")
    assert lost.value.reason == "malformed"


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (404, "gone"),
        (410, "gone"),
        (401, "unauthorized"),
        (403, "unauthorized"),
        (429, "busy"),
        (503, "busy"),
        (500, "server_error"),
        (524, "server_error"),
        (302, "refused"),
        (422, "refused"),
    ],
)
async def test_an_error_answer_to_a_poll_is_a_lost_channel_not_a_failure(
    status: int, reason: str, canned: Canned, backend: SuperDuperAI
) -> None:
    canned.says({"detail": "x", "tasks": [{"status": "error"}]}, status=status, Retry_After="7")
    with pytest.raises(ChannelLost) as lost:
        await backend.poll("f1")
    assert (lost.value.reason, lost.value.retry_after_s) == (reason, 7.0 if reason == "busy" else None)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "body",
    [
        b"<html>Sign in</html>",
        b'{"id": "',
        b"",
        b"null",
        b"[]",
        b"[" * 200_000,
        b'{"a":' * 200_000,
        b"\xff\xfe",
    ],
)
async def test_a_poll_that_cannot_be_read_is_a_malformed_channel(
    body: bytes, canned: Canned, backend: SuperDuperAI
) -> None:
    canned.says(body)
    with pytest.raises(ChannelLost) as lost:
        await backend.poll("f1")
    assert lost.value.reason == "malformed"


@pytest.mark.asyncio
async def test_a_poll_reads_one_mebibyte_and_no_more(canned: Canned, backend: SuperDuperAI) -> None:
    canned.says(b'{"id": "f1", "x": "' + b"x" * 1_100_000 + b'"}')
    with pytest.raises(ChannelLost, match="cannot be read"):
        await backend.poll("f1")


@pytest.mark.asyncio
async def test_a_poll_may_be_longer_where_it_holds_the_result_itself(
    canned: Canned, backend: SuperDuperAI
) -> None:
    url = "data:image/png;base64," + "A" * 4_000_000
    canned.says({"id": "f1", "url": url})
    update = await backend.poll("f1")
    assert isinstance(update.outcome, Result) and update.outcome.url == url
    assert backend.headers_for(url) == {}


@pytest.mark.asyncio
@pytest.mark.parametrize(("how", "reason"), [("close", "reset"), ("half", "reset"), ("hang", "timeout")])
async def test_a_poll_that_breaks_or_hangs_is_a_lost_channel(
    how: str, reason: str, canned: Canned, backend: SuperDuperAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "POLL_TIMEOUT_S", 0.2)
    canned.fails(how)
    with pytest.raises(ChannelLost) as lost:
        await backend.poll("f1")
    assert lost.value.reason == reason


@pytest.mark.asyncio
async def test_an_address_of_a_result_that_cannot_be_read_is_malformed(
    canned: Canned, backend: SuperDuperAI
) -> None:
    canned.says({"id": "f1", "url": "http://[broken"})
    with pytest.raises(ChannelLost) as lost:
        await backend.poll("f1")
    assert lost.value.reason == "malformed"


@pytest.mark.asyncio
async def test_an_odd_id_stays_one_part_of_the_path(canned: Canned, backend: SuperDuperAI) -> None:
    canned.says({"id": "../user/me?x=1#y"})
    await backend.poll("../user/me?x=1#y")
    assert (
        canned.calls[0].path == "/api/v1/file/../user/me?x=1#y"
    )  # unquoted by the server, one segment on the wire


@pytest.mark.asyncio
async def test_no_failure_ever_carries_the_key(canned: Canned, backend: SuperDuperAI) -> None:
    canned.says({"id": "f1", "tasks": [{"status": "error", "error": f"token {TOKEN} expired"}]})
    update = await backend.poll("f1")
    assert update.outcome == Failure(text="token … expired")
    assert TOKEN not in repr(Address(canned.url, TOKEN))


@pytest.mark.asyncio
@pytest.mark.parametrize("before", range(MAX_MESSAGE_CHARS - len(TOKEN) - 4, MAX_MESSAGE_CHARS + 1, 3))
async def test_no_part_of_the_key_is_left_by_shortening(
    canned: Canned, backend: SuperDuperAI, before: int
) -> None:
    canned.says({"id": "f1", "tasks": [{"status": "error", "error": "x" * before + f" {TOKEN} expired"}]})
    update = await backend.poll("f1")
    assert isinstance(update.outcome, Failure)
    assert TOKEN[:4] not in update.outcome.text


ONE, TWO = "https://x.example/1.png?sig=a", "https://x.example/2.png"


@pytest.mark.parametrize(
    ("answer", "url", "extra"),
    [
        ({"id": "f1", "urls": [ONE, TWO]}, ONE, [TWO]),
        ({"id": "f1", "files": [{"url": ONE}, {"file_url": TWO}]}, ONE, [TWO]),
        ({"id": "f1", "url": "https://x.example/1.png?sig=b", "images": [{"url": ONE}, {"url": TWO}]}, "https://x.example/1.png?sig=b", [TWO]),
        ([{"id": "f1", "url": ONE}, {"url": TWO}], ONE, [TWO]),
        ([{"id": "f2", "url": TWO}, {"id": "f1", "url": ONE}], ONE, []),
        ({"id": "f1", "files": [{"url": ONE}, {"url": None}, {"url": TWO}]}, ONE, ["", TWO]),
        ({"id": "f1", "url": ONE, "files": []}, ONE, []),
        ({"id": "f1", "url": f"{TWO}?n=1", "urls": [f"{TWO}?n=1", f"{TWO}?n=2"]}, f"{TWO}?n=1", [f"{TWO}?n=2"]),
        ({"id": "f1", "type": "video", "url": ONE, "images": [{"url": TWO}]}, ONE, []),
        ({"id": "f1", "url": ONE, "files": "x", "urls": [7, None]}, ONE, []),
    ],
)  # fmt: skip
def test_every_file_of_a_result_is_one(answer: Any, url: str, extra: list[str], parser: EventParser) -> None:
    expected = tuple((extra_result_id("f1", number), each) for number, each in enumerate(extra, start=1))
    outcome = parser.polled(json.dumps(answer).encode(), "f1").outcome
    assert isinstance(outcome, Result)
    assert (outcome.url, outcome.extra_results) == (url, expected)


@pytest.mark.parametrize("answer", [[{"id": "f2", "url": TWO}], [], ["x"]])
def test_a_list_without_the_job_is_no_answer_about_it(answer: Any, parser: EventParser) -> None:
    with pytest.raises(ChannelLost):
        parser.polled(json.dumps(answer).encode(), "f1")


def test_a_pushed_list_of_files_is_one_result_and_its_extra_ones(parser: EventParser) -> None:
    event = StreamEvent(
        type="message", data=json.dumps({"type": "file", "object": {"id": "f1", "urls": [ONE, TWO]}})
    )
    outcome = parser.parse(event, "f1").outcome
    assert isinstance(outcome, Result)
    assert outcome.extra_results == ((extra_result_id("f1", 1), TWO),)
