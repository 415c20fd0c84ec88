"""Searches a backend's job list for jobs of ours whose ids are not known."""

import asyncio
import logging
from collections import defaultdict
from dataclasses import dataclass, field

from services.backends.base import ListsJobs
from services.backends.job_listing import JobPage, ListedJob
from services.core.model import Kind
from services.core.runtime import Runtime, monotonic
from services.generations.job_list import JobList
from services.generations.job_matching import (
    CLOCKS_DIFFER_S,
    Clock,
    answer_with,
    clock_of,
    first_sent_at,
    own_jobs,
)
from services.store.jobs import JobRows

log = logging.getLogger(__name__)

ROUND_S = 60.0
"""How long one round reads; the next one continues behind it."""
MAX_ITEMS = 50_000
"""In all rounds together, to bound the memory."""
MAX_STALE_PAGES = 5
"""In a row, without a new item: a list that ignores the offset."""
ENOUGH_TIMED = 200
LOOK_BACK_S = 7 * 86_400.0
"""Generations sent earlier are no longer searched for."""


@dataclass(slots=True)
class _Reading:
    """A list that is being read, in one round or several."""

    jobs: JobList = field(default_factory=JobList)
    timed: dict[str, ListedJob] = field(default_factory=dict)
    """The newest jobs that a generation of ours holds: they show the backend's clock."""
    submitted: dict[str, float | None] = field(default_factory=dict)
    clock: Clock = field(default_factory=Clock)

    @property
    def known_since(self) -> float:
        """By our clock: every job created later was read."""
        return self.clock.ours(self.jobs.oldest)


@dataclass(slots=True)
class _Turns:
    """Rounds of one backend and kind, one after the other, by number; the last one that succeeded."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    begun: int = 0
    last_begun: int = 0
    last: dict[str, tuple[str, ...]] = field(default_factory=dict)
    reading: _Reading | None = None


class JobSearch:
    def __init__(self, rows: JobRows, runtime: Runtime) -> None:
        self._rows = rows
        self._now = runtime.now
        self._turns: defaultdict[tuple[str, Kind], _Turns] = defaultdict(_Turns)

    async def found(self, backend: ListsJobs, kind: Kind) -> dict[str, tuple[str, ...]]:
        """By generation: the job that can only be its own, or the jobs of one answer.

        One round serves all: a caller that comes while one is under way waits for the next and shares it, so
        that two hundred unconfirmed ones at a start do not read the same pages two hundred times.

        Raises BackendError, ChannelLost; the pages read so far are kept for the next round.
        """
        turns = self._turns[backend.name, kind]
        begun = turns.begun
        async with turns.lock:
            if turns.last_begun > begun:
                return turns.last
            turns.begun += 1
            turns.last = await self._find(backend, kind, turns)
            turns.last_begun = turns.begun
            return turns.last

    async def _find(self, backend: ListsJobs, kind: Kind, turns: _Turns) -> dict[str, tuple[str, ...]]:
        since = self._now() - LOOK_BACK_S
        intents = await self._rows.possibly_accepted(backend.name, kind, since=since)
        if not intents:
            turns.reading = None
            return {}
        back_to = min(map(first_sent_at, intents)) - CLOCKS_DIFFER_S
        reading = turns.reading = turns.reading or _Reading()
        if await self._read(backend, kind, reading, back_to):
            turns.reading = None
        # Read again: an intent sent meanwhile may match one of these jobs, and one whose search has ended
        # holds one.
        intents = await self._rows.possibly_accepted(backend.name, kind, since=since)
        jobs = reading.jobs.jobs_like(intents)
        own = own_jobs(
            intents,
            jobs,
            reading.clock,
            now=self._now(),
            idempotent=backend.capabilities.idempotent,
            known_since=reading.known_since,
            held=await self._rows.holders(backend.name, [job.job_id for job in jobs]),
        )
        return {generation_id: answer_with(job_id, jobs) for generation_id, job_id in own.items()}

    async def _read(self, backend: ListsJobs, kind: Kind, reading: _Reading, back_to: float) -> bool:
        """Reads page by page until every job made after `back_to` is there, or a bound is reached.

        False when the next round can continue.
        """
        begun, stale = monotonic(), 0
        reading.jobs.start_round()
        while True:
            page = await backend.listed(kind, skip=reading.jobs.skip)
            stale = 0 if reading.jobs.add(page) else stale + 1
            await self._compare_clocks(backend.name, reading, page)
            if reading.jobs.complete or reading.known_since < back_to:
                return True
            took_s = monotonic() - begun
            depth = reading.jobs.depth
            exhausted = depth >= MAX_ITEMS or stale >= MAX_STALE_PAGES
            if exhausted or took_s >= ROUND_S:
                ahead = "older ones stay unconfirmed" if exhausted else "the next search continues there"
                log.warning(
                    "%s: %d entries of its %s list, read in %.0f s, do not reach back to every unconfirmed "
                    "generation; %s.",
                    backend.name,
                    depth,
                    kind,
                    took_s,
                    ahead,
                )
                return exhausted

    async def _compare_clocks(self, name: str, reading: _Reading, page: JobPage) -> None:
        if len(reading.timed) < ENOUGH_TIMED:
            reading.submitted |= await self._rows.holders(name, [job.job_id for job in page.jobs])
            reading.timed |= {job.job_id: job for job in page.jobs if job.job_id in reading.submitted}
        reading.clock = clock_of(
            list(reading.timed.values()), reading.submitted, backend_time=page.backend_time, now=self._now()
        )
