"""What it says about a job, as recorded in wire/superduperai/*.json, and how it is lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from services.backends import superduperai
from services.backends.superduperai import SuperDuperAI, adapter
from services.core.errors import ChannelLost
from services.core.model import Failure, JobUpdate, Result
from services.http.event_stream import StreamEvent
from tests.services.backends.conftest import TOKEN, Canned

WIRE = Path(__file__).parent / "wire" / "superduperai"


def recorded(name: str) -> list[Any]:
    return [pytest.param(each, id=each["name"]) for each in json.loads((WIRE / f"{name}.json").read_text())]


def must_be(report: JobUpdate, told: dict[str, Any], base: str) -> None:
    assert report.heard == told["heard"]
    assert report.foreign is (told["heard"] == "foreign")
    assert report.ask is (told["heard"] == "ask")
    match report.heard:
        case "result":
            assert report.outcome == Result(
                url=told["url"].format(base=base),
                thumbnail_url=told["thumbnail_url"].format(base=base) if "thumbnail_url" in told else None,
                content_type=told.get("content_type"),
                finished_at=told.get("finished_at"),
            )
        case "failed":
            assert report.outcome == Failure(text=told["text"])
        case _:
            assert report.outcome is None
            assert report.progress == told.get("progress")


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
    told: dict[str, Any], canned: Canned, backend: SuperDuperAI
) -> None:
    must_be(backend.understand(StreamEvent(data=json.dumps(told["event"])), "f1"), told, canned.url)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "event", [StreamEvent(comment=True), StreamEvent(data="[DONE]"), StreamEvent(data=" [DONE]\n")]
)
async def test_signs_of_life_say_nothing_about_the_job(event: StreamEvent, backend: SuperDuperAI) -> None:
    assert backend.understand(event, "f1").foreign


@pytest.mark.asyncio
async def test_the_type_may_stand_in_the_event_line(backend: SuperDuperAI) -> None:
    event = StreamEvent(type="file", data='{"object": {"id": "f1", "url": "https://r.example.net/a.mp4"}}')
    assert backend.understand(event, "f1").heard == "result"


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "data", ["{not json", "", "null", "[]", '"file"', "7", "[" * 100_000, '{"a":' * 100_000]
)
async def test_an_event_that_is_no_object_is_a_malformed_channel(data: str, backend: SuperDuperAI) -> None:
    with pytest.raises(ChannelLost) as lost:
        backend.understand(StreamEvent(data=data), "f1")
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
@pytest.mark.parametrize(("how", "reason"), [("close", "reset"), ("half", "reset"), ("hang", "timeout")])
async def test_a_poll_that_breaks_or_hangs_is_a_lost_channel(
    how: str, reason: str, canned: Canned, backend: SuperDuperAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "POLL_S", 0.2)
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
    report = await backend.poll("f1")
    assert report.outcome == Failure(text="token … expired")
    assert TOKEN not in repr(superduperai.Address(canned.url, TOKEN))
