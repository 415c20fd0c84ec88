"""Paid, not wanted: what arrives after a stop waits for a choice, and never goes silently."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from services.backends.base import Capabilities
from services.backends.scripted import Script, Scripted
from services.core.errors import Conflict, NotFound
from services.core.model import LOCAL_OWNER, Generation, GenerationQuery, Phase
from services.store.library import LibraryRows
from tests.support.engine_harness import EngineHarness
from tests.support.late_counts import count_late
from tests.support.race_harness import now

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

STOPPED_AFTER_S = 2.0


@pytest_asyncio.fixture
async def harness(tmp_path: Path) -> AsyncIterator[EngineHarness]:
    harness = EngineHarness(tmp_path, Scripted(Script(length_s=30.0)))
    await harness.open()
    yield harness
    await harness.close()
    count_late(harness)


async def stopped(harness: EngineHarness) -> Generation:
    generation = await harness.start()
    await asyncio.sleep(STOPPED_AFTER_S)
    return await harness.generations.stop(generation.id, owner=LOCAL_OWNER)


async def arrived(harness: EngineHarness) -> Generation:
    generation = await stopped(harness)
    await asyncio.sleep(40)
    done = await harness.get(generation)
    assert done.unwanted
    return done


async def removed(harness: EngineHarness) -> list[str]:
    """What emptying the trash takes for good."""
    return (await LibraryRows(harness.store, now=now).remove(owner="local")).ids


async def test_keeping_makes_it_an_ordinary_result_once(harness: EngineHarness) -> None:
    done = await arrived(harness)
    kept = await harness.generations.keep(done.id, owner=LOCAL_OWNER)
    assert (kept.phase, kept.unwanted, kept.kept, kept.receipt) == (
        Phase.COMPLETED,
        False,
        done.kept,
        done.receipt,
    )
    again = await harness.generations.keep(done.id, owner=LOCAL_OWNER)
    assert again.revision == kept.revision
    assert harness.snapshots(done)[-1] == kept


@pytest.mark.parametrize("act", ["keep", "drop"])
async def test_the_choice_outlives_a_restart(harness: EngineHarness, act: str) -> None:
    done = await arrived(harness)
    await (
        harness.generations.keep(done.id, owner=LOCAL_OWNER)
        if act == "keep"
        else harness.generations.delete(done.id, owner=LOCAL_OWNER)
    )
    await harness.crash()
    await harness.open()
    await asyncio.sleep(5)
    row = await harness.get(done)
    assert (row.unwanted, row.trashed_at is not None) == (act == "drop", act == "drop")


async def test_there_is_nothing_to_keep_before_it_arrives(harness: EngineHarness) -> None:
    generation = await stopped(harness)
    with pytest.raises(Conflict):
        await harness.generations.keep(generation.id, owner=LOCAL_OWNER)
    with pytest.raises(NotFound):
        await harness.generations.keep("nobody's", owner=LOCAL_OWNER)


async def test_what_is_dropped_waits_in_the_trash_and_comes_back_as_it_was(harness: EngineHarness) -> None:
    done = await arrived(harness)
    await harness.generations.delete(done.id, owner=LOCAL_OWNER)
    with pytest.raises(NotFound):
        await harness.generations.get(done.id, owner=LOCAL_OWNER)
    back = await harness.generations.restore(done.id, owner=LOCAL_OWNER)
    assert back.unwanted
    assert (await harness.generations.restore(done.id, owner=LOCAL_OWNER)).revision == back.revision
    assert harness.ingest.files == {done.kept.name if done.kept else ""}


async def test_clearing_all_leaves_what_waits_for_a_choice(harness: EngineHarness) -> None:
    done = await arrived(harness)
    ordinary = await harness.start()
    await asyncio.sleep(40)
    assert len(await harness.generations.clear(owner=LOCAL_OWNER)) == 1
    assert [row.id for row in (await harness.generations.listed(owner=LOCAL_OWNER)).items] == [done.id]
    assert (await harness.get(ordinary)).trashed_at is not None


async def test_it_is_found_by_its_own_list_and_is_not_among_the_ready(harness: EngineHarness) -> None:
    done = await arrived(harness)
    ordinary = await harness.start()
    await asyncio.sleep(40)
    ready = frozenset({Phase.COMPLETED})

    async def listed(unwanted: bool) -> list[str]:
        page = await harness.generations.listed(
            GenerationQuery(phases=ready, unwanted=unwanted), owner=LOCAL_OWNER
        )
        return [row.id for row in page.items]

    assert await listed(True) == [done.id]
    assert await listed(False) == [ordinary.id]
    await harness.generations.keep(done.id, owner=LOCAL_OWNER)
    assert await listed(True) == []


async def test_a_stopped_one_is_watched_on_after_a_restart(harness: EngineHarness) -> None:
    generation = await stopped(harness)
    await harness.crash()
    await asyncio.sleep(600)
    await harness.open()
    await asyncio.sleep(3)
    row = await harness.get(generation)
    assert row.unwanted
    assert row.receipt is not None
    assert row.receipt.late_s == pytest.approx(600 + STOPPED_AFTER_S - 180, abs=5)


async def test_emptying_the_trash_leaves_what_may_still_bring_what_was_paid_for(
    harness: EngineHarness,
) -> None:
    generation = await stopped(harness)
    await harness.generations.delete(generation.id, owner=LOCAL_OWNER)
    assert await removed(harness) == []
    assert await LibraryRows(harness.store, now=now).count_awaited(owner="local") == 1
    await asyncio.sleep(40)
    assert (await harness.get(generation)).unwanted
    assert await LibraryRows(harness.store, now=now).count_awaited(owner="local") == 0
    assert await removed(harness) == [generation.id]


@pytest.mark.parametrize("cancel", [True, False])
async def test_when_the_backend_says_that_nothing_will_come_it_may_go(
    harness: EngineHarness, cancel: bool
) -> None:
    harness.backend._script = Script(length_s=30.0, fails="It was dropped.")
    harness.backend.capabilities = Capabilities(cancel=cancel)
    generation = await stopped(harness)
    await harness.generations.delete(generation.id, owner=LOCAL_OWNER)
    await asyncio.sleep(120)
    assert (await harness.get(generation)).phase is Phase.DROPPED
    assert await removed(harness) == [generation.id]
    assert len(harness.supervisor.tasks) == 0


async def test_what_was_perhaps_taken_waits_in_the_trash_for_as_long_as_it_is_watched(
    harness: EngineHarness,
) -> None:
    harness.backend._script = Script(submits=("lost_after",))
    generation = await harness.start()
    await asyncio.sleep(5)
    await harness.generations.delete(generation.id, owner=LOCAL_OWNER)
    assert await removed(harness) == []
    await asyncio.sleep(86_400)
    assert await removed(harness) == [generation.id]


async def test_what_was_surely_not_sent_goes_at_once(harness: EngineHarness) -> None:
    harness.backend._script = Script(submits=("not_taken",))
    generation = await harness.start()
    await asyncio.sleep(1)
    await harness.generations.delete(generation.id, owner=LOCAL_OWNER)
    assert await removed(harness) == [generation.id]
