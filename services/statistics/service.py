"""Open generations, delivery figures, file integrity, estimates, and bug reports."""

import functools
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from services.core.model import Generation
from services.generations.event_log import EventLog
from services.generations.service import Generations, TypicalDuration
from services.library.scrub import Scrub, ScrubRun
from services.library.storage import Storage
from services.media.threads import in_thread
from services.statistics.bug_report import Installation, bundle
from services.statistics.channel_status import ChannelStatus
from services.statistics.figures import Figures, count, slot_starts
from services.store.statistics import StatisticsRows

MAX_COUNTED = 20_000
MAX_OPEN = 50
MAX_ESTIMATES = 12
MISSING_MAX_AGE_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FileIntegrity:
    """`missing` are ids of generations whose kept file is gone, at most a minute old."""

    missing: list[str]
    scrub: ScrubRun | None
    """The newest one, finished or not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    backend: str
    model: str
    length_s: float | None
    typical: TypicalDuration


class Statistics:
    """Each person sees only their own generations; `file_integrity` covers the whole install."""

    def __init__(
        self,
        *,
        rows: StatisticsRows,
        generations: Generations,
        event_log: EventLog,
        storage: Storage,
        scrub: Scrub,
        installation: Installation,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._rows = rows
        self._generations = generations
        self._event_log = event_log
        self._storage = storage
        self._scrub = scrub
        self._installation = installation
        self._now = now
        self._missing: tuple[list[str], float] | None = None

    async def figures(self, days: int, *, owner: str) -> Figures:
        """Of the newest 20,000 generations of the last 1 (by the hour), 7 or 30 days."""
        await self._event_log.flush()
        now = self._now()
        history = await self._rows.history(slot_starts(days, now)[0], owner=owner, limit=MAX_COUNTED)
        return await in_thread(lambda: count(history, days=days, now=now))

    async def open_generations(self, *, owner: str) -> tuple[list[tuple[Generation, ChannelStatus]], int]:
        """The newest 50 that are not final, and how many there are in all."""
        await self._event_log.flush()
        found, total = await self._rows.open_generations(owner=owner, limit=MAX_OPEN)
        rows = []
        for one in found:
            status = functools.reduce(ChannelStatus.after, one.entries, ChannelStatus())
            status = replace(status, attempts=one.attempts, checks=one.checks, breaks=one.breaks)
            rows.append((one.generation, status))
        return rows, total

    async def file_integrity(self) -> FileIntegrity:
        """Reads the media folder at most once a minute, whoever asks."""
        now = self._now()
        if self._missing is None or not 0 <= now - self._missing[1] < MISSING_MAX_AGE_S:
            self._missing = (await self._storage.missing(), now)
        return FileIntegrity(missing=self._missing[0], scrub=await self._scrub.latest())

    async def estimates(self, figures: Figures) -> list[Estimate]:
        """How long this install's own runs took, for the models that delivered in the span."""
        found = []
        for backend, model, length_s in figures.models[:MAX_ESTIMATES]:
            typical = await self._generations.typical(backend, model, length_s)
            if typical is not None:
                found.append(Estimate(backend=backend, model=model, length_s=length_s, typical=typical))
        return found

    async def bundle(self, generation_id: str, *, owner: str) -> dict[str, Any]:
        """One generation for a bug report, as plain JSON without keys, tokens and links. Raises NotFound."""
        generation = await self._generations.get(generation_id, owner=owner)
        entries = await self._generations.trace(generation_id, owner=owner)
        made = functools.partial(bundle, generation, entries, self._installation, made_at=self._now())
        return await in_thread(made)
