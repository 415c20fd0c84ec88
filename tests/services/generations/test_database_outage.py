"""A database that fails for a moment costs a moment: what is paid for, and what is in hand, is written again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from services.core.model import Generation, Phase
from tests.support.engine_harness import House, Script, Scripted
from tests.support.local_faults import BadDatabase

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

FAULTS = [("locked", 3), ("failing commit", 2), ("lost answer", 1)]


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """One backend without keys and without a list; its stream tells the end once, and polling never answers."""
    house = House(tmp_path, Scripted(Script(length_s=5.0, polls=("server_error",))))
    await house.open()
    yield house
    await house.close()


async def lived_through(house: House, phase: Phase, how: str, times: int) -> Generation:
    database = BadDatabase(house.store._writes)
    generation = await house.start()
    database.faults[generation.id] = (str(phase), how, times)
    await asyncio.sleep(15)
    assert 1 <= database.broken[generation.id] <= times
    return await house.get(generation)


@pytest.mark.parametrize(("how", "times"), FAULTS)
async def test_a_jobs_id_is_kept_although_the_database_does_not_take_it_at_first(
    house: House, how: str, times: int
) -> None:
    row = await lived_through(house, Phase.PROCESSING, how, times)
    assert row.phase is Phase.COMPLETED
    assert house.backend.paid(row.id) == 1
    assert Phase.UNCONFIRMED not in {news.phase for news in house.heard(row)}


@pytest.mark.parametrize("phase", [Phase.COLLECTING, Phase.COMPLETED])
@pytest.mark.parametrize(("how", "times"), FAULTS)
async def test_bytes_in_hand_are_kept_once_and_told_although_the_commit_fails(
    house: House, phase: Phase, how: str, times: int
) -> None:
    row = await lived_through(house, phase, how, times)
    assert row.phase is Phase.COMPLETED
    assert row.kept is not None
    assert house.bytes.files == {row.kept.name}
    assert house.heard(row)[-1].phase is Phase.COMPLETED
    assert len(house.traced(row, "engine", "won")) == 1
