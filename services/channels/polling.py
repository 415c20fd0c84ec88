"""The poll channel: ask, on a rhythm that follows how far the stream can be trusted (C3, C7, R5, R7)."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from services.channels.poll_policy import UNAUTHORIZED_GAP_S, PollPolicy
from services.core.clock import monotonic
from services.core.errors import ChannelLost
from services.core.model import JobUpdate
from services.http.host_limiter import HostLimiter

JITTER = 0.05
ASKED_AGAIN_AFTER_S = 1.0
"""Checks that the stream asks for are this far apart, however often it asks."""
CLOCK_S = 1e-6
"""No wait is shorter: a loop may call what is due a clock's step early, and would do so for ever."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PollListener:
    """What the poll channel does and whom it tells."""

    ask: Callable[[], Awaitable[JobUpdate]]
    asking: Callable[[int | None, str], None]
    """Attempt number, or None with the reason of a check."""
    answered: Callable[[JobUpdate], None]
    lost: Callable[[ChannelLost], None]
    due: Callable[[float], None]
    """Seconds until the next attempt, told when it changes."""


class Polling:
    """Asks until cancelled. `late_at_s` is the loop's time of the "taking longer" message."""

    def __init__(
        self,
        policy: PollPolicy,
        listener: PollListener,
        host: HostLimiter,
        *,
        late_at_s: float,
        rng: random.Random,
    ) -> None:
        self.attempts = 0
        self._policy = policy
        self._mouth = listener
        self._host = host
        self._late_at = late_at_s
        self._rng = rng
        self._changed = asyncio.Event()
        self._because: str | None = None
        self._begun = self._last = monotonic()
        self._last_any = float("-inf")
        self._healthy = False
        self._unhealthy_since = self._begun + policy.healthy_within_s
        self._calm_asked = self._quick_asked = self._late_asked = 0
        self._not_before = float("-inf")
        self._spread = 0.0
        self._told_due = float("-inf")
        self._expected_by = float("inf")

    # -- what the race tells it ---------------------------------------------------------------

    def stream_healthy(self) -> None:
        """The stream has brought something about this job: the calm rhythm holds."""
        if not self._healthy:
            self._healthy = True
            self._changed.set()

    def stream_unhealthy(self) -> None:
        """The stream is gone: quicken. A stream that has been doubted all along stays so."""
        now = monotonic()
        if self._healthy or now < self._unhealthy_since:
            self._healthy = False
            self._unhealthy_since = now
            self._quick_asked = 0
            self._changed.set()

    def check(self, because: str) -> None:
        """Ask at once; not an attempt."""
        if self._because is None or because == "person":
            self._because = because
        self._changed.set()

    def expect_by(self, at_s: float) -> None:
        """Ask no later than that time of the loop, whatever the rhythm says."""
        self._expected_by = at_s
        self._changed.set()

    # -- the loop ----------------------------------------------------------------------------

    async def run(self) -> None:
        while True:
            await self._wait_until_due()
            await self._ask_once()

    @property
    def due_at(self) -> float:
        """The loop's time of the next attempt."""
        due = max(self._planned(), self._not_before)
        return min(due, self._expected_by) if self._expected_by > self._last_any else due

    async def _wait_until_due(self) -> None:
        while True:
            self._changed.clear()
            due = self._check_due() if self._because else self.due_at
            now = monotonic()
            if due <= now:
                return
            if self._because is None and abs(due - self._told_due) > 0.25:
                self._told_due = due
                self._mouth.due(due - now)
            try:
                async with asyncio.timeout_at(max(now + CLOCK_S, min(due, self._next_turn(now)))):
                    await self._changed.wait()
            except TimeoutError:
                pass

    async def _ask_once(self) -> None:
        because, self._because = self._because, None
        if because is None:
            self.attempts += 1
            self._count()
        self._mouth.asking(self.attempts if because is None else None, because or "")
        try:
            report = await self._mouth.ask()
        except ChannelLost as lost:
            self._hold(lost)
            self._asked(because)
            self._mouth.lost(lost)
        else:
            self._asked(because)
            self._mouth.answered(report)

    def _asked(self, because: str | None) -> None:
        self._last_any = monotonic()
        if because is None:
            self._last = self._last_any
            self._spread = self._rng.uniform(0, JITTER)

    def _hold(self, lost: ChannelLost) -> None:
        wait_s = UNAUTHORIZED_GAP_S if lost.reason == "unauthorized" else lost.retry_after_s
        if wait_s is not None:
            self._not_before = monotonic() + wait_s

    # -- the rhythm --------------------------------------------------------------------------

    def _planned(self) -> float:
        now = monotonic()
        if now >= self._late_at:
            gap = self._policy.late(self._late_asked, now - self._late_at)
            return max(self._last, self._late_at) + self._stretched(gap)
        if self._quick(now):
            gap = self._policy.quick(self._quick_asked)
            if self._quick_asked == 0 and self._unhealthy_since > self._begun:
                return max(self._unhealthy_since, self._last_any + self._policy.at_most_every_s)
            return max(self._unhealthy_since, self._last, self._last_any) + self._stretched(gap)
        return self._last + self._stretched(self._policy.calm(self._calm_asked))

    def _quick(self, now: float) -> bool:
        return not self._healthy and now >= self._unhealthy_since

    def _count(self) -> None:
        now = monotonic()
        if now >= self._late_at:
            self._late_asked += 1
        elif self._quick(now):
            self._quick_asked += 1
        else:
            self._calm_asked += 1

    def _stretched(self, gap_s: float) -> float:
        return self._host.stretch(gap_s) * (1 + self._spread)

    def _check_due(self) -> float:
        if self._because == "person":
            return float("-inf")
        if self._because == "asked":
            return max(self._not_before, self._last_any + ASKED_AGAIN_AFTER_S)
        return self._not_before

    def _next_turn(self, now: float) -> float:
        """When the rhythm itself changes: the end of waiting for trust, or the message."""
        turns = [at for at in (self._unhealthy_since, self._late_at) if at > now]
        return min(turns, default=float("inf"))
