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
from services.core.model import Generation, Phase, Wanted
from services.store.library import Shelf
from tests.support.engine_harness import House
from tests.support.late_counts import count_late
from tests.support.race_harness import now

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

STOPPED_AFTER_S = 2.0


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    house = House(tmp_path, Scripted(Script(length_s=30.0)))
    await house.open()
    yield house
    await house.close()
    count_late(house)


async def stopped(house: House) -> Generation:
    generation = await house.start()
    await asyncio.sleep(STOPPED_AFTER_S)
    return await house.generations.stop(generation.id)


async def arrived(house: House) -> Generation:
    generation = await stopped(house)
    await asyncio.sleep(40)
    done = await house.get(generation)
    assert done.unwanted
    return done


async def removed(house: House) -> list[str]:
    """What emptying the trash takes for good."""
    return (await Shelf(house.store, now=now).remove(owner="local")).ids


async def test_keeping_makes_it_an_ordinary_result_once(house: House) -> None:
    done = await arrived(house)
    kept = await house.generations.keep(done.id)
    assert (kept.phase, kept.unwanted, kept.kept, kept.receipt) == (
        Phase.COMPLETED,
        False,
        done.kept,
        done.receipt,
    )
    again = await house.generations.keep(done.id)
    assert again.revision == kept.revision
    assert house.heard(done)[-1] == kept


@pytest.mark.parametrize("act", ["keep", "drop"])
async def test_the_choice_outlives_a_restart(house: House, act: str) -> None:
    done = await arrived(house)
    await (house.generations.keep(done.id) if act == "keep" else house.generations.delete(done.id))
    await house.crash()
    await house.open()
    await asyncio.sleep(5)
    row = await house.get(done)
    assert (row.unwanted, row.hidden_at is not None) == (act == "drop", act == "drop")


async def test_there_is_nothing_to_keep_before_it_arrives(house: House) -> None:
    generation = await stopped(house)
    with pytest.raises(Conflict):
        await house.generations.keep(generation.id)
    with pytest.raises(NotFound):
        await house.generations.keep("nobody's")


async def test_what_is_dropped_waits_in_the_trash_and_comes_back_as_it_was(house: House) -> None:
    done = await arrived(house)
    await house.generations.delete(done.id)
    with pytest.raises(NotFound):
        await house.generations.get(done.id)
    back = await house.generations.restore(done.id)
    assert back.unwanted
    assert (await house.generations.restore(done.id)).revision == back.revision
    assert house.bytes.files == {done.kept.name if done.kept else ""}


async def test_clearing_all_leaves_what_waits_for_a_choice(house: House) -> None:
    done = await arrived(house)
    ordinary = await house.start()
    await asyncio.sleep(40)
    assert await house.generations.clear() == 1
    assert [row.id for row in (await house.generations.recent()).items] == [done.id]
    assert (await house.get(ordinary)).hidden_at is not None


async def test_it_is_found_by_its_own_list_and_is_not_among_the_ready(house: House) -> None:
    done = await arrived(house)
    ordinary = await house.start()
    await asyncio.sleep(40)
    ready = frozenset({Phase.COMPLETED})

    async def listed(unwanted: bool) -> list[str]:
        page = await house.generations.listed(Wanted(phases=ready, unwanted=unwanted))
        return [row.id for row in page.items]

    assert await listed(True) == [done.id]
    assert await listed(False) == [ordinary.id]
    await house.generations.keep(done.id)
    assert await listed(True) == []


async def test_a_stopped_one_is_watched_on_after_a_restart(house: House) -> None:
    generation = await stopped(house)
    await house.crash()
    await asyncio.sleep(600)
    await house.open()
    await asyncio.sleep(3)
    row = await house.get(generation)
    assert row.unwanted
    assert row.receipt is not None
    assert row.receipt.late_s == pytest.approx(600 + STOPPED_AFTER_S - 180, abs=5)


async def test_emptying_the_trash_leaves_what_may_still_bring_what_was_paid_for(house: House) -> None:
    generation = await stopped(house)
    await house.generations.delete(generation.id)
    assert await removed(house) == []
    assert await Shelf(house.store, now=now).waiting(owner="local") == 1
    await asyncio.sleep(40)
    assert (await house.get(generation)).unwanted
    assert await Shelf(house.store, now=now).waiting(owner="local") == 0
    assert await removed(house) == [generation.id]


@pytest.mark.parametrize("cancel", [True, False])
async def test_when_the_backend_says_that_nothing_will_come_it_may_go(house: House, cancel: bool) -> None:
    house.backend._script = Script(length_s=30.0, fails="It was dropped.")
    house.backend.capabilities = Capabilities(cancel=cancel)
    generation = await stopped(house)
    await house.generations.delete(generation.id)
    await asyncio.sleep(120)
    assert (await house.get(generation)).phase is Phase.DROPPED
    assert await removed(house) == [generation.id]
    assert house.watching.open_count == 0


async def test_what_was_perhaps_taken_waits_in_the_trash_for_as_long_as_it_is_watched(house: House) -> None:
    house.backend._script = Script(submits=("lost_after",))
    generation = await house.start()
    await asyncio.sleep(5)
    await house.generations.delete(generation.id)
    assert await removed(house) == []
    await asyncio.sleep(86_400)
    assert await removed(house) == [generation.id]


async def test_what_was_surely_not_sent_goes_at_once(house: House) -> None:
    house.backend._script = Script(submits=("not_taken",))
    generation = await house.start()
    await asyncio.sleep(1)
    await house.generations.delete(generation.id)
    assert await removed(house) == [generation.id]
