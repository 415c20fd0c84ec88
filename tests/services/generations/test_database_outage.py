"""A database that fails for a moment costs a moment: what is paid for, and what is in hand, is written again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from services.backends.scripted import Script, Scripted
from services.core.model import Generation, Phase
from tests.support.engine_harness import EngineHarness
from tests.support.local_faults import FaultyDatabase

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

FAULTS = [("locked", 3), ("failing commit", 2), ("lost answer", 1)]


@pytest_asyncio.fixture
async def harness(tmp_path: Path) -> AsyncIterator[EngineHarness]:
    """One backend without keys and without a list; its stream tells the end once, and polling never answers."""
    harness = EngineHarness(tmp_path, Scripted(Script(length_s=5.0, polls=("server_error",))))
    await harness.open()
    yield harness
    await harness.close()


async def lived_through(harness: EngineHarness, phase: Phase, how: str, times: int) -> Generation:
    database = FaultyDatabase(harness.store._writes)
    generation = await harness.start()
    database.faults[generation.id] = (str(phase), how, times)
    await asyncio.sleep(15)
    assert 1 <= database.strikes[generation.id] <= times
    return await harness.get(generation)


@pytest.mark.parametrize(("how", "times"), FAULTS)
async def test_a_jobs_id_is_kept_although_the_database_does_not_take_it_at_first(
    harness: EngineHarness, how: str, times: int
) -> None:
    row = await lived_through(harness, Phase.PROCESSING, how, times)
    assert row.phase is Phase.COMPLETED
    assert harness.backend.paid(row.id) == 1
    assert Phase.UNCONFIRMED not in {news.phase for news in harness.snapshots(row)}


@pytest.mark.parametrize("phase", [Phase.COLLECTING, Phase.COMPLETED])
@pytest.mark.parametrize(("how", "times"), FAULTS)
async def test_bytes_in_hand_are_kept_once_and_told_although_the_commit_fails(
    harness: EngineHarness, phase: Phase, how: str, times: int
) -> None:
    row = await lived_through(harness, phase, how, times)
    assert row.phase is Phase.COMPLETED
    assert row.kept is not None
    assert harness.ingest.files == {row.kept.name}
    assert harness.snapshots(row)[-1].phase is Phase.COMPLETED
    assert len(harness.trace_entries(row, "engine", "won")) == 1
