"""The state of both channels of an open generation, from its timeline."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.core.model import TraceEntry


class Push(enum.StrEnum):
    NONE = "none"  # nothing was opened yet, or not since the last start
    CONNECTING = "connecting"
    CONNECTED = "connected"
    LOST = "lost"


class Poll(enum.StrEnum):
    NONE = "none"  # nobody was asked yet
    ASKING = "asking"
    ANSWERED = "answered"
    LOST = "lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lanes:
    push: Push = Push.NONE
    push_reason: str = ""
    """The code of why it was lost."""
    breaks: int = 0
    poll: Poll = Poll.NONE
    poll_reason: str = ""
    attempts: int = 0
    checks: int = 0
    due_at: float | None = None
    """When poll asks next; None while it asks, and where it is not known."""
    seq: int = -1
    """Of the newest entry it knows."""

    def after(self, entry: TraceEntry) -> Lanes:
        """With one more entry; one that is not newer changes nothing."""
        if entry.seq <= self.seq:
            return self
        known = replace(self, seq=entry.seq)
        match entry.lane, entry.event:
            case "push", "opening":
                return replace(known, push=Push.CONNECTING)
            case "push", "open" | "event":
                return replace(known, push=Push.CONNECTED, push_reason="")
            case "push", "lost":
                return replace(known, push=Push.LOST, push_reason=_reason(entry), breaks=self.breaks + 1)
            case "poll", "attempt":
                return replace(known, poll=Poll.ASKING, attempts=self.attempts + 1, due_at=None)
            case "poll", "check":
                return replace(known, poll=Poll.ASKING, checks=self.checks + 1)
            case "poll", "answer":
                return replace(known, poll=Poll.ANSWERED, poll_reason="")
            case "poll", "lost":
                return replace(known, poll=Poll.LOST, poll_reason=_reason(entry))
            case "poll", "due":
                at = entry.data.get("at")
                return replace(known, due_at=float(at) if isinstance(at, int | float) else None)
            case "engine", "resumed":
                return replace(known, push=Push.NONE, push_reason="", due_at=None)
        return known


def standing(entries: Sequence[TraceEntry], *, attempts: int, checks: int, breaks: int) -> Lanes:
    """From the last entries, oldest first; the counts are of the whole timeline."""
    lanes = Lanes()
    for entry in entries:
        lanes = lanes.after(entry)
    return replace(lanes, attempts=attempts, checks=checks, breaks=breaks)


def _reason(entry: TraceEntry) -> str:
    return str(entry.data.get("reason", ""))
