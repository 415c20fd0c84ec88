"""What one cell of the matrix is made of: which line, disk or database breaks, how, and what must come of it."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support.fault_proxy import LineFault

POINTS = (
    "submit",
    "submit's answer",
    "stream open",
    "mid-stream",
    "poll",
    "terminal event",
    "download",
    "rename",
    "commit",
)
FAULTS = (
    "refuse",
    "reset",
    "time-out",
    "half-open",
    "silence",
    "slow",
    "truncated",
    "429",
    "5xx",
    "401",
    "malformed",
    "oversize",
    "duplicate",
    "out of order",
)
SHAPES = ("push only", "pull only", "both")
"""Which channel works at all."""
BACKENDS = ("keyed", "unkeyed")
BLIND = "blind"
"""Unkeyed, and its jobs cannot be listed: only where the submit is at stake."""

OF_THE_STREAM = frozenset({"stream open", "mid-stream", "terminal event"})
OF_THE_SUBMIT = frozenset({"submit", "submit's answer"})


class End(enum.Enum):
    DONE = "kept"
    FAILED = "the backend's failure is told"
    REFUSED = "refused, nothing taken"
    NOT_TAKEN = "nobody knows, and it was not taken: keyed sends again, all others ask the person"
    TAKEN = "nobody knows, and it was taken: keyed sends again, a list is searched, blind asks the person"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`wire` is the script, `lines` what the proxy does, `ports` who answers instead of it, for each thing asked."""

    wire: Mapping[str, Any] = field(default_factory=dict)
    lines: Mapping[str, LineFault] = field(default_factory=dict)
    ports: Mapping[str, str] = field(default_factory=dict)
    """refuses · deaf · full, as DeadEnds has them; of "download": the first addresses that are told."""
    port_times: int | None = 2
    disk: str = ""
    database: str = ""
    commits: str = "completed"
    """Into which phase the row goes when the database breaks."""
    times: int = 2
    """How often disk or database break."""
    end: End = End.DONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    means: str
    plans: Mapping[str, Plan]
    """By variant; "" where there is one."""
    harmless: bool = False
    """The channel works all the same: it cannot be what makes it the broken one."""
    only: frozenset[str] = frozenset()
    """Shapes or backends; empty: all."""
    why_only: str = ""


def cell(means: str, plan: Plan | Mapping[str, Plan], **more: Any) -> Cell:
    plans = {"": plan} if isinstance(plan, Plan) else plan
    return Cell(means=means, plans=plans, **more)


@dataclass(frozen=True, slots=True, kw_only=True)
class Combination:
    point: str
    fault: str
    shape: str
    backend: str
    variant: str
    plan: Plan

    def __str__(self) -> str:
        parts = (self.point, self.fault, self.shape, self.backend, self.variant)
        return " / ".join(part for part in parts if part)

    @property
    def for_good(self) -> bool:
        """The shape is that this very thing never works."""
        broken = "pull only" if self.point in OF_THE_STREAM else "push only" if self.point == "poll" else ""
        return self.shape == broken
