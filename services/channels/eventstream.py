"""One guarded event stream over httpx and httpx-sse."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamEvent:
    """One non-empty event, or (with `data` empty and `comment` true) a sign of life."""

    type: str = "message"
    data: str = ""
    id: str = ""
    comment: bool = False
