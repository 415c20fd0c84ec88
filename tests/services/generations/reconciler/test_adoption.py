"""Jobs that were taken unheard are found in the backend's list and adopted."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

import pytest

from services.backends.base import Capabilities
from services.core.model import LOCAL_OWNER, Generation, Phase
from services.generations.reconciler import EVERY_S
from services.store.library import LibraryRows
from tests.support.engine_harness import EngineHarness
from tests.support.lost_answers import SEARCHED_FOR_S, ask, told, unheard
from tests.support.race_harness import now

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]
DAY_S = 86_400.0


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
