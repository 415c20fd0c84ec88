"""The cells of the matrix: which connection, disk or database fails, how, and with which outcome."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support.fault_proxy import ConnectionFault

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
"""Which channels work at all."""
BACKENDS = ("keyed", "unkeyed")
BLIND = "blind"
"""Unkeyed, and its jobs cannot be listed: only for faults of the submit."""

STREAM_POINTS = frozenset({"stream open", "mid-stream", "terminal event"})
SUBMIT_POINTS = frozenset({"submit", "submit's answer"})


class End(enum.Enum):
    DONE = "kept"
    PROBLEM = "arrived with a problem: kept as it came, with the reason"
    FAILED = "the backend's failure is reported"
    REFUSED = "refused, not accepted"
    NOT_TAKEN = "unknown, not accepted: keyed sends again, all others ask the person"
    TAKEN = "unknown, accepted: keyed sends again, a list is searched, blind asks the person"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`wire` is the script, `lines` the proxy's faults and `ports` the dead addresses, by kind of request."""

    wire: Mapping[str, Any] = field(default_factory=dict)
    lines: Mapping[str, ConnectionFault] = field(default_factory=dict)
    ports: Mapping[str, str] = field(default_factory=dict)
    """refuses · unread · stuck, as in DeadAddresses; for "download": the first addresses that are reported."""
    port_times: int | None = 2
    disk: str = ""
    database: str = ""
    commits: str = "completed"
    """The phase whose commit fails."""
    times: int = 2
    """How often the disk or the database fails."""
    end: End = End.DONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    means: str
    plans: Mapping[str, Plan]
    """By variant; "" where there is one."""
    harmless: bool = False
    """The channel works all the same, so it cannot be the broken one."""
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
    def is_permanent(self) -> bool:
        """The fault is what breaks the channel of the shape, so it never ends."""
        broken = "pull only" if self.point in STREAM_POINTS else "push only" if self.point == "poll" else ""
        return self.shape == broken
