"""One engine behind four doors: the same delivery stories, whoever asked, in virtual time."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from uuid6 import uuid7

from services.api import Metrics, include
from services.backends.base import Capabilities
from services.backends.scripted import Script, Scripted
from services.core.conversation import Sort
from services.core.model import LOCAL_OWNER, Channel, Draft, Generation, Kind, Phase
from tests.services.api.stand_in import client_of, health, parts
from tests.support.engine_harness import EngineHarness
from tests.support.proof_counts import proven
from ui.session import notification_rules
from ui.state import Change, TabState

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

PROMPT = "a kite"


@dataclass(slots=True)
class StandInServices:
    """One way to ask. `told` is what an open page of the owner would say, each with its generation."""

    name: str
    harness: EngineHarness
    folder: Path
    chat_id: str
    told: list[str]

    @property
    def kind(self) -> Kind:
        return Kind.IMAGE if self.name == "image tool" else Kind.VIDEO

    @property
    def first_poll_after_s(self) -> float:
        """While the stream is healthy, in a tool and in the chat."""
        return 30.0 if self.name == "chat artifact" else 10.0

    async def ask(self) -> str:
        """The generation's id."""
        self._watch_as_a_page()
        match self.name:
            case "chat artifact":
                await self.harness.chats.post(self.chat_id, f"/video {PROMPT}", begin=True, owner=LOCAL_OWNER)
                await asyncio.sleep(0)
                while not (rows := await self._rows(Sort.ARTIFACT)):
                    await asyncio.sleep(0.001)
                return rows[0]
            case "HTTP API":
                async with self._client() as client:
                    answer = await client.post("/api/generate/video", json={"prompt": PROMPT})
                    return str(answer.json()["fileId"])
            case _:
                (started,) = await self.harness.generations.start(
                    Draft(kind=self.kind, prompt=PROMPT), owner=LOCAL_OWNER
                )
                return started.id

    async def get(self, generation_id: str) -> Generation:
        await self.harness.event_log.flush()
        return await self.harness.store.get(generation_id)

    async def stop(self, generation_id: str) -> None:
        if self.name == "HTTP API":
            async with self._client() as client:
                assert (await client.post(f"/api/file/{generation_id}/stop")).status_code == 200
        else:
            await self.harness.generations.stop(generation_id, owner=LOCAL_OWNER)

    async def restart(self, *, away_s: float) -> None:
        await self.harness.crash()
        await asyncio.sleep(away_s)
        await self.harness.open()
        self._watch_as_a_page()

    async def is_there_once(self, generation_id: str) -> None:
        """One row, one file, one job, and in the conversation one artifact with one result."""
        assert [one.id for one in (await self.harness.generations.listed(owner=LOCAL_OWNER)).items] == [
            generation_id
        ]
        assert len(self.harness.ingest.files) == 1
        assert self.harness.backend.paid(generation_id) == 1
        if self.name == "chat artifact":
            await until(self._has_a_result, 5.0)
            assert await self._rows(Sort.ARTIFACT) == await self._rows(Sort.RESULT) == [generation_id]
        if self.name == "HTTP API":
            async with self._client() as client:
                file = (await client.get(f"/api/file/{generation_id}")).json()
                assert (file["status"], file["progress"]) == ("completed", 100)

    def toasts(self, ending: str) -> list[str]:
        what = "Image" if self.kind is Kind.IMAGE else "Video"
        return [f"{what} generated successfully{ending}"]

    async def _has_a_result(self) -> bool:
        return bool(await self._rows(Sort.RESULT))

    async def _rows(self, sort: Sort) -> list[str]:
        messages = await self.harness.chats.messages(self.chat_id, owner=LOCAL_OWNER)
        return [str(one.generation_id) for one in messages if one.sort is sort]

    def _watch_as_a_page(self) -> None:
        state, opened_at = TabState(), self.harness.generations._now()

        def hear(heard: Any) -> None:
            change: Change | None = state.apply(heard) if isinstance(heard, Generation) else None
            event = notification_rules.event_for(change, since=opened_at) if change is not None else None
            if change is not None and event is not None:
                self.told.append(notification_rules.text_for(event, change.after).text)

        self.harness.bus.subscribe(hear)

    def _client(self) -> httpx.AsyncClient:
        app = FastAPI(docs_url=None, redoc_url=None)
        metrics = Metrics(self.harness.bus, backends=["scripted"])
        services = parts(
            generations=self.harness.generations,
            chats=self.harness.chats,
            health=health(self.folder),
            metrics=metrics,
        )
        include(app, services, public_url=None)
        return client_of(app)


