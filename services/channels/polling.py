"""The poll channel: its rhythm follows the health of the streams (R5, R7)."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Protocol

from services.channels.backoff import UNAUTHORIZED_GAP_S
from services.channels.poll_policy import PollPolicy
from services.core.errors import ChannelLost
from services.core.model import JobUpdate
from services.core.runtime import monotonic
from services.http.host_limiter import HostLimiter

JITTER = 0.05
CHECK_GAP_S = 1.0
"""Between two polls that a stream asked for."""
CLOCK_RESOLUTION_S = 1e-6
"""The shortest wait: a loop may fire a timer one clock tick early, which would spin."""


class PollListener(Protocol):
    """Called on the event loop; must not block."""

    def poll_due(self, in_s: float) -> None:
        """Whenever the time of the next attempt changes."""

    def poll_started(self, attempt: int | None, because: str) -> None:
        """`attempt` is None for a check, which has a reason instead."""

    def poll_answered(self, update: JobUpdate) -> None: ...

    def poll_lost(self, lost: ChannelLost) -> None: ...


class Polling:
    """Polls until cancelled. `late_at_s` is when the "taking longer" message is due, by the loop's clock."""

    def __init__(
        self,
        policy: PollPolicy,
        poll: Callable[[], Awaitable[JobUpdate]],
        listener: PollListener,
        host: HostLimiter,
        *,
        late_at_s: float,
        rng: random.Random,
    ) -> None:
        self.attempts = 0
        self._policy = policy
        self._poll = poll
        self._listener = listener
        self._host = host
        self._late_at = late_at_s
        self._rng = rng
        self._changed = asyncio.Event()
        self._because: str | None = None
        self._begun = self._last = monotonic()
        self._last_any = float("-inf")
        self._healthy = False
        self._unhealthy_since = self._begun + policy.healthy_within_s
        self._calm_count = self._quick_count = self._late_count = 0
        self._not_before = float("-inf")
        self._spread = 0.0
        self._announced_due = float("-inf")
        self._expected_by = float("inf")

    # -- what the race reports to it ---------------------------------------------------------------

    def stream_healthy(self) -> None:
        """A stream has reported on this job: the calm rhythm holds."""
        if not self._healthy:
            self._healthy = True
            self._changed.set()

    def stream_unhealthy(self) -> None:
        """No stream is healthy: quickens, unless none was healthy before."""
        now = monotonic()
        if self._healthy or now < self._unhealthy_since:
            self._healthy = False
            self._unhealthy_since = now
            self._quick_count = 0
            self._changed.set()

    def check(self, because: str) -> None:
        """Polls at once; not counted as an attempt."""
        if self._because is None or because == "person":
            self._because = because
        self._changed.set()

    def expect_by(self, at_s: float) -> None:
        """Polls no later than at that time of the loop, whatever the rhythm says."""
        self._expected_by = at_s
        self._changed.set()

    # -- the loop ----------------------------------------------------------------------------

    async def run(self) -> None:
        while True:
            await self._wait_until_due()
            await self._ask_once()

    @property
    def due_at(self) -> float:
        """When the next attempt is due, by the loop's clock."""
        due = max(self._planned(), self._not_before)
        return min(due, self._expected_by) if self._expected_by > self._last_any else due

    async def _wait_until_due(self) -> None:
        while True:
            self._changed.clear()
            due = self._check_due() if self._because else self.due_at
            now = monotonic()
            if due <= now:
                return
            if self._because is None and abs(due - self._announced_due) > 0.25:
                self._announced_due = due
                self._listener.poll_due(due - now)
            try:
                async with asyncio.timeout_at(max(now + CLOCK_RESOLUTION_S, min(due, self._next_turn(now)))):
                    await self._changed.wait()
            except TimeoutError:
                pass

    async def _ask_once(self) -> None:
        because, self._because = self._because, None
        if because is None:
            self.attempts += 1
            self._count()
        self._listener.poll_started(self.attempts if because is None else None, because or "")
        try:
            update = await self._poll()
        except ChannelLost as lost:
            self._hold_off(lost)
            self._record(because)
            self._listener.poll_lost(lost)
        else:
            self._record(because)
            self._listener.poll_answered(update)

    def _record(self, because: str | None) -> None:
        self._last_any = monotonic()
        if because is None:
            self._last = self._last_any
            self._spread = self._rng.uniform(0, JITTER)

    def _hold_off(self, lost: ChannelLost) -> None:
        wait_s = UNAUTHORIZED_GAP_S if lost.reason == "unauthorized" else lost.retry_after_s
        if wait_s is not None:
            self._not_before = monotonic() + wait_s

    # -- the rhythm --------------------------------------------------------------------------

    def _planned(self) -> float:
        now = monotonic()
        if now >= self._late_at:
            gap = self._policy.late(self._late_count, now - self._late_at)
            return max(self._last, self._late_at) + self._stretched(gap)
        if self._quick(now):
            gap = self._policy.quick(self._quick_count)
            if self._quick_count == 0 and self._unhealthy_since > self._begun:
                return max(self._unhealthy_since, self._last_any + self._policy.min_gap_s)
            return max(self._unhealthy_since, self._last, self._last_any) + self._stretched(gap)
        return self._last + self._stretched(self._policy.calm(self._calm_count))

    def _quick(self, now: float) -> bool:
        return not self._healthy and now >= self._unhealthy_since

    def _count(self) -> None:
        now = monotonic()
        if now >= self._late_at:
            self._late_count += 1
        elif self._quick(now):
            self._quick_count += 1
        else:
            self._calm_count += 1

    def _stretched(self, gap_s: float) -> float:
        return self._host.stretch(gap_s) * (1 + self._spread)

    def _check_due(self) -> float:
        if self._because == "person":
            return float("-inf")
        if self._because == "asked":
            return max(self._not_before, self._last_any + CHECK_GAP_S)
        return self._not_before

    def _next_turn(self, now: float) -> float:
        """When the rhythm itself changes: a stream counts as unhealthy, or the message is due."""
        turns = [at for at in (self._unhealthy_since, self._late_at) if at > now]
        return min(turns, default=float("inf"))
