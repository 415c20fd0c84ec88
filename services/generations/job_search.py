"""Looks through a backend's list for jobs of ours that we do not know."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from services.backends.base import Backend
from services.backends.job_listing import ListedJob
from services.core.model import Kind
from services.generations.job_matching import CLOCKS_DIFFER_S, Clock, clock_of, own_jobs, sent_between
from services.store.jobs import JobRows

MOST_PAGES = 10
LOOK_BACK_S = 7 * 86_400.0
"""What was sent earlier is not looked for any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    jobs: list[ListedJob]
    clock: Clock
    known_since: float
    """By our clock: younger ones are all in the list."""


@dataclass(slots=True)
class _Turns:
    """Listings of one backend and kind, one after the other, by number."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    begun: int = 0
    last_begun: int = 0
    last: dict[str, str] = field(default_factory=dict)


class JobSearch:
    def __init__(self, rows: JobRows, *, now: Callable[[], float] = time.time) -> None:
        self._rows = rows
        self._now = now
        self._turns: defaultdict[tuple[str, Kind], _Turns] = defaultdict(_Turns)

    async def found(self, backend: Backend, kind: Kind) -> dict[str, str]:
        """By generation: the job that can only be its own. One listing, however many are looked for: who asks
        while one is under way waits for the next, and shares it. Two hundred unconfirmed at a start would
        else read two hundred times the same pages.

        Raises BackendError, ChannelLost.
        """
        turns = self._turns[backend.name, kind]
        begun = turns.begun
        async with turns.lock:
            if turns.last_begun > begun:
                return turns.last
            turns.begun += 1
            mine = turns.begun
            turns.last = await self._find(backend, kind)
            turns.last_begun = mine
            return turns.last

    async def _find(self, backend: Backend, kind: Kind) -> dict[str, str]:
        since = self._now() - LOOK_BACK_S
        intents = await self._rows.unsure(backend.name, kind, since=since)
        if not intents:
            return {}
        now, keyed = self._now(), backend.capabilities.keyed
        back_to = min(sent_between(each, now=now, keyed=keyed)[0] for each in intents)
        seen = await self._list(backend, kind, back_to)
        # Read again: whoever began to send meanwhile may want one of these jobs, whoever has ended its search
        # holds one.
        intents = await self._rows.unsure(backend.name, kind, since=since)
        held = await self._rows.holders(backend.name, [job.job_id for job in seen.jobs])
        return own_jobs(
            intents,
            seen.jobs,
            seen.clock,
            now=self._now(),
            keyed=keyed,
            known_since=seen.known_since,
            held=held,
        )

    async def _list(self, backend: Backend, kind: Kind, back_to: float) -> _Seen:
        """Page by page, until all that was made after `back_to` is there; ten at most."""
        jobs: dict[str, ListedJob] = {}
        held: dict[str, float | None] = {}
        clock, known_since, skip = Clock(), float("inf"), 0
        for _ in range(MOST_PAGES):
            page = await backend.listed(kind, skip=skip)
            skip += page.items
            fresh = {job.job_id: job for job in page.jobs if job.job_id not in jobs}
            held |= await self._rows.holders(backend.name, list(fresh))
            jobs |= fresh
            clock = clock_of(list(jobs.values()), held, backend_time=page.backend_time, now=self._now())
            if not page.more:
                known_since = float("-inf")
                break
            times = [clock.ours(job.created_at) for job in jobs.values() if job.created_at is not None]
            known_since = min(times, default=float("inf"))
            if not fresh or known_since < back_to - CLOCKS_DIFFER_S:
                break
        return _Seen(jobs=list(jobs.values()), clock=clock, known_since=known_since)
