"""Who watches what, when processes stand still, machines sleep and watchers are cut off: in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from services.backends.base import Capabilities
from services.backends.scripted import Script, Scripted
from services.core.errors import StoreFailed
from services.core.model import LOCAL_OWNER, Generation, Phase
from services.generations.supervisor import RENEWALS_IN_A_LEASE
from services.store.jobs import JobRows
from services.store.store import LEASE_S, Store
from tests.support.engine_harness import EngineHarness
from tests.support.race_harness import now

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]
ROUND_S = LEASE_S / RENEWALS_IN_A_LEASE + 0.1


@pytest_asyncio.fixture
async def harness(tmp_path: Path) -> AsyncIterator[EngineHarness]:
    harness = EngineHarness(tmp_path, Scripted(Script(length_s=100.0)))
    await harness.open()
    yield harness
    await harness.close()


@pytest_asyncio.fixture
async def other(harness: EngineHarness, tmp_path: Path) -> AsyncIterator[Store]:
    """Another process's store on the same database."""
    other = Store(f"sqlite:///{tmp_path / 'rushes.db'}", process="other", now=now, inline=True)
    await other.open()
    yield other
    await other.close()


async def started(harness: EngineHarness) -> Generation:
    """With leases kept, as main does; in the test, as a fixture's clock is another one."""
    harness.leases = asyncio.create_task(harness.supervisor.keep_leases())  # type: ignore[attr-defined]
    return await harness.start()


def watcher_of(generation: Generation) -> asyncio.Task[object]:
    (task,) = (task for task in asyncio.all_tasks() if task.get_name() == f"watch {generation.id}")
    return task


# -- in the store ---------------------------------------------------------------------------------


async def test_a_row_of_a_living_process_is_not_claimed_by_another(
    harness: EngineHarness, other: Store
) -> None:
    generation = await started(harness)
    await asyncio.sleep(3 * LEASE_S)
    assert await other.claim(generation.id) == []
    held = await other.renew()
    assert (held.renewed, held.claimed) == (frozenset(), [])
    assert held.held_elsewhere == {generation.id}


async def test_what_a_process_that_stands_still_has_let_run_out_is_claimed(
    harness: EngineHarness, other: Store
) -> None:
    generation = await started(harness)
    await asyncio.sleep(1)
    await harness.crash()
    await asyncio.sleep(LEASE_S - 2)
    assert (await other.renew()).claimed == []
    await asyncio.sleep(2)
    (claimed,) = (await other.renew()).claimed
    assert (claimed.id, claimed.epoch) == (generation.id, 1)
    assert (await other.renew()).renewed == {generation.id}
    await harness.open()


async def test_a_stopped_one_that_may_still_arrive_keeps_its_lease(
    harness: EngineHarness, other: Store
) -> None:
    generation = await started(harness)
    await asyncio.sleep(1)
    await harness.generations.stop(generation.id, owner=LOCAL_OWNER)
    await asyncio.sleep(LEASE_S + ROUND_S)
    assert (await other.renew()).claimed == []


async def test_the_job_that_was_paid_for_is_told_once_whosever_the_row_is(
    harness: EngineHarness, other: Store
) -> None:
    harness.backend._script = Script(submits=("lost_before",))
    generation = await started(harness)
    await asyncio.sleep(1)
    told = await JobRows(other, now=now).record_job(generation.id, "job")
    assert told is not None
    assert told.job_id == "job"
    assert await JobRows(other, now=now).record_job(generation.id, "another job") is None


# -- the watchers ---------------------------------------------------------------------------------


async def test_what_another_process_has_claimed_is_let_go_without_a_word(
    harness: EngineHarness, other: Store
) -> None:
    generation = await started(harness)
    await asyncio.sleep(85)
    await other.claim()
    await asyncio.sleep(ROUND_S)
    assert len(harness.supervisor.tasks) == 0
    told = len(harness.snapshots(generation))
    await asyncio.sleep(15)
    assert len(harness.snapshots(generation)) == told
    assert harness.snapshots(generation)[-1].phase is not Phase.COMPLETED
    assert harness.ingest.downloads == 0


async def test_what_another_process_has_let_run_out_is_watched_to_its_end(
    harness: EngineHarness, other: Store
) -> None:
    generation = await started(harness)
    await asyncio.sleep(1)
    await other.claim()
    await asyncio.sleep(LEASE_S + ROUND_S + 101)
    assert (await harness.get(generation)).phase is Phase.COMPLETED
    assert harness.backend.paid(generation.id) == 1


async def test_a_watcher_that_somebody_cut_off_is_replaced(harness: EngineHarness) -> None:
    generation = await started(harness)
    await asyncio.sleep(1)
    watcher_of(generation).cancel()
    await asyncio.sleep(ROUND_S)
    assert len(harness.supervisor.tasks) == 1
    await asyncio.sleep(101)
    assert (await harness.get(generation)).phase is Phase.COMPLETED
    assert harness.backend.paid(generation.id) == 1


async def test_an_intent_whose_start_was_cut_off_is_watched_all_the_same(harness: EngineHarness) -> None:
    def broken(_: Generation, **__: bool) -> None:
        raise ZeroDivisionError

    watch, harness.supervisor.watch = harness.supervisor.watch, broken  # type: ignore[method-assign]
    with pytest.raises(ZeroDivisionError):
        await started(harness)
    harness.supervisor.watch = watch  # type: ignore[method-assign]
    (row,) = (await harness.generations.listed(owner=LOCAL_OWNER)).items
    await asyncio.sleep(ROUND_S + 101)
    assert (await harness.get(row)).phase is Phase.COMPLETED
    assert harness.backend.paid(row.id) == 1


