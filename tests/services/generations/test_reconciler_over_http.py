"""The whole engine and a real HTTP backend: what was taken unheard comes home, each once, each its own."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from services.app.build import Engine, build_engine
from services.app.lifespan import running
from services.backends.base import Capabilities
from services.backends.superduperai import SuperDuperAI
from services.core.model import Generation, Phase
from services.core.settings import Settings
from services.http.address import Address
from tests.support.fault_server import WireServer
from tests.support.rows import a_generation, a_request

pytestmark = pytest.mark.asyncio

DAY_S = 86_400.0


@pytest.fixture
def wire() -> Iterator[WireServer]:
    """A paid backend that knows no keys; it outlives the app."""
    with WireServer(idempotent=False) as wire:
        wire.script(length_s=0.1, progress_every_s=0)
        yield wire


@asynccontextmanager
async def an_engine(wire: WireServer, folder: Path) -> AsyncIterator[Engine]:
    backend = SuperDuperAI(
        name="superduperai",
        address=Address(wire.url, wire.token),
        capabilities=Capabilities(searchable=True),
    )
    settings = Settings(_env_file=None, data_dir=folder, animatic=False)  # type: ignore[call-arg]
    yield build_engine(settings, replacements=[backend], origins=[wire.url])


def stopped_while_sent(seed: int, *, ago_s: float = 60.0) -> Generation:
    at = time.time() - ago_s
    return a_generation(
        at=at,
        request=a_request(seed=seed),
        phase=Phase.DROPPED,
        submitted_at=at,
        possibly_accepted_since=at,
        stop_requested_at=at,
        finished_at=at,
        watch_until=at + DAY_S,
    )


async def until(condition: Callable[[], bool], within_s: float = 20.0) -> None:
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.05)


async def all_there(engine: Engine, rows: list[Generation]) -> list[Generation]:
    async with asyncio.timeout(30):
        while True:
            now = [await engine.store.get(row.id) for row in rows]
            if all(row.phase is Phase.COMPLETED for row in now):
                return now
            await asyncio.sleep(0.1)


@pytest.mark.parametrize(
    "ahead_s", [0.0, *(pytest.param(each, marks=pytest.mark.proof) for each in (-DAY_S, DAY_S))]
)
async def test_what_was_taken_unheard_comes_home_after_a_restart_each_to_whom_asked_for_it(
    wire: WireServer, tmp_path: Path, ahead_s: float
) -> None:
    wire.clock_ahead_s = ahead_s
    rows = [stopped_while_sent(seed) for seed in range(60)]
    async with an_engine(wire, tmp_path) as before:
        await before.store.open()
        await before.store.add(rows)
        for row in rows:
            await before.backends["superduperai"].submit(row)
        await before.store.close()
        await before.backends["superduperai"].close()

    async with an_engine(wire, tmp_path) as engine, running(engine):
        there = await all_there(engine, rows)
        assert all(row.unwanted for row in there)
        assert len({row.job_id for row in there}) == len(rows)
        for row in there:
            assert row.job_id is not None
            assert row.kept is not None
            assert wire.jobs[row.job_id].config["seed"] == row.request.seed
            assert row.kept.sha256 == hashlib.sha256(wire.content(row.job_id)).hexdigest()
        assert wire.totals["jobs"] == len(rows), "nothing was sent again"
        assert wire.totals["lists"] == 2, "sixty on two pages, in one round"


async def test_a_list_that_is_refused_harms_nothing_and_is_read_in_the_next_round(
    wire: WireServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    wire.list_status = 500
    row = stopped_while_sent(1)
    async with an_engine(wire, tmp_path) as engine, running(engine):
        await engine.backends["superduperai"].submit(row)
        await engine.store.add([row])
        await engine.reconciler.run_once()
        assert "answered 500 instead of its list" in caplog.text
        wire.list_status = 200
        assert [each.id for each in await engine.reconciler.run_once()] == [row.id]
        assert (await all_there(engine, [row]))[0].unwanted


async def test_what_somebody_else_made_with_the_same_account_is_left_alone(
    wire: WireServer, tmp_path: Path
) -> None:
    row = stopped_while_sent(1)
    async with an_engine(wire, tmp_path) as engine, running(engine):
        longer = replace(row.request.settings, duration_s=10.0)
        for other in ({"seed": 2}, {"prompt": "a kite, and a dog"}, {"settings": longer}):
            request = replace(row.request, **other)  # type: ignore[arg-type]
            await engine.backends["superduperai"].submit(replace(row, request=request))
        await engine.store.add([row])
        assert await engine.reconciler.run_once() == []
        assert (await engine.store.get(row.id)).job_id is None
