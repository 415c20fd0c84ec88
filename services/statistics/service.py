"""Open generations, delivery figures, file integrity, estimates, and bug reports."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from services.core.model import Generation
from services.generations.event_log import EventLog
from services.generations.service import Generations, TypicalDuration
from services.library.scrub import Scrub, ScrubRun
from services.library.storage import Storage
from services.media.threads import in_thread
from services.statistics.bug_report import Installation, bundle
from services.statistics.channel_status import Lanes, standing
from services.statistics.figures import Figures, count, slots_of
from services.store.statistics import StatisticsRows

MOST_COUNTED = 20_000
MOST_OPEN = 50
MOST_ESTIMATED = 12
LOOKS_EVERY_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """An open generation and how its channels stand."""

    generation: Generation
    lanes: Lanes


@dataclass(frozen=True, slots=True, kw_only=True)
class Safe:
    """`missing` are generations whose kept file is not in the media folder, seen at `looked_at`."""

    missing: list[str]
    looked_at: float
    round: ScrubRun | None
    """The newest weekly round, under way or ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    backend: str
    model: str
    length_s: float | None
    typical: TypicalDuration


class Statistics:
    """A person sees what is theirs; `safe` is the install's."""

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
        """Of the newest 20,000 that were asked for in the last 1 (by the hour), 7 or 30 days."""
        await self._event_log.flush()
        now = self._now()
        told = await self._rows.told(slots_of(days, now)[0], owner=owner, most=MOST_COUNTED)
        return await in_thread(lambda: count(told, days=days, now=now))

    async def open_ones(self, *, owner: str) -> tuple[list[Open], int]:
        """The newest 50 that are not final, and how many there are in all."""
        await self._event_log.flush()
        found, many = await self._rows.open_ones(owner=owner, most=MOST_OPEN)
        return [
            Open(
                generation=one.generation,
                lanes=standing(one.entries, attempts=one.attempts, checks=one.checks, breaks=one.breaks),
            )
            for one in found
        ], many

    async def safe(self) -> Safe:
        """Looks into the media folder at most once a minute, whoever asks."""
        now = self._now()
        if self._missing is None or not 0 <= now - self._missing[1] < LOOKS_EVERY_S:
            self._missing = (await self._storage.missing(), now)
        missing, looked_at = self._missing
        return Safe(missing=missing, looked_at=looked_at, round=await self._scrub.latest())

    async def estimates(self, figures: Figures) -> list[Estimate]:
        """How long this install's own runs took, for what was delivered in the span."""
        found = []
        for backend, model, length_s in figures.models[:MOST_ESTIMATED]:
            typical = await self._generations.typical(backend, model, length_s)
            if typical is not None:
                found.append(Estimate(backend=backend, model=model, length_s=length_s, typical=typical))
        return found

    async def bundle(self, generation_id: str, *, owner: str) -> dict[str, Any]:
        """One generation for a bug report, as plain JSON without keys, tokens and links. Raises NotFound."""
        generation = await self._generations.get(generation_id, owner=owner)
        return bundle(
            generation,
            await self._generations.trace(generation_id, owner=owner),
            self._installation,
            made_at=self._now(),
        )