async def test_what_waits_for_a_persons_word_is_not_taken_up_again_and_again(harness: EngineHarness) -> None:
    harness.backend._script = Script(submits=("lost_before",))
    generation = await started(harness)
    await asyncio.sleep(20 * ROUND_S)
    row = await harness.get(generation)
    assert (row.phase, row.epoch) == (Phase.UNCONFIRMED, 0)


async def test_after_a_sleep_of_the_machine_every_row_is_read_again_and_asked_about(
    harness: EngineHarness,
) -> None:
    harness.backend._script = Script(length_s=100.0, streams=("dead",))
    generation = await started(harness)
    await asyncio.sleep(60)
    (job,) = harness.backend.jobs.values()
    asleep_s = 7200.0
    job.begun -= asleep_s
    shift_clock(harness, asleep_s)
    await asyncio.sleep(ROUND_S + 1)
    done = await harness.get(generation)
    assert (done.phase, done.epoch) == (Phase.COMPLETED, 1)
    assert harness.backend.paid(generation.id) == 1


async def test_a_sleep_in_the_middle_of_a_renewal_is_noticed_too(harness: EngineHarness) -> None:
    generation, renew = await started(harness), harness.store.renew

    async def sleeps() -> object:
        harness.store.renew = renew  # type: ignore[method-assign]
        shift_clock(harness, 2 * LEASE_S)
        return await renew()

    await asyncio.sleep(1)
    harness.store.renew = sleeps  # type: ignore[assignment,method-assign]
    await asyncio.sleep(2 * ROUND_S)
    assert (await harness.get(generation)).epoch == 1


async def test_an_ordinary_round_reads_nothing_again(harness: EngineHarness) -> None:
    generation = await started(harness)
    await asyncio.sleep(5 * ROUND_S)
    assert (await harness.get(generation)).epoch == 0


def shift_clock(harness: EngineHarness, by_s: float) -> None:
    supervisor = harness.supervisor
    harness.store._now = lambda: now() + by_s
    supervisor._runtime = replace(supervisor._runtime, now=harness.store._now)


# -- submits --------------------------------------------------------------------------------------


async def test_a_machine_that_slept_before_it_sent_asks_first_whose_the_row_is(
    harness: EngineHarness, other: Store
) -> None:
    submission = harness.supervisor._submission
    asleep_s = LEASE_S + 1

    def sleep(point: str) -> None:
        if point == "before_submit":
            other._writer._connection.exec_driver_sql(
                "UPDATE generations SET lease_owner = 'other', epoch = 1"
            )  # type: ignore[union-attr]
            other._writer._connection.commit()  # type: ignore[union-attr]
            submission._runtime = replace(submission._runtime, now=lambda: now() + asleep_s)

    submission._runtime = replace(submission._runtime, checkpoint=sleep)
    generation = await started(harness)
    await asyncio.sleep(5)
    assert harness.backend.submits[generation.id] == 0
    assert (await harness.get(generation)).phase is Phase.SUBMITTING


async def test_a_search_that_breaks_is_tried_again_and_is_no_bug(
    harness: EngineHarness, caplog: pytest.LogCaptureFixture
) -> None:
    harness.backend._script = Script(submits=("lost_after",))
    harness.backend.capabilities = Capabilities(searchable=True)
    harness.backend.lists = ("unavailable", "ok")
    generation = await started(harness)
    await asyncio.sleep(20)
    assert (await harness.get(generation)).phase is Phase.COMPLETED
    assert "failed; it begins again" not in caplog.text


# -- bytes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("committed", [False, True])
async def test_bytes_whose_commit_failed_are_committed_again_and_not_fetched_again(
    harness: EngineHarness, committed: bool
) -> None:
    harness.backend._script = Script(length_s=1.0)
    complete, broken = harness.store.complete, iter([True, False])

    async def breaks(*args: object, **named: object) -> Generation | None:
        if not next(broken, False):
            return await complete(*args, **named)  # type: ignore[arg-type]
        if committed:
            await complete(*args, **named)  # type: ignore[arg-type]
        raise StoreFailed("The disk is gone.")

    harness.store.complete = breaks  # type: ignore[method-assign]
    generation = await started(harness)
    await asyncio.sleep(30)
    done = await harness.get(generation)
    assert done.kept is not None
    assert harness.ingest.files == {done.kept.name}
    assert harness.ingest.downloads == 1


@pytest.mark.parametrize("name", ["deliver push", "poll", "push"])
async def test_a_part_of_the_race_that_is_cut_off_has_the_race_begin_again(
    harness: EngineHarness, name: str
) -> None:
    harness.backend._script = Script(length_s=5.0)
    harness.ingest.download_s = 2.0
    generation = await started(harness)
    await asyncio.sleep(6.0 if name == "deliver push" else 1.0)
    (part,) = (task for task in asyncio.all_tasks() if task.get_name().endswith(name))
    part.cancel()
    await asyncio.sleep(20)
    assert (await harness.get(generation)).phase is Phase.COMPLETED
    assert harness.ingest.files == {(await harness.get(generation)).kept.name}  # type: ignore[union-attr]
