"""The state of both channels of an open generation, from its timeline."""

import enum
from dataclasses import dataclass, replace
from typing import Self

from services.core.model import TraceEntry


class ChannelState(enum.StrEnum):
    NONE = "none"  # not opened or asked yet, or not since the last start
    PENDING = "pending"  # connecting, or waiting for an answer
    HEALTHY = "healthy"  # connected, or answered
    LOST = "lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelStatus:
    push: ChannelState = ChannelState.NONE
    push_reason: str = ""
    """Code of why it was lost."""
    breaks: int = 0
    poll: ChannelState = ChannelState.NONE
    poll_reason: str = ""
    attempts: int = 0
    checks: int = 0
    due_at: float | None = None
    """When the next poll is due; None during a poll, and where it is unknown."""
    seq: int = -1
    """Of the newest entry it includes."""

    def after(self, entry: TraceEntry) -> Self:
        """The status after that entry; an entry that is not newer changes nothing."""
        if entry.seq <= self.seq:
            return self
        old, reason = replace(self, seq=entry.seq), str(entry.data.get("reason", ""))
        match entry.lane, entry.event:
            case "push", "opening":
                return replace(old, push=ChannelState.PENDING)
            case "push", "open" | "event":
                return replace(old, push=ChannelState.HEALTHY, push_reason="")
            case "push", "lost":
                return replace(old, push=ChannelState.LOST, push_reason=reason, breaks=self.breaks + 1)
            case "poll", "attempt":
                return replace(old, poll=ChannelState.PENDING, attempts=self.attempts + 1, due_at=None)
            case "poll", "check":
                return replace(old, poll=ChannelState.PENDING, checks=self.checks + 1)
            case "poll", "answer":
                return replace(old, poll=ChannelState.HEALTHY, poll_reason="")
            case "poll", "lost":
                return replace(old, poll=ChannelState.LOST, poll_reason=reason)
            case "poll", "due":
                at = entry.data.get("at")
                return replace(old, due_at=float(at) if isinstance(at, int | float) else None)
            case "engine", "resumed":
                return replace(old, push=ChannelState.NONE, push_reason="", due_at=None)
        return old
