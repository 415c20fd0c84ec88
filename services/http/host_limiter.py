"""Per-host concurrency limit and circuit breaker."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.core.runtime import monotonic

MAX_REQUESTS = 32
MAX_SUBMITS = 24
"""Leaves room for polls while submits and uploads are slow."""
OPEN_AFTER_S = 30.0
OPEN_POLL_GAP_S = 10.0


class HostLimiter:
    """Limits concurrent requests; an open circuit widens the gaps between polls and fails nothing."""

    def __init__(self) -> None:
        self._requests = asyncio.Semaphore(MAX_REQUESTS)
        self._submits = asyncio.Semaphore(MAX_SUBMITS)
        self._silent_since: float | None = None
        self._held_until = 0.0
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
        """Marks a resumed job as not polled yet."""
        self._behind.add(job)
        self._caught_up.clear()

    def catch_up(self, job: object) -> None:
        """Marks a job as polled, or as no longer watched."""
        self._behind.discard(job)
        if not self._behind:
            self._caught_up.set()

    async def caught_up(self) -> None:
        """Waits until every resumed job was polled."""
        if self._behind:
            await self._caught_up.wait()

    def answered(self) -> None:
        self._silent_since = None

    def unanswered(self) -> None:
        if self._silent_since is None:
            self._silent_since = monotonic()

    def stretch(self, gap_s: float) -> float:
        """Returns the gap before the next poll: at least 10 s while the circuit is open."""
        is_open = self._silent_since is not None and monotonic() - self._silent_since >= OPEN_AFTER_S
        return max(gap_s, OPEN_POLL_GAP_S) if is_open else gap_s

    def hold_submits(self, for_s: float) -> None:
        """Holds all of the host's submits back, as its `Retry-After` asked."""
        self._held_until = max(self._held_until, monotonic() + for_s)

    @property
    def submits_held_s(self) -> float:
        return max(0.0, self._held_until - monotonic())
