"""Bytes that came whole but could not be verified complete a generation, once, whatever happens meanwhile."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from services.backends.scripted import Script, Scripted
from services.channels.race import SETTLE_S
from services.core.errors import DeliveryFailed
from services.core.model import LOCAL_OWNER, Generation, Phase
from services.store.library import LibraryRows
from tests.support.engine_harness import PROBLEM, EngineHarness, after, set_script
from tests.support.race_harness import now

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


@pytest_asyncio.fixture
async def harness(tmp_path: Path) -> AsyncIterator[EngineHarness]:
    harness = EngineHarness(tmp_path, Scripted(Script(length_s=4.0)))
    await harness.open()
    yield harness
    await harness.close()


def once_then_dead(number: int) -> str:
    return "a" if number == 1 else ""


async def assert_delivered_once(harness: EngineHarness, generation: Generation) -> Generation:
    row = await harness.get(generation)
    assert row.phase is Phase.COMPLETED
    assert row.kept is not None
    assert row.kept.problem == PROBLEM
    assert harness.ingest.files == {row.kept.name}
    assert harness.ingest.held == {}
    completed = {one.kept.name for one in harness.snapshots(generation) if one.kept is not None}
    assert completed == {row.kept.name}
    return row


async def test_the_same_bytes_twice_are_the_result(harness: EngineHarness) -> None:
    harness.ingest.unverified = lambda _: "a"
    generation = await harness.start()
    await after(10, harness, generation)
    row = await assert_delivered_once(harness, generation)
    assert (row.poster, row.preview) == (None, None)


async def test_a_link_that_dies_leaves_the_bytes_that_came(harness: EngineHarness) -> None:
    harness.ingest.unverified = once_then_dead
    generation = await harness.start()
    row = await after(20, harness, generation)
    assert (row.phase, row.stage) == (Phase.PROCESSING, "delivery_refused")
    await after(SETTLE_S, harness, generation)
    await assert_delivered_once(harness, generation)


async def test_the_reason_is_on_the_row_and_in_the_log_at_once(
    harness: EngineHarness, caplog: pytest.LogCaptureFixture
) -> None:
    harness.ingest.unverified = str
    with caplog.at_level(logging.WARNING):
        generation = await harness.start()
        row = await after(5, harness, generation)
    assert row.stage == "delivery_held:unknown"
    assert PROBLEM.reason in caplog.text
    (first, *_) = harness.trace_entries(generation, "engine", "keep_failed")
    assert (first.data["reason"], first.data["text"]) == ("unknown", PROBLEM.reason)


async def test_a_restart_finds_the_held_bytes_again(harness: EngineHarness) -> None:
    harness.ingest.unverified = once_then_dead
    generation = await harness.start()
    await after(10, harness, generation)
    await harness.crash()
    await harness.open()
    await after(SETTLE_S + 5, harness, generation)
    await assert_delivered_once(harness, generation)


@pytest.mark.parametrize("crashes", [3])
async def test_many_restarts_deliver_once(harness: EngineHarness, crashes: int) -> None:
    harness.ingest.unverified = lambda number: "a" if number in (1, 9) else ""
    generation = await harness.start()
    for _ in range(crashes):
        await after(6, harness, generation)
        await harness.crash()
        await harness.open()
    await after(SETTLE_S + 5, harness, generation)
    await assert_delivered_once(harness, generation)


async def test_a_job_that_is_said_to_have_failed_after_all_hands_over_what_came(
    harness: EngineHarness,
) -> None:
    harness.ingest.unverified = once_then_dead
    generation = await harness.start()
    await after(6, harness, generation)
    harness.backend.jobs[(await harness.get(generation)).job_id].script = Script(  # type: ignore[index]
        length_s=4.0, fails="lost"
    )
    await after(30, harness, generation)
    await assert_delivered_once(harness, generation)


async def test_the_end_of_the_watch_hands_over_what_came(harness: EngineHarness) -> None:
    harness.ingest.unverified = once_then_dead
    generation = await harness.start()
    await after(6, harness, generation)
    await harness.store.update(generation.id, watch_until=now() + 20.0)
    await harness.crash()
    await harness.open()
    await after(30, harness, generation)
    await assert_delivered_once(harness, generation)


async def test_what_was_stopped_hands_over_what_came_as_unwanted(harness: EngineHarness) -> None:
    set_script(harness, Script(length_s=10.0))
    harness.ingest.unverified = once_then_dead
    generation = await harness.start()
    await asyncio.sleep(3)
    await harness.generations.stop(generation.id, owner=LOCAL_OWNER)
    await after(10 + SETTLE_S, harness, generation)
    assert (await assert_delivered_once(harness, generation)).unwanted


async def test_what_a_crash_left_held_after_the_commit_is_let_go(harness: EngineHarness) -> None:
    done = await after(10, harness, await harness.start())
    harness.ingest.held = {done.id: ["a"], "removed-for-good": ["b"]}
    await harness.delivery.release_completed()
    assert harness.ingest.held == {}


async def test_no_poster_is_drawn_for_a_problem_at_each_start(harness: EngineHarness) -> None:
    harness.ingest.unverified = lambda _: "a"
    generation = await harness.start()
    await after(10, harness, generation)
    assert await harness.store.without_poster(finished_before=now()) == []
    kept = await LibraryRows(harness.store, now=now).kept_file(generation.id)
    assert kept == (await harness.get(generation)).kept


def above_the_limit(_: int) -> str | None:
    size = "The file has 3500 MB; this install takes at most 2048 (RUSHES_RESULT_LIMIT_MB)."
    raise DeliveryFailed(size, reason="too_large", stage="delivery_too_large:3500:2048")


async def test_a_restart_with_a_larger_limit_fetches_what_was_too_large(harness: EngineHarness) -> None:
    harness.ingest.unverified = above_the_limit
    generation = await harness.start()
    row = await after(300, harness, generation)
    assert (row.phase, row.stage) == (Phase.PROCESSING, "delivery_too_large:3500:2048")
    await harness.crash()
    harness.ingest.unverified = lambda _: None
    await harness.open()
    done = await after(5, harness, generation)
    assert done.phase is Phase.COMPLETED
    assert done.kept is not None
    assert done.kept.problem is None


async def test_the_end_of_the_watch_names_the_true_reason_and_a_later_check_still_fetches_it(
    harness: EngineHarness,
) -> None:
    harness.ingest.unverified = above_the_limit
    generation = await harness.start()
    await after(6, harness, generation)
    await harness.store.update(generation.id, watch_until=now() + 20.0)
    await harness.crash()
    await harness.open()
    row = await after(30, harness, generation)
    assert (row.phase, row.error_code) == (Phase.ERROR, "gave_up")
    assert "RUSHES_RESULT_LIMIT_MB" in row.error_text
    harness.ingest.unverified = lambda _: "a"
    await harness.generations.check(generation.id, owner=LOCAL_OWNER)
    await after(20, harness, generation)
    await assert_delivered_once(harness, generation)


async def test_a_check_after_the_end_whose_link_dies_hands_over_what_came(harness: EngineHarness) -> None:
    set_script(harness, Script(length_s=30.0))
    generation = await harness.start()
    await after(6, harness, generation)
    await harness.store.update(generation.id, watch_until=now() + 2.0)
    await harness.crash()
    await harness.open()
    assert (await after(40, harness, generation)).phase is Phase.ERROR
    harness.ingest.unverified = once_then_dead
    await harness.generations.check(generation.id, owner=LOCAL_OWNER)
    await after(20, harness, generation)
    await assert_delivered_once(harness, generation)
