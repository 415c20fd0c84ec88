"""Waits for a condition, in real or virtual time, instead of reading it once."""

from __future__ import annotations

import asyncio
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


async def equals(read: Callable[[], T], wanted: T, within_s: float = WITHIN_S) -> None:
    """Waits until `read` returns what is wanted; fails with what it returns instead."""
    try:
        await eventually(lambda: read() == wanted, within_s)
    except AssertionError:
        assert read() == wanted
