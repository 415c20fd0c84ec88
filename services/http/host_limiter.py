"""Manners toward one backend host: how many requests at once, and how often while it does not answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.core.clock import monotonic

AT_ONCE = 32
SUBMITS_AT_ONCE = 24
"""Slow submits and uploads never take all turns: polls go on."""
OPENS_AFTER_S = 30.0
STRETCHES_TO_S = 10.0


class HostLimiter:
    """A semaphore and a circuit breaker; it stretches the gaps between polls and fails nothing."""

    def __init__(self, name: str, *, at_once: int = AT_ONCE) -> None:
        self.name = name
        self._requests = asyncio.Semaphore(at_once)
        self._submits = asyncio.Semaphore(SUBMITS_AT_ONCE)
        self._silent_since: float | None = None
        self._quiet_until = 0.0
        self._behind: set[object] = set()
        self._caught_up = asyncio.Event()

    @asynccontextmanager
    async def request(self) -> AsyncIterator[None]:
        async with self._requests:
            yield

    @asynccontextmanager
    async def submit(self) -> AsyncIterator[None]:
        async with self._submits, self._requests:
            yield

    def fall_behind(self, job: object) -> None:
        """A job that was resumed and not asked about yet."""
        self._behind.add(job)
        self._caught_up.clear()

    def catch_up(self, job: object) -> None:
        """It was asked about, or is not watched any more."""
        self._behind.discard(job)
        if not self._behind:
            self._caught_up.set()

    async def caught_up(self) -> None:
        """Until every resumed job was asked about."""
        if self._behind:
            await self._caught_up.wait()

    def answered(self) -> None:
        self._silent_since = None

    def unanswered(self) -> None:
        if self._silent_since is None:
            self._silent_since = monotonic()

    @property
    def open_circuit(self) -> bool:
        return self._silent_since is not None and monotonic() - self._silent_since >= OPENS_AFTER_S

    def stretch(self, gap_s: float) -> float:
        """The gap to wait before the next poll: at least 10 s while nothing of the host answers."""
        return max(gap_s, STRETCHES_TO_S) if self.open_circuit else gap_s

    def hold_submits(self, for_s: float) -> None:
        """A `Retry-After` on a submit holds for the whole host."""
        self._quiet_until = max(self._quiet_until, monotonic() + for_s)

    @property
    def submits_held_s(self) -> float:
        return max(0.0, self._quiet_until - monotonic())
