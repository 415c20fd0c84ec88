"""Runs many combinations concurrently and collects the violations."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.matrix.environment import Environment, shorten_timeouts
from tests.matrix.invariants import (
    KINDS,
    WITHIN_S,
    Violation,
    leaked_secrets,
    leftover_files,
    open_handles,
    settle,
    violations,
)
from tests.matrix.plan import BACKENDS, BLIND, Combination
from tests.support.proof_counts import proven

AT_ONCE = 12
"""On each backend."""


async def run_combinations(
    combinations: Sequence[Combination],
    folder: Path,
    patch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> str:
    """The violations, one per line; counts them for the promise table."""
    shorten_timeouts(patch)
    handles, tasks = open_handles(), asyncio.all_tasks()
    environments = {name: Environment(folder / name, name, patch) for name in (*BACKENDS, BLIND)}
    mine = {name: [one for one in combinations if one.backend == name] for name in environments}
    with caplog.at_level(logging.INFO):
        found = await asyncio.gather(
            *(
                _run(environment, mine[name], caplog)
                for name, environment in environments.items()
                if mine[name]
            )
        )
    wrong = [each for some in found for each in some] + await _leaks(handles, tasks)
    count = Counter(each.what for each in wrong)
    proven("matrix", combinations=len(combinations), **{kind: count[kind] for kind in KINDS})
    return "\n".join(["", *sorted(each.text for each in wrong)]) if wrong else ""


async def _run(
    environment: Environment, combinations: list[Combination], caplog: pytest.LogCaptureFixture
) -> list[Violation]:
    wrong: list[Violation] = []
    turn = asyncio.Semaphore(AT_ONCE)

    async def run(one: Combination) -> None:
        async with turn:
            generation = await environment.start(one)
            if await settle(environment, generation, one) > WITHIN_S:
                wrong.append(Violation("lost", f"{one}: not settled after {WITHIN_S:.0f} s"))
            wrong.extend(await violations(environment, generation, one))

    async with environment.open():
        await asyncio.gather(*(run(one) for one in combinations))
        await _wait_for_posters()
        wrong += await leftover_files(environment)
    return wrong + leaked_secrets(environment, caplog.text)


async def _wait_for_posters() -> None:
    async with asyncio.timeout(60):
        while any(task.get_name().startswith("illustrate") for task in asyncio.all_tasks()):
            await asyncio.sleep(0.1)


async def _leaks(handles: set[str], tasks: set[asyncio.Task[object]]) -> list[Violation]:
    """Tasks and handles of this process that outlive the environments."""
    await asyncio.sleep(0.1)
    gc.collect()
    names = sorted(task.get_name() for task in asyncio.all_tasks() - tasks)
    opened = sorted(open_handles() - handles)
    return [Violation("left_over", f"left over: {each}") for each in (*names, *opened)]
