"""Who watches what, when processes stand still, machines sleep and watchers are cut off: in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from services.backends.base import Capabilities
from services.backends.scripted import Script, Scripted
from services.core.errors import StoreFailed
from services.core.model import Generation, Phase
from services.generations.supervisor import RENEWALS_IN_A_LEASE
from services.store.jobs import JobRows
from services.store.store import LEASE_S, Store
from tests.support.engine_harness import House
from tests.support.race_harness import now

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]
ROUND_S = LEASE_S / RENEWALS_IN_A_LEASE + 0.1


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    house = House(tmp_path, Scripted(Script(length_s=100.0)))
    await house.open()
    yield house
    await house.close()


@pytest_asyncio.fixture
async def other(house: House, tmp_path: Path) -> AsyncIterator[Store]:
    """Another process's store on the same database."""
    other = Store(f"sqlite:///{tmp_path / 'rushes.db'}", process="other", now=now, inline=True)
    await other.open()
    yield other
    await other.close()


async def started(house: House) -> Generation:
    """With leases kept, as main does; in the test, as a fixture's clock is another one."""
    house.leases = asyncio.create_task(house.watching.keep_leases())  # type: ignore[attr-defined]
    return await house.start()


def watcher_of(generation: Generation) -> asyncio.Task[object]:
    (task,) = (task for task in asyncio.all_tasks() if task.get_name() == f"watch {generation.id}")
    return task


# -- in the store ---------------------------------------------------------------------------------


async def test_a_row_of_a_living_process_is_not_claimed_by_another(house: House, other: Store) -> None:
    generation = await started(house)
    await asyncio.sleep(3 * LEASE_S)
    assert await other.claim(generation.id) == []
    held = await other.renew()
    assert (held.ours, held.claimed) == (frozenset(), [])
    assert held.taken == {generation.id}


async def test_what_a_process_that_stands_still_has_let_run_out_is_claimed(
    house: House, other: Store
) -> None:
    generation = await started(house)
    await asyncio.sleep(1)
    await house.crash()
    await asyncio.sleep(LEASE_S - 2)
    assert (await other.renew()).claimed == []
    await asyncio.sleep(2)
    (claimed,) = (await other.renew()).claimed
    assert (claimed.id, claimed.epoch) == (generation.id, 1)
    assert (await other.renew()).ours == {generation.id}
    await house.open()


async def test_a_stopped_one_that_may_still_arrive_keeps_its_lease(house: House, other: Store) -> None:
    generation = await started(house)
    await asyncio.sleep(1)
    await house.generations.stop(generation.id)
    await asyncio.sleep(LEASE_S + ROUND_S)
    assert (await other.renew()).claimed == []


async def test_the_job_that_was_paid_for_is_told_once_whosever_the_row_is(house: House, other: Store) -> None:
    house.backend._script = Script(submits=("lost_before",))
    generation = await started(house)
    await asyncio.sleep(1)
    told = await JobRows(other, now=now).tell(generation.id, "job")
    assert told is not None
    assert told.job_id == "job"
    assert await JobRows(other, now=now).tell(generation.id, "another job") is None


# -- the watchers ---------------------------------------------------------------------------------


async def test_what_another_process_has_claimed_is_let_go_without_a_word(house: House, other: Store) -> None:
    generation = await started(house)
    await asyncio.sleep(85)
    await other.claim()
    await asyncio.sleep(ROUND_S)
    assert house.watching.open_count == 0
    told = len(house.heard(generation))
    await asyncio.sleep(15)
    assert len(house.heard(generation)) == told
    assert house.heard(generation)[-1].phase is not Phase.COMPLETED
    assert house.bytes._made == 0


async def test_what_another_process_has_let_run_out_is_watched_to_its_end(house: House, other: Store) -> None:
    generation = await started(house)
    await asyncio.sleep(1)
    await other.claim()
    await asyncio.sleep(LEASE_S + ROUND_S + 101)
    assert (await house.get(generation)).phase is Phase.COMPLETED
    assert house.backend.paid(generation.id) == 1


async def test_a_watcher_that_somebody_cut_off_is_replaced(house: House) -> None:
    generation = await started(house)
    await asyncio.sleep(1)
    watcher_of(generation).cancel()
    await asyncio.sleep(ROUND_S)
    assert house.watching.open_count == 1
    await asyncio.sleep(101)
    assert (await house.get(generation)).phase is Phase.COMPLETED
    assert house.backend.paid(generation.id) == 1


async def test_an_intent_whose_start_was_cut_off_is_watched_all_the_same(house: House) -> None:
    def broken(_: Generation, **__: bool) -> None:
        raise ZeroDivisionError

    watch, house.watching.watch = house.watching.watch, broken  # type: ignore[method-assign]
    with pytest.raises(ZeroDivisionError):
        await started(house)
    house.watching.watch = watch  # type: ignore[method-assign]
    (row,) = (await house.generations.recent()).items
    await asyncio.sleep(ROUND_S + 101)
    assert (await house.get(row)).phase is Phase.COMPLETED
    assert house.backend.paid(row.id) == 1


