"""The same matrix in virtual time, with the engine's true patience: how long a fault may hold up a result."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from services.core.model import Generation, Phase
from tests.matrix.backend import Backdrop
from tests.matrix.invariants import expected, may_be_taken
from tests.matrix.plan import BACKENDS, BLIND, OF_THE_SUBMIT, Combination, End
from tests.matrix.table import combinations
from tests.support import fault_job, fault_server
from tests.support.engine_harness import EngineHarness
from tests.support.proof_counts import proven
from tests.support.race_harness import now

POINTS = ("submit", "submit's answer", "stream open", "mid-stream", "poll", "terminal event")
"""Where time is of the essence; bytes and disk need threads, which virtual time does not wait for."""
LENGTH_S = 30.0


@asynccontextmanager
async def serving(behind: Backdrop) -> AsyncIterator[None]:
    """Wire server and line on this very loop, for it is the one whose time is not the world's."""
    there = asyncio.Event()
    server = asyncio.create_task(behind.wire.serve(lambda _: there.set()))
    await there.wait()
    there.clear()
    line = asyncio.create_task(behind.line().serve(lambda _: there.set()))
    await there.wait()
    behind.wire.script(addresses=(behind.chaos.url,), length_s=LENGTH_S, progress_every_s=3.0)
    yield
    behind.chaos.end()
    behind.wire.end()
    await asyncio.gather(line, server)
    behind.dead.close()


def most_s(one: Combination) -> float:
    """How long after the job's end its result may come."""
    alone = one.shape != "both"
    failing_s = 600.0 if one.plan.end is End.FAILED and one.shape == "push only" else 0.0  # R4
    if one.fault == "401" and alone:
        return 1200.0  # shown, and tried again every ten minutes, twice
    if one.fault == "silence" and one.shape == "push only" and one.point != "stream open":
        return 1440.0 + failing_s  # a stream that lives is believed for its planned life, twice
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
        if name != BLIND or point in OF_THE_SUBMIT
    ],
)
async def test_a_fault_holds_a_result_up_no_longer_than_the_rules_say(
    point: str, backend: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for room in (fault_server, fault_job):
        monkeypatch.setattr(room, "time", SimpleNamespace(time=now))
    behind = Backdrop(backend)
    tried = [one for one in combinations(point) if one.backend == backend]
    async with serving(behind):
        adapter = behind.adapter("scripted")
        harness = EngineHarness(tmp_path, adapter)  # type: ignore[arg-type]
        await harness.open()
        rows = [(one, await started(harness, behind, one)) for one in tried]
        wrong = [each for one, row in rows for each in await judged(harness, behind, one, row)]
        await harness.close()
        await adapter.close()
    proven("matrix", in_virtual_time=len(tried), lost=len(wrong))
    assert not wrong, "\n".join(["", *wrong])


async def started(harness: EngineHarness, behind: Backdrop, one: Combination) -> Generation:
    behind.set_up(one, str(one))
    for where, fault in list(behind.chaos.faults.items()):
        if where[0] == str(one) and fault.how == "late":
            behind.chaos.faults[where] = replace(fault, for_s=5 * fault.for_s)
    return await harness.start(str(one))


async def judged(harness: EngineHarness, behind: Backdrop, one: Combination, row: Generation) -> list[str]:
    begun = row.created_at
    while (last := await harness.get(row)).phase is not expected(one) and now() - begun < LENGTH_S + most_s(
        one
    ):
        await asyncio.sleep(1.0)
    files = [name for name in harness.bytes.files if name.startswith(row.id)]
    holds = {
        f"it is {last.phase}, not {expected(one)}": last.phase is expected(one),
        f"it took {(last.finished_at or begun) - begun:.0f} s": (last.finished_at or begun) - begun
        <= LENGTH_S + most_s(one),
        "it was not taken just once": len(behind.wire.jobs_of(str(one))) == int(may_be_taken(one)),
        "its bytes are not there just once": len(files) == (1 if last.phase is Phase.COMPLETED else 0),
    }
    return [f"{one}: {text}" for text, held in holds.items() if not held]
