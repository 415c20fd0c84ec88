"""The same matrix in virtual time, with the engine's real timeouts: how long a fault may delay a result."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from services.core.model import Generation, Phase
from tests.matrix.backend import FaultyBackend
from tests.matrix.invariants import expected, may_be_accepted
from tests.matrix.plan import BACKENDS, BLIND, SUBMIT_POINTS, Combination, End
from tests.matrix.table import combinations
from tests.support import fault_job, fault_jobs, fault_server
from tests.support.engine_harness import EngineHarness
from tests.support.proof_counts import proven
from tests.support.race_harness import now

POINTS = ("submit", "submit's answer", "stream open", "mid-stream", "poll", "terminal event")
"""Those without threads, which virtual time does not wait for."""
LENGTH_S = 30.0


@asynccontextmanager
async def serving(backend: FaultyBackend) -> AsyncIterator[None]:
    """Wire server and proxy on this loop, which has the virtual time."""
    ready = asyncio.Event()
    server = asyncio.create_task(backend.wire.serve(lambda _: ready.set()))
    await ready.wait()
    ready.clear()
    proxy = asyncio.create_task(backend.start_proxy().serve(lambda _: ready.set()))
    await ready.wait()
    backend.wire.script(addresses=(backend.proxy.url,), length_s=LENGTH_S, progress_every_s=3.0)
    yield
    backend.proxy.end()
    backend.wire.end()
    await asyncio.gather(proxy, server)
    backend.dead.close()


def max_delay_s(one: Combination) -> float:
    """How long after the job's end its result may come."""
    alone = one.shape != "both"
    failing_s = 600.0 if one.plan.end is End.FAILED and one.shape == "push only" else 0.0  # R4
    if one.fault == "401" and alone:
        return 1200.0  # reported, and retried every ten minutes, twice
    if one.fault == "silence" and one.shape == "push only" and one.point != "stream open":
        return 1440.0 + failing_s  # a live stream is trusted for its maximum age, twice
    return 100.0 + failing_s  # two silences of 45 s, or a submit's 30 s


@pytest.mark.proof
@pytest.mark.asyncio
@pytest.mark.looptime
@pytest.mark.parametrize(
    ("point", "backend"),
    [
        (point, name)
        for point in POINTS
        for name in (*BACKENDS, BLIND)
        if name != BLIND or point in SUBMIT_POINTS
    ],
)
async def test_a_fault_delays_a_result_within_bounds(
    point: str, backend: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (fault_server, fault_jobs, fault_job):
        monkeypatch.setattr(module, "time", SimpleNamespace(time=now))
    faulty = FaultyBackend(backend)
    tried = [one for one in combinations(point) if one.backend == backend]
    async with serving(faulty):
        adapter = faulty.adapter("scripted")
        harness = EngineHarness(tmp_path, adapter)  # type: ignore[arg-type]
        await harness.open()
        rows = [(one, await start(harness, faulty, one)) for one in tried]
        wrong = [each for one, row in rows for each in await violations(harness, faulty, one, row)]
        await harness.close()
        await adapter.close()
    proven("matrix", in_virtual_time=len(tried), lost=len(wrong))
    assert not wrong, "\n".join(["", *wrong])


async def start(harness: EngineHarness, backend: FaultyBackend, one: Combination) -> Generation:
    backend.set_up(one, str(one))
    for where, fault in list(backend.proxy.faults.items()):
        if where[0] == str(one) and fault.how == "late":
            backend.proxy.faults[where] = replace(fault, for_s=5 * fault.for_s)
    return await harness.start(str(one))


async def violations(
    harness: EngineHarness, backend: FaultyBackend, one: Combination, row: Generation
) -> list[str]:
    begun = row.created_at
    while (last := await harness.get(row)).phase is not expected(
        one
    ) and now() - begun < LENGTH_S + max_delay_s(one):
        await asyncio.sleep(1.0)
    files = [name for name in harness.ingest.files if name.startswith(row.id)]
    holds = {
        f"it is {last.phase}, not {expected(one)}": last.phase is expected(one),
        f"it took {(last.finished_at or begun) - begun:.0f} s": (last.finished_at or begun) - begun
        <= LENGTH_S + max_delay_s(one),
        "it was not accepted exactly once": len(backend.wire.jobs_of(str(one))) == int(may_be_accepted(one)),
        "its bytes are not kept exactly once": len(files) == (1 if last.phase is Phase.COMPLETED else 0),
    }
    return [f"{one}: {text}" for text, held in holds.items() if not held]
