"""Delivery figures, counted from receipts and timelines, so that a restart changes nothing."""

import math
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from services.core.model import FINAL, Channel, Phase
from services.store.statistics import DeliveryHistory, GenerationSummary


@dataclass(frozen=True, slots=True, kw_only=True)
class Lag:
    """Percentiles of the seconds from the end at the backend to the bytes on our disk."""

    p50_s: float
    p95_s: float
    p99_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """`push` and `poll` count the results each delivered, `late` what took longer than announced."""

    total: int = 0
    open: int = 0
    failed: int = 0
    stopped: int = 0
    push: int = 0
    poll: int = 0
    late: int = 0
    attempts: int = 0
    checks: int = 0
    breaks: Mapping[str, int] = field(default_factory=dict)
    """Lost streams by the code of the reason, the most frequent first."""
    lag: Lag | None = None
    """None where nothing was delivered."""

    @property
    def kept(self) -> int:
        return self.push + self.poll

    @property
    def late_share(self) -> float | None:
        """0.0-1.0 of the total; None where that is 0."""
        return self.late / self.total if self.total else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """All generations started in the span. `slots` are the starts of its hours or days, oldest first, without
    gaps; the tables are by backend, by slot, and by backend and slot.
    """

    slots: list[float]
    hourly: bool
    all: Tally
    by_backend: dict[str, Tally]
    by_slot: dict[float, Tally]
    by_both: dict[tuple[str, float], Tally]
    models: list[tuple[str, str, float | None]]
    """Backend, model and length of what was delivered, the most frequent first."""
    truncated: bool
    """The oldest are not counted."""

    def of(self, backend: str = "") -> tuple[Tally, dict[float, Tally]]:
        """The total and the slots, of one backend or of all."""
        if not backend:
            return self.all, self.by_slot
        by_slot = {slot: tally for (name, slot), tally in self.by_both.items() if name == backend}
        return self.by_backend.get(backend, Tally()), by_slot


def slot_starts(days: int, now: float) -> list[float]:
    """The last 24 hours for 1 day, else the last days including today, in the server's time zone."""
    today = datetime.fromtimestamp(now)  # noqa: DTZ006  the server's own days
    if days == 1:
        hour = today.replace(minute=0, second=0, microsecond=0).timestamp()
        return [hour - 3600.0 * back for back in reversed(range(24))]
    midnight = today.replace(hour=0, minute=0, second=0, microsecond=0)
    return [(midnight - timedelta(days=back)).timestamp() for back in reversed(range(days))]


def count(history: DeliveryHistory, *, days: int, now: float) -> Figures:
    slots = slot_starts(days, now)
    polls = {(generation_id, event): number for generation_id, event, number in history.polls}
    breaks: defaultdict[str, list[str]] = defaultdict(list)
    for generation_id, reason in history.breaks:
        breaks[generation_id].append(reason)

    def slot(one: GenerationSummary) -> float:
        return slots[max(0, bisect_right(slots, one.created_at) - 1)]

    def by(key: Callable[[GenerationSummary], Any]) -> dict[Any, Tally]:
        groups: defaultdict[Any, list[GenerationSummary]] = defaultdict(list)
        for one in history.generations:
            groups[key(one)].append(one)
        return {name: _tally(group, polls, breaks) for name, group in sorted(groups.items())}

    models = Counter((one.backend, one.model, one.length_s) for one in history.generations if one.receipt)
    return Figures(
        slots=slots,
        hourly=days == 1,
        all=_tally(history.generations, polls, breaks),
        by_backend=by(lambda one: one.backend),
        by_slot=by(slot),
        by_both=by(lambda one: (one.backend, slot(one))),
        models=[name for name, _ in models.most_common()],
        truncated=history.truncated,
    )


def quantile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that this share (0.0-1.0) of them does not exceed. `ordered` must not be empty."""
    return ordered[max(0, math.ceil(len(ordered) * share) - 1)]


def _tally(
    group: Sequence[GenerationSummary],
    polls: Mapping[tuple[str, str], int],
    breaks: Mapping[str, Sequence[str]],
) -> Tally:
    phases = Counter(one.phase for one in group)
    receipts = [one.receipt for one in group if one.receipt is not None]
    winners = Counter(receipt.won_by for receipt in receipts)
    lags = sorted(receipt.delivery_s for receipt in receipts)
    p50_s, p95_s, p99_s = (quantile(lags, share) if lags else 0.0 for share in (0.5, 0.95, 0.99))
    return Tally(
        total=len(group),
        open=sum(number for phase, number in phases.items() if phase not in FINAL),
        failed=phases[Phase.ERROR],
        stopped=phases[Phase.DROPPED],
        push=winners[Channel.PUSH],
        poll=winners[Channel.POLL],
        late=sum(one.late for one in group),
        attempts=sum(polls.get((one.id, "attempt"), 0) for one in group),
        checks=sum(polls.get((one.id, "check"), 0) for one in group),
        breaks=dict(Counter(reason for one in group for reason in breaks.get(one.id, ())).most_common()),
        lag=Lag(p50_s=p50_s, p95_s=p95_s, p99_s=p99_s) if lags else None,
    )
