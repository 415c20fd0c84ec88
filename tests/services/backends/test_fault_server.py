"""The tests' own backend keeps its word: each scripted fault is what it says."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import av
import httpx
import pytest
import pytest_asyncio
from PIL import Image

from services.backends.base import Capabilities
from services.backends.superduperai import SuperDuperAI
from services.core.errors import (
    BackendError,
    BackendRefused,
    BackendUnavailable,
    ChannelLost,
    InvalidResponse,
)
from services.core.model import Kind, Phase
from services.http.address import Address
from tests.services.backends.conftest import PLAIN
from tests.support.fault_server import WireServer
from tests.support.rows import a_generation, a_request

REQUEST = a_request(seed=42)
GENERATION = a_generation(id="g1", request=REQUEST, phase=Phase.SUBMITTING)
ABLE = Capabilities(idempotent=True, searchable=True, cancel=True)


@pytest.fixture
def wire() -> Iterator[WireServer]:
    with WireServer() as wire:
        wire.script(length_s=60, progress_every_s=0)
        yield wire


@pytest_asyncio.fixture
async def backend(wire: WireServer) -> AsyncIterator[SuperDuperAI]:
    backend = SuperDuperAI(
        name="x", address=Address(wire.url, wire.token), capabilities=ABLE, ssl_context=PLAIN
    )
    yield backend
    await backend.close()


async def ask(wire: WireServer, path: str) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False, verify=PLAIN) as client:
        return await client.get(f"{wire.url}{path}")


@pytest.mark.asyncio
async def test_one_key_is_one_job_and_every_submit_is_counted(
    wire: WireServer, backend: SuperDuperAI
) -> None:
    first = await backend.submit(GENERATION)
    assert await backend.submit(GENERATION) == first
    wire.idempotent = False
    assert await backend.submit(GENERATION) != first
    stats = (await ask(wire, "/_stats")).json()
    assert (stats["submits_by_key"], stats["submits_by_prompt"], len(stats["jobs"])) == (
        {"g1": 3},
        {"a kite": 3},
        2,
    )


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("mode", "error", "taken"),
    [
        ("422", BackendRefused, False),
        ("429", BackendUnavailable, False),
        ("500", BackendUnavailable, False),
        ("500_taken", BackendUnavailable, True),
        ("lost", BackendUnavailable, True),
        ("lost_untaken", BackendUnavailable, False),
        ("unreadable", InvalidResponse, True),
        ("no_id", InvalidResponse, True),
    ],
)
async def test_a_submit_fails_as_scripted_once_and_can_be_found_again(
    mode: str, error: type[BackendError], taken: bool, wire: WireServer, backend: SuperDuperAI
) -> None:
    wire.script(submit=mode, submit_times=1)
    with pytest.raises(error):
        await backend.submit(GENERATION)
    assert len((await backend.listed(Kind.VIDEO)).jobs) == int(taken)
    await backend.submit(GENERATION)
    assert len(wire.stats()["jobs"]) == 1


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("mode", "reason", "expected"),
    [
        ("401", "unauthorized", []),
        ("silent", "silent", []),
        ("drop", "reset", ["running"]),
        ("end", "ended", ["running"]),
        ("garbage", "malformed", []),
        ("wrong_ids", "silent", ["foreign"]),
        ("duplicates", "silent", ["running"] * 3),
        ("late", "silent", []),
        ("hang", "timeout", []),
        ("oversize", "oversize", []),
        ("html", "malformed", []),
    ],
)
async def test_a_stream_fails_as_scripted(
    mode: str, reason: str, expected: list[str], wire: WireServer, backend: SuperDuperAI
) -> None:
    job_id = await backend.submit(GENERATION)
    wire.script(job=job_id, push=mode)
    codes = []
    with pytest.raises(ChannelLost) as lost:
        async with backend.updates(job_id, silence_s=0.3) as updates:
            async for update in updates:
                codes.append(update.code)  # noqa: PERF401
    assert (lost.value.reason, codes) == (reason, expected)


@pytest.mark.asyncio
async def test_comments_keep_a_stream_open_that_says_nothing(wire: WireServer, backend: SuperDuperAI) -> None:
    job_id = await backend.submit(GENERATION)
    wire.script(job=job_id, push="comments", comment_every_s=0.1)
    async with backend.updates(job_id, silence_s=0.4) as updates:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.8):
                await anext(updates)


@pytest.mark.asyncio
async def test_a_late_subscriber_misses_what_was_said_before(wire: WireServer, backend: SuperDuperAI) -> None:
    job_id = await backend.submit(GENERATION)
    wire.script(job=job_id, push="late", push_late_s=0.3)
    async with backend.updates(job_id, silence_s=0.6) as events:
        wire.finish(job_id)
        with pytest.raises(ChannelLost):
            await anext(events)
    assert (await backend.poll(job_id)).code == "result"


@pytest.mark.asyncio
async def test_a_fault_with_times_ends_and_streams_can_be_cut_from_outside(
    wire: WireServer, backend: SuperDuperAI
) -> None:
    job_id = await backend.submit(GENERATION)
    wire.script(job=job_id, push="503", push_times=1, retry_after="3")
    with pytest.raises(ChannelLost) as lost:
        async with backend.updates(job_id, silence_s=5):
            pass
    assert lost.value.retry_after_s == 3.0
    async with backend.updates(job_id, silence_s=5) as events:
        assert (await anext(events)).code
        wire.drop_streams(job_id)
        with pytest.raises(ChannelLost):
            await anext(events)


@pytest.mark.asyncio
async def test_the_two_results_of_two_jobs_are_never_the_same_bytes(
    wire: WireServer, backend: SuperDuperAI
) -> None:
    jobs = [await backend.submit(replace(GENERATION, id=key)) for key in ("a", "b")]
    for job_id in jobs:
        wire.finish(job_id)
    films = [(await ask(wire, f"/files/{job_id}.mp4")).content for job_id in jobs]
    assert films[0] != films[1]
    assert [hashlib.sha256(film).hexdigest() for film in films] == [
        wire.stats()["jobs"][job_id]["sha256"] for job_id in jobs
    ]
    with av.open(io.BytesIO(films[0])) as film:
        assert sum(1 for _ in film.decode(video=0)) == 12
    image_id = await backend.submit(replace(GENERATION, id="c", request=replace(REQUEST, kind=Kind.IMAGE)))
    wire.finish(image_id)
    with Image.open(io.BytesIO((await ask(wire, f"/files/{image_id}.png")).content)) as picture:
        picture.load()


@pytest.mark.asyncio
@pytest.mark.parametrize("mode", ["403", "404", "truncated", "reset", "garbage", "html", "slow"])
async def test_a_download_fails_as_scripted_and_then_is_well(
    mode: str, wire: WireServer, backend: SuperDuperAI
) -> None:
    job_id = await backend.submit(GENERATION)
    wire.finish(job_id)
    wire.script(job=job_id, download=mode, download_times=1, slow_s=0.3)
    whole = wire.content(job_id)
    begun = time.monotonic()
    try:
        answer = await ask(wire, f"/files/{job_id}.mp4")
        spoiled = answer.status_code != 200 or answer.content != whole
    except httpx.RemoteProtocolError:
        spoiled = True
    assert spoiled is (mode != "slow")
    assert mode != "slow" or time.monotonic() - begun > 0.25
    assert (await ask(wire, f"/files/{job_id}.mp4")).content == whole
    assert wire.stats()["jobs"][job_id]["downloads"] == 2


@pytest.mark.asyncio
async def test_as_a_process_it_says_its_address_and_takes_orders() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.support.fault_server", "--script", '{"length_s": 60}'],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        said = json.loads(await asyncio.to_thread(process.stdout.readline))
        backend = SuperDuperAI(
            name="x", address=Address(said["url"], said["token"]), capabilities=ABLE, ssl_context=PLAIN
        )
        job_id = await backend.submit(GENERATION)
        async with httpx.AsyncClient(trust_env=False, verify=PLAIN, base_url=said["url"]) as client:
            await client.post("/_control", json={"job": job_id, "act": "finish"})
            await client.post(
                "/_control", json={"prompt": "a kite", "script": {"poll": "429", "retry_after": "4"}}
            )
            stats = (await client.get("/_stats")).json()
        assert stats["jobs"][job_id]["finished_at"] == pytest.approx(time.time(), abs=5)
        with pytest.raises(ChannelLost) as lost:
            await backend.poll(job_id)
        assert lost.value.retry_after_s == 4.0
        await backend.close()
        process.terminate()
