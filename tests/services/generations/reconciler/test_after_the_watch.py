"""What was given up or stopped is asked about every hour."""

from __future__ import annotations

import asyncio

import pytest

from services.backends.scripted import Script
from services.core.model import LOCAL_OWNER, Phase
from services.generations.reconciler import EVERY_S
from tests.support.engine_harness import EngineHarness
from tests.support.lost_answers import ask

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]
WATCHED_S = 7200.0


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