@pytest_asyncio.fixture(params=["video tool", "image tool", "chat artifact", "HTTP API"])
async def stand_in(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[StandInServices]:
    harness = EngineHarness(tmp_path, Scripted(capabilities=Capabilities(idempotent=True, searchable=True)))
    await harness.open()
    yield StandInServices(name=request.param, harness=harness, folder=tmp_path, chat_id=str(uuid7()), told=[])
    _count(harness)
    await harness.close()


def _count(harness: EngineHarness) -> None:
    jobs = Counter(job.generation.id for job in harness.backend.jobs.values())
    results = {
        (heard.id, heard.kept.name)
        for heard in harness.events
        if isinstance(heard, Generation) and heard.kept
    }
    kept_of = Counter(generation_id for generation_id, _ in results)
    proven(
        "one engine",
        stories=1,
        results=len(results),
        delivered_twice=sum(1 for many in kept_of.values() if many > 1),
        paid_twice=sum(1 for many in jobs.values() if many > 1),
    )


async def until(condition: Callable[[], Awaitable[bool]], within_s: float) -> float:
    """How long it took."""
    clock = asyncio.get_running_loop()
    begun = clock.time()
    while not await condition():
        assert clock.time() - begun < within_s
        await asyncio.sleep(0.25)
    return clock.time() - begun


async def completed(stand_in: StandInServices, generation_id: str, within_s: float) -> Generation:
    async def is_there() -> bool:
        return (await stand_in.harness.store.get(generation_id)).phase is Phase.COMPLETED

    await until(is_there, within_s)
    return await stand_in.get(generation_id)


def told(stand_in: StandInServices, script: Script, **capabilities: bool) -> None:
    stand_in.harness.backend._script = script
    if capabilities:
        stand_in.harness.backend.capabilities = Capabilities(**capabilities)  # type: ignore[arg-type]


async def test_push_wins_and_no_poll_was_needed(
    stand_in: StandInServices, caplog: pytest.LogCaptureFixture
) -> None:
    told(stand_in, Script(length_s=6.0))
    with caplog.at_level(logging.INFO):
        generation_id = await stand_in.ask()
        done = await completed(stand_in, generation_id, 7.0)
    assert done.receipt is not None
    assert (done.receipt.won_by, done.receipt.attempts) == (Channel.PUSH, 0)
    assert done.progress == 1.0
    await stand_in.is_there_once(generation_id)
    assert stand_in.told == stand_in.toasts(" via SSE!")
    what = "Image" if stand_in.kind is Kind.IMAGE else "Video"
    assert f"🎬 ✅ {what} generation completed via SSE: {generation_id}" in caplog.text
    await asyncio.sleep(120)
    await stand_in.is_there_once(generation_id)
    assert len(stand_in.told) == 1


async def test_while_the_stream_is_heard_polling_keeps_the_doors_own_rhythm(
    stand_in: StandInServices,
) -> None:
    told(stand_in, Script(length_s=100.0))
    generation = await stand_in.get(await stand_in.ask())
    await asyncio.sleep(stand_in.first_poll_after_s - 1)
    assert stand_in.harness.trace_entries(generation, "poll", "attempt") == []
    await asyncio.sleep(2)
    assert len(stand_in.harness.trace_entries(generation, "poll", "attempt")) == 1
    await completed(stand_in, generation.id, 120)


async def test_poll_wins_where_the_stream_says_nothing_of_the_end(stand_in: StandInServices) -> None:
    told(stand_in, Script(length_s=5.0, streams=("refused",)))
    generation_id = await stand_in.ask()
    done = await completed(stand_in, generation_id, 10.0)
    assert done.receipt is not None
    assert done.receipt.won_by is Channel.POLL
    await stand_in.is_there_once(generation_id)
    assert stand_in.told == stand_in.toasts("!")


@pytest.mark.parametrize("stream", ["silent", "dead", "ended", "garbage", "drops"])
async def test_a_stream_that_fails_costs_seconds_and_no_result(
    stand_in: StandInServices, stream: str
) -> None:
    told(stand_in, Script(length_s=20.0, streams=(stream,)))
    generation_id = await stand_in.ask()
    done = await completed(stand_in, generation_id, 26.0)
    assert done.receipt is not None
    await stand_in.is_there_once(generation_id)
    assert len(stand_in.told) == 1


async def test_polling_that_fails_leaves_it_to_push(stand_in: StandInServices) -> None:
    told(stand_in, Script(length_s=40.0, polls=("server_error",)))
    generation_id = await stand_in.ask()
    done = await completed(stand_in, generation_id, 41.0)
    assert done.receipt is not None
    assert done.receipt.won_by is Channel.PUSH
    await stand_in.is_there_once(generation_id)


async def test_an_address_that_gives_no_bytes_does_not_end_the_race(stand_in: StandInServices) -> None:
    stand_in.harness.ingest.bytes_ok = lambda url: "bad" not in url
    told(stand_in, Script(length_s=5.0, urls=("https://bad.example/403", "https://a.example/1")))
    generation_id = await stand_in.ask()
    await completed(stand_in, generation_id, 30.0)
    await stand_in.is_there_once(generation_id)


async def test_a_failure_is_told_once_with_the_backends_words(stand_in: StandInServices) -> None:
    told(stand_in, Script(length_s=3.0, fails="No such lens."))
    generation_id = await stand_in.ask()
    await asyncio.sleep(20)
    failed = await stand_in.get(generation_id)
    assert (failed.phase, failed.error_text) == (Phase.ERROR, "No such lens.")
    assert len(stand_in.told) == 1
    assert "No such lens." in stand_in.told[0]
    assert stand_in.harness.ingest.files == set()


async def test_late_is_told_and_arrives_all_the_same(stand_in: StandInServices) -> None:
    told(stand_in, Script(length_s=400.0))
    generation_id = await stand_in.ask()
    await asyncio.sleep(181)
    assert (await stand_in.get(generation_id)).late_since is not None
    assert stand_in.told == ["Taking longer than 3 minutes. You can leave, it will arrive here."]
    done = await completed(stand_in, generation_id, 300.0)
    assert done.receipt is not None
    assert done.receipt.late_s == pytest.approx(220, abs=2)
    assert stand_in.told[1:] == stand_in.toasts(" via SSE!")
    await stand_in.is_there_once(generation_id)


@pytest.mark.parametrize("at_s", [0.0, 0.015, 3.0, 4.99, 5.015])
async def test_a_restart_at_any_moment_is_nothing(stand_in: StandInServices, at_s: float) -> None:
    told(stand_in, Script(length_s=5.0))
    generation_id = await stand_in.ask()
    await asyncio.sleep(at_s)
    await stand_in.restart(away_s=2.0)
    await completed(stand_in, generation_id, 20.0)
    await stand_in.is_there_once(generation_id)
    assert len(stand_in.told) <= 1


async def test_what_ends_while_nobody_listens_is_fetched_at_the_start(stand_in: StandInServices) -> None:
    told(stand_in, Script(length_s=5.0))
    generation_id = await stand_in.ask()
    await asyncio.sleep(1)
    await stand_in.restart(away_s=3600)
    done = await completed(stand_in, generation_id, 3.0)
    await stand_in.is_there_once(generation_id)
    assert len(stand_in.told) == 1
    assert done.receipt is not None
    assert done.receipt.late_s == pytest.approx(3600 - 180, abs=5)


async def test_a_stop_stops_and_what_still_arrives_is_kept_apart(stand_in: StandInServices) -> None:
    told(stand_in, Script(length_s=10.0))
    generation_id = await stand_in.ask()
    await asyncio.sleep(1)
    await stand_in.stop(generation_id)
    stopped = await stand_in.get(generation_id)
    assert (stopped.phase, stopped.kept) == (Phase.DROPPED, None)
    done = await completed(stand_in, generation_id, 120.0)
    assert done.unwanted
    await stand_in.is_there_once(generation_id)
    assert stand_in.told == ["A stopped generation arrived. Keep or discard it?"]


async def test_where_the_backend_can_cancel_a_stop_tells_it(stand_in: StandInServices) -> None:
    told(stand_in, Script(length_s=10.0), idempotent=True, cancel=True)
    generation_id = await stand_in.ask()
    await asyncio.sleep(1)
    await stand_in.stop(generation_id)
    assert (await stand_in.get(generation_id)).phase is Phase.DROPPED
    assert [job.cancelled for job in stand_in.harness.backend.jobs.values()] == [True]
