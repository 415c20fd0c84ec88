"""Many combinations at a time, and what did not hold."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.matrix.environment import Ground, hasten
from tests.matrix.invariants import (
    KINDS,
    WITHIN_S,
    Wrong,
    come_to_rest,
    left_behind,
    open_handles,
    told_secrets,
    wrongs,
)
from tests.matrix.plan import BACKENDS, BLIND, Combination
from tests.support.proof_counts import proven

AT_ONCE = 12
"""On each backend."""


async def played(
    tried: Sequence[Combination], folder: Path, patch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> str:
    """All that did not hold, a line each; counted for the promise table."""
    hasten(patch)
    handles, tasks = open_handles(), asyncio.all_tasks()
    grounds = {name: Ground(folder / name, name, patch) for name in (*BACKENDS, BLIND)}
    mine = {name: [one for one in tried if one.backend == name] for name in grounds}
    with caplog.at_level(logging.INFO):
        found = await asyncio.gather(
            *(_play(ground, mine[name], caplog) for name, ground in grounds.items() if mine[name])
        )
    wrong = [each for some in found for each in some] + await _left(handles, tasks)
    count = Counter(each.what for each in wrong)
    proven("matrix", combinations=len(tried), **{kind: count[kind] for kind in KINDS})
    return "\n".join(["", *sorted(each.text for each in wrong)]) if wrong else ""


async def _play(ground: Ground, tried: list[Combination], caplog: pytest.LogCaptureFixture) -> list[Wrong]:
    wrong: list[Wrong] = []
    turn = asyncio.Semaphore(AT_ONCE)

    async def play(one: Combination) -> None:
        async with turn:
            generation = await ground.start(one)
            if await come_to_rest(ground, generation, one) > WITHIN_S:
                wrong.append(Wrong("lost", f"{one}: not at rest after {WITHIN_S:.0f} s"))
            wrong.extend(await wrongs(ground, generation, one))

    async with ground.open():
        await asyncio.gather(*(play(one) for one in tried))
        await _posters_are_drawn()
        wrong += await left_behind(ground)
    return wrong + told_secrets(ground, caplog.text)


async def _posters_are_drawn() -> None:
    async with asyncio.timeout(60):
        while any(task.get_name().startswith("illustrate") for task in asyncio.all_tasks()):
            await asyncio.sleep(0.1)


async def _left(handles: set[str], tasks: set[asyncio.Task[object]]) -> list[Wrong]:
    """Of this process, when all is closed."""
    await asyncio.sleep(0.1)
    gc.collect()
    names = sorted(task.get_name() for task in asyncio.all_tasks() - tasks)
    opened = sorted(open_handles() - handles)
    return [Wrong("left_over", f"left over: {each}") for each in (*names, *opened)]
