"""Generations whose submit was taken and whose answer was lost."""

from __future__ import annotations

import asyncio

from services.backends.scripted import Script
from services.core.model import Generation, Phase
from tests.support.engine_harness import EngineHarness

SEARCHED_FOR_S = 300.0
"""By then the search that follows a lost answer has ended."""


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
