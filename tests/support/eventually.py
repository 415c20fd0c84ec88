"""Waits for a condition, in real or virtual time, instead of reading it once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

WITHIN_S = 10.0

T = TypeVar("T")


async def eventually(condition: Callable[[], object], within_s: float = WITHIN_S) -> None:
    """Returns when it holds. Raises AssertionError after `within_s`."""
    clock = asyncio.get_running_loop()
    deadline = clock.time() + within_s
    while not condition():
        assert clock.time() < deadline, f"It did not come true within {within_s:g} s."
        await asyncio.sleep(0.02)


async def equals(read: Callable[[], T], expected: T, within_s: float = WITHIN_S) -> None:
    """Waits until `read` returns what is expected; fails with what it returns instead."""
    try:
        await eventually(lambda: read() == expected, within_s)
    except AssertionError:
        assert read() == expected


def wait_until(condition: Callable[[], object], within_s: float = WITHIN_S) -> None:
    """The same for a test without an event loop. Raises AssertionError after `within_s`."""
    assert holds_within(condition, within_s), f"It did not come true within {within_s:g} s."


def holds_within(condition: Callable[[], object], within_s: float, *, every_s: float = 0.02) -> bool:
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(every_s)
    return True
