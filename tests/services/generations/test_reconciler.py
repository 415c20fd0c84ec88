"""What was paid for and nobody heard of is found, once, and arrives: in virtual time, over a real database."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from services.backends.base import Capabilities
from services.backends.job_listing import JobPage
from services.backends.scripted import Script, Scripted
from services.core.errors import Conflict
from services.core.model import LOCAL_OWNER, Generation, Kind, Phase
from services.generations.reconciler import EVERY_S
from services.store.library import LibraryRows
from tests.support.engine_harness import EngineHarness
from tests.support.late_counts import count_late
from tests.support.race_harness import now

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

DAY_S = 86_400.0
WATCHED_S = 7200.0
SEARCHED_FOR_S = 300.0
"""By then the search that follows a lost answer has ended."""


@pytest_asyncio.fixture
async def harness(tmp_path: Path) -> AsyncIterator[EngineHarness]:
    harness = EngineHarness(
        tmp_path, Scripted(Script(length_s=5.0), capabilities=Capabilities(searchable=True))
    )
    await harness.open()
    yield harness
    await harness.close()
    count_late(harness)


def told(harness: EngineHarness, *submits: str, lists: str = "ok") -> None:
    harness.backend._script = Script(length_s=5.0, submits=submits)
    harness.backend.lists = (lists,)


async def ask(harness: EngineHarness, *, seed: int = 7) -> Generation:
    return await harness.start(seed=seed)


async def unheard(harness: EngineHarness, *, seed: int = 7) -> Generation:
    """Taken, its answer lost, and the search for it found no list: unconfirmed, and nobody looks for it."""
    told(harness, "lost_after", lists="unavailable")
    generation = await ask(harness, seed=seed)
    await asyncio.sleep(SEARCHED_FOR_S)
    harness.backend.lists = ("ok",)
    alone = await harness.get(generation)
    assert (alone.phase, len(harness.supervisor.tasks)) == (Phase.UNCONFIRMED, 0)
    return alone


async def held_jobs(harness: EngineHarness) -> list[str]:
    rows = (await harness.generations.listed(owner=LOCAL_OWNER)).items
    return sorted(row.job_id for row in rows if row.job_id is not None)


async def test_the_next_round_finds_it_and_it_arrives_by_itself_saying_how_late(
    harness: EngineHarness,
) -> None:
    generation = await unheard(harness)
    assert [each.id for each in await harness.reconciler.run_once()] == [generation.id]
    assert (await harness.get(generation)).phase is Phase.PROCESSING
    await asyncio.sleep(10)
    done = await harness.get(generation)
    assert done.phase is Phase.COMPLETED
    assert not done.unwanted
    assert done.receipt is not None
    assert done.receipt.late_s == pytest.approx(SEARCHED_FOR_S - 180, abs=10)
    assert harness.backend.paid(generation.id) == harness.backend.submits[generation.id] == 1
    assert await harness.reconciler.run_once() == []


async def test_rounds_come_at_the_start_and_every_hour(harness: EngineHarness) -> None:
    generation = await unheard(harness)
    harness.backend.lists = ("unavailable",)
    scrub = asyncio.create_task(harness.reconciler.run())
    await asyncio.sleep(EVERY_S - 10)
    asked, harness.backend.lists = harness.backend.listed_times, ("ok",)
    await asyncio.sleep(30)
    assert harness.backend.listed_times == asked + 1
    assert (await harness.get(generation)).phase is Phase.COMPLETED
    scrub.cancel()


async def test_a_stopped_one_that_was_taken_unheard_is_watched_as_paid_and_not_wanted(
    harness: EngineHarness,
) -> None:
    told(harness, "lost_after", lists="unavailable")
    generation = await ask(harness)
    await asyncio.sleep(0.005)
    await harness.generations.stop(generation.id, owner=LOCAL_OWNER)
    await asyncio.sleep(SEARCHED_FOR_S)
    harness.backend.lists = ("ok",)
    assert [each.phase for each in await harness.reconciler.run_once()] == [Phase.DROPPED]
    await asyncio.sleep(10)
    assert (await harness.get(generation)).unwanted


async def test_a_stopped_one_whose_answer_is_lost_is_looked_for_at_once(harness: EngineHarness) -> None:
    told(harness, "lost_after")
    generation = await ask(harness)
    await asyncio.sleep(0.005)
    await harness.generations.stop(generation.id, owner=LOCAL_OWNER)
    await asyncio.sleep(10)
    assert (await harness.get(generation)).unwanted


async def test_with_a_key_nothing_is_sent_again_after_the_stop(harness: EngineHarness) -> None:
    harness.backend.capabilities = Capabilities(idempotent=True, searchable=True)
    told(harness, "lost_before", "ok")
    generation = await ask(harness)
    await asyncio.sleep(0.02)
    await harness.generations.stop(generation.id, owner=LOCAL_OWNER)
    await asyncio.sleep(SEARCHED_FOR_S)
    assert harness.backend.submits[generation.id] == 1
    assert harness.backend.paid(generation.id) == 0


async def test_what_was_surely_not_sent_takes_nobodys_job(harness: EngineHarness) -> None:
    told(harness, "not_taken")
    waiting = await ask(harness)
    await asyncio.sleep(0.5)
    stopped = await harness.generations.stop(waiting.id, owner=LOCAL_OWNER)
    told(harness, "refused")
    refused = await ask(harness)
    await asyncio.sleep(1)
    taken = await unheard(harness)
    assert [each.id for each in await harness.reconciler.run_once()] == [taken.id]
    for other in (stopped, refused):
        assert (await harness.get(other)).job_id is None


async def test_a_refusal_after_a_lost_answer_leaves_the_first_one_to_be_found(harness: EngineHarness) -> None:
    harness.backend.capabilities = Capabilities(idempotent=True, searchable=True)
    told(harness, "lost_after", "refused")
    generation = await ask(harness)
    await asyncio.sleep(60)
    assert (await harness.get(generation)).phase is Phase.ERROR
    await harness.reconciler.run_once()
    await asyncio.sleep(10)
    assert (await harness.get(generation)).phase is Phase.COMPLETED


async def test_of_two_that_asked_for_the_same_neither_takes_the_others(harness: EngineHarness) -> None:
    told(harness, "lost_after", lists="unavailable")
    first = await ask(harness)
    await asyncio.sleep(1)
    told(harness, "lost_before", lists="unavailable")
    second = await ask(harness)
    await asyncio.sleep(SEARCHED_FOR_S)
    harness.backend.lists = ("ok",)
    assert await harness.reconciler.run_once() == []
    for each in (first, second):
        await harness.generations.check(each.id, owner=LOCAL_OWNER)
    await asyncio.sleep(SEARCHED_FOR_S)
    assert [(await harness.get(each)).phase for each in (first, second)] == [Phase.UNCONFIRMED] * 2


async def test_a_job_of_one_that_is_being_sent_is_left_to_it(harness: EngineHarness) -> None:
    """The list shows its job before its answer is here."""
    lost = await unheard(harness)
    harness.backend.jobs.clear()
    told(harness, "ok")
    submit = harness.backend.submit

    async def slow(generation: Generation, *, source: bytes | None = None) -> str:
        job_id = await submit(generation, source=source)
        await asyncio.sleep(20)
        return job_id

    harness.backend.submit = slow  # type: ignore[method-assign]
    sent = await ask(harness)
    await asyncio.sleep(1)
    assert await harness.reconciler.run_once() == []
    await asyncio.sleep(60)
    assert (await harness.get(sent)).phase is Phase.COMPLETED
    assert (await harness.get(lost)).phase is Phase.UNCONFIRMED


@pytest.mark.parametrize("ahead_s", [-DAY_S, DAY_S])
@pytest.mark.parametrize("tells", [True, False])
async def test_a_backend_whose_clock_is_a_day_off_hides_nothing(
    harness: EngineHarness, ahead_s: float, tells: bool
) -> None:
    harness.backend.clock_ahead_s, harness.backend.tells_its_clock = ahead_s, tells
    told(harness, "ok")
    for seed in (1, 2, 3):
        await ask(harness, seed=seed)
    await asyncio.sleep(10)
    generation = await unheard(harness)
    await harness.reconciler.run_once()
    await asyncio.sleep(10)
    assert (await harness.get(generation)).phase is Phase.COMPLETED


async def test_the_job_of_one_that_was_removed_for_good_is_nobodys(harness: EngineHarness) -> None:
    told(harness, "ok")
    first = await ask(harness)
    await asyncio.sleep(10)
    await harness.generations.delete(first.id, owner=LOCAL_OWNER)
    assert (await LibraryRows(harness.store, now=now).remove(owner="local")).ids == [first.id]
    told(harness, "lost_before", lists="unavailable")
    again = await ask(harness)
    await asyncio.sleep(SEARCHED_FOR_S)
    harness.backend.lists = ("ok",)
    assert await harness.reconciler.run_once() == []
    assert (await harness.get(again)).phase is Phase.UNCONFIRMED


async def test_one_listing_serves_all_and_none_is_asked_for_nothing(harness: EngineHarness) -> None:
    await harness.reconciler.run_once()
    assert harness.backend.listed_times == 0
    told(harness, "lost_after", lists="unavailable")
    for seed in range(20):
        await ask(harness, seed=seed)
    await asyncio.sleep(SEARCHED_FOR_S)
    harness.backend.lists, asked = ("ok",), harness.backend.listed_times
    assert len(await harness.reconciler.run_once()) == 20
    assert harness.backend.listed_times == asked + 1


async def test_a_long_list_is_read_back_to_when_it_was_sent_and_no_further(harness: EngineHarness) -> None:
    generation = await unheard(harness)
    old = replace(next(iter(harness.backend.jobs.values())), generation=replace(generation, id="old"))
    harness.backend.jobs = {
        f"old {number}": replace(old, id=f"old {number}", created_at=number) for number in range(1000)
    } | harness.backend.jobs
    before = harness.backend.listed_times
    assert [each.id for each in await harness.reconciler.run_once()] == [generation.id]
    assert harness.backend.listed_times == before + 1


async def test_a_list_that_cannot_be_had_is_told_in_a_sentence_and_asked_for_again(
    harness: EngineHarness, caplog: pytest.LogCaptureFixture
) -> None:
    generation = await unheard(harness)
    harness.backend.lists = ("unavailable",)
    with caplog.at_level(logging.WARNING):
        caplog.clear()
        assert await harness.reconciler.run_once() == []
    (told_once,) = caplog.records
    assert "no list now" in told_once.getMessage()
    assert told_once.exc_info is None
    harness.backend.lists = ("ok",)
    assert [each.id for each in await harness.reconciler.run_once()] == [generation.id]


async def test_a_list_that_fails_is_no_bug_of_the_search(harness: EngineHarness) -> None:
    generation = await unheard(harness)
    await harness.event_log.flush()
    assert len(harness.trace_entries(generation, "engine", "looking")) == 6
    assert harness.trace_entries(generation, "engine", "bug") == []


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


def watch_for(harness: EngineHarness, seconds: float) -> None:
    rhythm = harness.generations._rhythm
    rhythm._settings = rhythm._settings.model_copy(update={"watch_for_s": seconds})


async def test_what_was_given_up_in_silence_is_asked_about_every_hour_and_arrives(
    harness: EngineHarness,
) -> None:
    watch_for(harness, WATCHED_S)
    harness.backend._script = Script(length_s=WATCHED_S + EVERY_S / 2, streams=("refused",))
    generation = await ask(harness)
    scrub = asyncio.create_task(harness.reconciler.run())
    await asyncio.sleep(WATCHED_S + 60)
    assert (await harness.get(generation)).error_code == "gave_up"
    await asyncio.sleep(2 * EVERY_S)
    done = await harness.get(generation)
    assert done.phase is Phase.COMPLETED
    assert done.receipt is not None
    assert done.receipt.late_s is not None
    assert done.receipt.late_s > WATCHED_S
    scrub.cancel()


async def test_a_stopped_one_is_asked_about_after_its_watch_too(harness: EngineHarness) -> None:
    watch_for(harness, WATCHED_S)
    harness.backend._script = Script(length_s=WATCHED_S + EVERY_S / 2, streams=("refused",))
    generation = await ask(harness)
    await asyncio.sleep(1)
    await harness.generations.stop(generation.id, owner=LOCAL_OWNER)
    await asyncio.sleep(WATCHED_S + 60)
    assert len(harness.supervisor.tasks) == 0
    await asyncio.sleep(EVERY_S * 2)
    await harness.reconciler.run_once()
    await asyncio.sleep(1)
    assert (await harness.get(generation)).unwanted


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
