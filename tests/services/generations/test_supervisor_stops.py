"""A stop, before, while and after a job is sent."""

from __future__ import annotations

import asyncio

import pytest

from services.backends.scripted import Script
from services.core.model import LOCAL_OWNER, Phase
from tests.support.engine_harness import EngineHarness, after, set_script

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


async def test_a_stopped_one_is_dropped_and_its_late_result_is_kept_apart(harness: EngineHarness) -> None:
    generation = await harness.start()
    await asyncio.sleep(2)
    stopped = await harness.generations.stop(generation.id, owner=LOCAL_OWNER)
    assert stopped.phase is Phase.DROPPED
    arrived = await after(10, harness, generation)
    assert arrived.phase is Phase.COMPLETED
    assert arrived.unwanted


async def test_stop_before_anything_was_sent_costs_nothing(harness: EngineHarness) -> None:
    set_script(harness, Script(submits=("not_taken",)))
    generation = await harness.start()
    await asyncio.sleep(1)
    await harness.generations.stop(generation.id, owner=LOCAL_OWNER)
    ended = await after(600, harness, generation)
    assert ended.phase is Phase.DROPPED
    assert harness.backend.paid(generation.id) == 0


async def test_stop_while_it_is_being_sent_still_learns_the_job(harness: EngineHarness) -> None:
    generation = await harness.start()
    await asyncio.sleep(0.005)
    await harness.generations.stop(generation.id, owner=LOCAL_OWNER)
    ended = await after(10, harness, generation)
    assert ended.job_id is not None
    assert ended.unwanted


async def test_where_the_backend_can_cancel_it_is_told_and_the_watch_ends(harness: EngineHarness) -> None:
    set_script(harness, Script(length_s=60.0), cancel=True)
    generation = await harness.start()
    await asyncio.sleep(2)
    await harness.generations.stop(generation.id, owner=LOCAL_OWNER)
    await asyncio.sleep(60)
    assert len(harness.supervisor.tasks) == 0
    assert (await harness.get(generation)).phase is Phase.DROPPED


async def test_one_poll_that_does_not_know_a_stopped_job_does_not_lose_its_result(
    harness: EngineHarness,
) -> None:
    set_script(harness, Script(length_s=0.0, streams=("silent",), polls=("gone", "ok")))
    generation = await harness.start()
    await asyncio.sleep(0.005)
    await harness.generations.stop(generation.id, owner=LOCAL_OWNER)
    assert (await after(60, harness, generation)).unwanted


async def test_a_stopped_job_that_the_backend_no_longer_knows_is_not_watched_for_ever(
    harness: EngineHarness,
) -> None:
    set_script(harness, Script(length_s=9_999.0, polls=("gone",)))
    generation = await harness.start()
    await asyncio.sleep(1)
    await harness.generations.stop(generation.id, owner=LOCAL_OWNER)
    assert (await after(300, harness, generation)).phase is Phase.DROPPED
    assert len(harness.supervisor.tasks) == 0
