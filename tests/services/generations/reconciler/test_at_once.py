"""Search, rounds, checks and second tries at the same time, and a crash in between."""

from __future__ import annotations

import asyncio

import pytest

from services.backends.job_listing import JobPage
from services.core.errors import Conflict
from services.core.model import LOCAL_OWNER, Kind, Phase
from tests.support.engine_harness import EngineHarness
from tests.support.lost_answers import ask, told, unheard

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


async def held_jobs(harness: EngineHarness) -> list[str]:
    rows = (await harness.generations.listed(owner=LOCAL_OWNER)).items
    return sorted(row.job_id for row in rows if row.job_id is not None)


@pytest.mark.parametrize("gap_s", [0.0, 0.005, 0.01, 0.011, 0.02])
async def test_search_round_check_and_sending_again_at_once_double_nothing(
    harness: EngineHarness, gap_s: float
) -> None:
    generation = await unheard(harness)
    told(harness, "ok")
    await harness.generations.check(generation.id, owner=LOCAL_OWNER)
    await asyncio.sleep(gap_s)
    ends = await asyncio.gather(
        harness.reconciler.run_once(),
        harness.generations.submit_again(generation.id, owner=LOCAL_OWNER),
        harness.reconciler.run_once(),
        harness.generations.check(generation.id, owner=LOCAL_OWNER),
        harness.generations.submit_again(generation.id, owner=LOCAL_OWNER),
        return_exceptions=True,
    )
    assert all(not isinstance(end, BaseException) or isinstance(end, Conflict) for end in ends)
    await asyncio.sleep(60)
    done = await harness.get(generation)
    assert done.phase is Phase.COMPLETED
    assert harness.backend.submits[generation.id] <= 2
    assert len(harness.ingest.files) == 1
    assert len([one for one in harness.snapshots(generation) if one.phase is Phase.PROCESSING]) >= 1
    assert await held_jobs(harness) == [done.job_id]
    assert len(harness.supervisor.tasks) == 0


async def test_two_rounds_at_once_adopt_once(harness: EngineHarness) -> None:
    generation = await unheard(harness)
    ends = await asyncio.gather(*(harness.reconciler.run_once() for _ in range(5)))
    assert [each.id for end in ends for each in end] == [generation.id]


async def test_submit_again_pressed_twice_sends_once_and_cuts_nothing(harness: EngineHarness) -> None:
    generation = await unheard(harness)
    harness.backend.jobs.clear()
    told(harness, "ok")
    ends = await asyncio.gather(
        *(harness.generations.submit_again(generation.id, owner=LOCAL_OWNER) for _ in range(3)),
        return_exceptions=True,
    )
    assert [type(end) for end in ends].count(Conflict) == 2
    with pytest.raises(Conflict):  # while it is on its way
        await harness.generations.submit_again(generation.id, owner=LOCAL_OWNER)
    await asyncio.sleep(20)
    assert (await harness.get(generation)).phase is Phase.COMPLETED
    assert harness.backend.submits[generation.id] == 2  # the first one, and one more
    assert harness.backend.paid(generation.id) == 1


async def test_a_second_press_that_saw_it_unconfirmed_does_not_cut_off_the_first(
    harness: EngineHarness,
) -> None:
    generation = await unheard(harness)
    harness.backend.jobs.clear()
    told(harness, "ok")
    await harness.generations.submit_again(generation.id, owner=LOCAL_OWNER)
    await asyncio.sleep(0.005)
    assert await harness.supervisor.submit_again(generation.id) is None
    await asyncio.sleep(20)
    assert (await harness.get(generation)).phase is Phase.COMPLETED
    assert harness.backend.submits[generation.id] == 2


async def test_stopped_in_the_moment_it_is_sent_again_it_is_left_stopped(harness: EngineHarness) -> None:
    generation = await unheard(harness)
    harness.backend.jobs.clear()
    ends = await asyncio.gather(
        harness.generations.stop(generation.id, owner=LOCAL_OWNER),
        harness.generations.submit_again(generation.id, owner=LOCAL_OWNER),
        return_exceptions=True,
    )
    assert isinstance(ends[1], Conflict)
    await asyncio.sleep(60)
    assert (await harness.get(generation)).phase is Phase.DROPPED
    assert harness.backend.submits[generation.id] == 1


@pytest.mark.parametrize("after_s", [0.0, 0.005, 0.01, 0.015, 1.0, 4.99, 5.02])
async def test_a_crash_at_any_moment_of_an_adoption_loses_and_doubles_nothing(
    harness: EngineHarness, after_s: float
) -> None:
    generation = await unheard(harness)
    asyncio.create_task(harness.reconciler.run_once())  # noqa: RUF006  it ends with the crash
    await asyncio.sleep(after_s)
    await harness.crash()
    await asyncio.sleep(30)
    await harness.open()
    await harness.reconciler.run_once()
    await asyncio.sleep(10)
    assert (await harness.get(generation)).phase is Phase.COMPLETED
    assert harness.backend.submits[generation.id] == 1
    assert len(harness.ingest.files) == 1


async def test_many_that_look_at_once_share_a_listing(harness: EngineHarness) -> None:
    told(harness, "lost_after")
    listed, under_way = harness.backend.listed, asyncio.Lock()

    async def slow(kind: Kind, *, skip: int = 0) -> JobPage:
        assert not under_way.locked()
        async with under_way:
            await asyncio.sleep(1)
            return await listed(kind, skip=skip)

    harness.backend.listed = slow  # type: ignore[method-assign]
    started = [await ask(harness, seed=seed) for seed in range(30)]
    await asyncio.sleep(2.9)
    assert harness.backend.listed_times == 2
    await asyncio.sleep(20)
    assert {(await harness.get(one)).phase for one in started} == {Phase.COMPLETED}
    assert [harness.backend.paid(one.id) for one in started] == [1] * 30
