"""Delivery figures, counted from receipts and timelines, so that a restart changes nothing."""

import math
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from services.core.model import FINAL, Channel, Phase
from services.store.statistics import Asked, Told

DAY = 1
"""The span that is told by the hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lag:
    """From the backend's end to the bytes on our disk, seconds."""

    p50_s: float
    p95_s: float
    p99_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    asked: int = 0
    open: int = 0
    failed: int = 0
    stopped: int = 0
    push: int = 0
    """Results that push brought."""
    poll: int = 0
    late: int = 0
    """Took longer than announced, delivered or not."""
    attempts: int = 0
    checks: int = 0
    breaks: Mapping[str, int] = field(default_factory=dict)
    """Streams lost, by the code of the reason; the most frequent first."""
    lag: Lag | None = None
    """None where nothing was delivered."""

    @property
    def kept(self) -> int:
        return self.push + self.poll

    @property
    def late_share(self) -> float | None:
        """0.0-1.0 of all that was asked for; None of nothing."""
        return self.late / self.asked if self.asked else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Of all that was asked for in the span. Slots are the starts of its hours or days, oldest first, none
    left out; a table's key is a backend, or backend and slot.
    """

    slots: list[float]
    hourly: bool
    all: Tally
    by_backend: dict[str, Tally]
    by_slot: dict[float, Tally]
    by_both: dict[tuple[str, float], Tally]
    models: list[tuple[str, str, float | None]]
    """Backend, model and length of what was delivered, the most frequent first."""
    cut: bool
    """There was more than is counted: the oldest are left out."""

    def of(self, backend: str = "") -> tuple[Tally, dict[float, Tally]]:
        """All together, or one backend: in sum, and by slot."""
        if not backend:
            return self.all, self.by_slot
        by_slot = {slot: tally for (name, slot), tally in self.by_both.items() if name == backend}
        return self.by_backend.get(backend, Tally()), by_slot


def slots_of(days: int, now: float) -> list[float]:
    """The last 24 hours by the hour, or the last days with today, in the server's own time zone."""
    today = datetime.fromtimestamp(now)  # noqa: DTZ006  the server's own days
    if days == DAY:
        hour = today.replace(minute=0, second=0, microsecond=0).timestamp()
        return [hour - 3600.0 * back for back in reversed(range(24))]
    midnight = today.replace(hour=0, minute=0, second=0, microsecond=0)
    return [(midnight - timedelta(days=back)).timestamp() for back in reversed(range(days))]


def count(told: Told, *, days: int, now: float) -> Figures:
    slots = slots_of(days, now)
    starts = sorted(slots)
    everything, backends, times, both = _Count(), _Counts(), _Counts(), _Counts()
    places: dict[str, tuple[_Count, ...]] = {}
    models: Counter[tuple[str, str, float | None]] = Counter()
    for one in told.asked:
        slot = starts[max(0, bisect_right(starts, one.created_at) - 1)]
        here = (everything, backends[one.backend], times[slot], both[one.backend, slot])
        places[one.id] = here
        for each in here:
            each.add(one)
        if one.receipt is not None:
            models[one.backend, one.model, one.length_s] += 1
    for generation_id, event, number in told.polls:
        for each in places.get(generation_id, ()):
            each.polls[event] += number
    for generation_id, reason in told.breaks:
        for each in places.get(generation_id, ()):
            each.breaks[reason] += 1
    return Figures(
        slots=slots,
        hourly=days == DAY,
        all=everything.tally(),
        by_backend=backends.tallies(),
        by_slot=times.tallies(),
        by_both=both.tallies(),
        models=[name for name, _ in models.most_common()],
        cut=told.cut,
    )


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value below or at which that share (0.0-1.0) of them lies; at least one is needed."""
    return ordered[max(0, math.ceil(len(ordered) * share) - 1)]


class _Count:
    def __init__(self) -> None:
        self.phases: Counter[Phase] = Counter()
        self.wins: Counter[Channel] = Counter()
        self.late = 0
        self.polls: Counter[str] = Counter()
        self.breaks: Counter[str] = Counter()
        self.lags: list[float] = []

    def add(self, one: Asked) -> None:
        self.phases[one.phase] += 1
        self.late += one.late
        if one.receipt is not None:
            self.wins[one.receipt.won_by] += 1
            self.lags.append(one.receipt.delivery_s)

    def tally(self) -> Tally:
        return Tally(
            asked=self.phases.total(),
            open=sum(number for phase, number in self.phases.items() if phase not in FINAL),
            failed=self.phases[Phase.ERROR],
            stopped=self.phases[Phase.DROPPED],
            push=self.wins[Channel.PUSH],
            poll=self.wins[Channel.POLL],
            late=self.late,
            attempts=self.polls["attempt"],
            checks=self.polls["check"],
            breaks=dict(self.breaks.most_common()),
            lag=self._lag(),
        )

    def _lag(self) -> Lag | None:
        if not self.lags:
            return None
        ordered = sorted(self.lags)
        return Lag(p50_s=quantile(ordered, 0.5), p95_s=quantile(ordered, 0.95), p99_s=quantile(ordered, 0.99))


class _Counts(defaultdict[Any, _Count]):
    def __init__(self) -> None:
        super().__init__(_Count)

    def tallies(self) -> dict[Any, Tally]:
        return {key: each.tally() for key, each in sorted(self.items())}