async def test_what_waits_for_a_persons_word_is_not_taken_up_again_and_again(house: House) -> None:
    house.backend._script = Script(submits=("lost_before",))
    generation = await started(house)
    await asyncio.sleep(20 * ROUND_S)
    row = await house.get(generation)
    assert (row.phase, row.epoch) == (Phase.UNCONFIRMED, 0)


async def test_after_a_sleep_of_the_machine_every_row_is_read_again_and_asked_about(house: House) -> None:
    house.backend._script = Script(length_s=100.0, streams=("dead",))
    generation = await started(house)
    await asyncio.sleep(60)
    (job,) = house.backend.jobs.values()
    asleep_s = 7200.0
    job.begun -= asleep_s
    house.watching._now = house.store._now = lambda: now() + asleep_s
    await asyncio.sleep(ROUND_S + 1)
    done = await house.get(generation)
    assert (done.phase, done.epoch) == (Phase.COMPLETED, 1)
    assert house.backend.paid(generation.id) == 1


async def test_a_sleep_in_the_middle_of_a_renewal_is_noticed_too(house: House) -> None:
    generation, renew = await started(house), house.store.renew

    async def sleeps() -> object:
        house.store.renew = renew  # type: ignore[method-assign]
        house.watching._now = house.store._now = lambda: now() + 2 * LEASE_S
        return await renew()

    await asyncio.sleep(1)
    house.store.renew = sleeps  # type: ignore[assignment,method-assign]
    await asyncio.sleep(2 * ROUND_S)
    assert (await house.get(generation)).epoch == 1


async def test_an_ordinary_round_reads_nothing_again(house: House) -> None:
    generation = await started(house)
    await asyncio.sleep(5 * ROUND_S)
    assert (await house.get(generation)).epoch == 0


# -- submits --------------------------------------------------------------------------------------


async def test_a_machine_that_slept_before_it_sent_asks_first_whose_the_row_is(
    house: House, other: Store
) -> None:
    submitting = house.watching._submitting
    asleep_s = LEASE_S + 1

    def sleep(point: str) -> None:
        if point == "before_submit":
            other._writer._connection.exec_driver_sql(
                "UPDATE generations SET lease_owner = 'other', epoch = 1"
            )  # type: ignore[union-attr]
            other._writer._connection.commit()  # type: ignore[union-attr]
            submitting._now = lambda: now() + asleep_s

    submitting._checkpoint = sleep
    generation = await started(house)
    await asyncio.sleep(5)
    assert house.backend.submits[generation.id] == 0
    assert (await house.get(generation)).phase is Phase.SUBMITTING


async def test_a_search_that_breaks_is_tried_again_and_is_no_bug(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    house.backend._script = Script(submits=("lost_after",))
    house.backend.capabilities = Capabilities(searchable=True)
    house.backend.lists = ("unavailable", "ok")
    generation = await started(house)
    await asyncio.sleep(20)
    assert (await house.get(generation)).phase is Phase.COMPLETED
    assert "failed; it begins again" not in caplog.text


# -- bytes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("committed", [False, True])
async def test_bytes_whose_commit_failed_are_committed_again_and_not_fetched_again(
    house: House, committed: bool
) -> None:
    house.backend._script = Script(length_s=1.0)
    complete, broken = house.store.complete, iter([True, False])

    async def breaks(*args: object, **named: object) -> Generation | None:
        if not next(broken, False):
            return await complete(*args, **named)  # type: ignore[arg-type]
        if committed:
            await complete(*args, **named)  # type: ignore[arg-type]
        raise StoreFailed("The disk is gone.")

    house.store.complete = breaks  # type: ignore[method-assign]
    generation = await started(house)
    await asyncio.sleep(30)
    done = await house.get(generation)
    assert done.kept is not None
    assert house.bytes.files == {done.kept.name}
    assert house.bytes._made == 1


@pytest.mark.parametrize("name", ["keep push", "poll", "push"])
async def test_a_part_of_the_race_that_is_cut_off_has_the_race_begin_again(house: House, name: str) -> None:
    house.backend._script = Script(length_s=5.0)
    house.bytes.download_s = 2.0
    generation = await started(house)
    await asyncio.sleep(6.0 if name == "keep push" else 1.0)
    (part,) = (task for task in asyncio.all_tasks() if task.get_name().endswith(name))
    part.cancel()
    await asyncio.sleep(20)
    assert (await house.get(generation)).phase is Phase.COMPLETED
    assert house.bytes.files == {(await house.get(generation)).kept.name}  # type: ignore[union-attr]
