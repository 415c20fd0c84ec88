"""Which change is told on every open page, and in which words: each event once, never for progress."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from services.core.model import Channel, Generation, Kind, Phase
from ui.state import Change
from ui.text import _, failures, measure


class Event(enum.StrEnum):
    ARRIVED = "arrived"
    FAILED = "failed"
    UNCONFIRMED = "unconfirmed"
    LATE = "late"


@dataclass(frozen=True, slots=True)
class Told:
    """`tone` is good, calm or trouble."""

    text: str
    tone: str


def event_of(change: Change, *, since: float) -> Event | None:
    """What `change` is to be told as; None for the quiet ones.

    Of a generation that was not known before, only what happened after `since` is news.
    """
    before, after = change.before, change.after
    if after.trashed_at is not None and not after.unwanted:
        return None
    if after.phase is Phase.COMPLETED and _is_news(before, after, since):
        return Event.ARRIVED
    if after.phase is Phase.ERROR and _is_news(before, after, since):
        return Event.FAILED
    if after.phase is Phase.UNCONFIRMED and before is not None and before.phase is not Phase.UNCONFIRMED:
        return Event.UNCONFIRMED
    if after.late_since is not None and not after.final:
        told_before = after.late_since <= since if before is None else before.late_since is not None
        return None if told_before else Event.LATE
    return None


def _is_news(before: Generation | None, after: Generation, since: float) -> bool:
    if before is not None:
        return before.phase is not after.phase
    return after.finished_at is not None and after.finished_at > since


def words_of(event: Event, generation: Generation) -> Told:
    """In the language of the page that this runs for."""
    match event:
        case Event.ARRIVED:
            return Told(_arrival(generation), "good")
        case Event.FAILED:
            return Told(_failure(generation), "trouble")
        case Event.UNCONFIRMED:
            text = _("Sent, but nobody knows whether the backend took it. Your choice is needed.")
            return Told(text, "trouble")
        case Event.LATE:
            # C4's words are a contract: English, verbatim
            after = measure.figure(generation.late_after_s)
            return Told(f"Taking longer than {after}. You can leave, it will arrive here.", "calm")


def _arrival(generation: Generation) -> str:
    if generation.unwanted:
        if generation.trashed_at is not None:
            return _("A deleted one arrived after all, and was paid for. It waits in the trash.")
        return _("A stopped one arrived after all: paid, not wanted. Keep it, or drop it.")
    # C2, C3 and C6: English, verbatim
    what = "Video" if generation.request.kind is Kind.VIDEO else "Image"
    by_push = generation.receipt is not None and generation.receipt.won_by is Channel.PUSH
    return f"{what} generated successfully via SSE!" if by_push else f"{what} generated successfully!"


def _failure(generation: Generation) -> str:
    told = failures.explain(generation)
    return f"{told.happened} {told.theirs}".strip() if generation.error_code == "failed" else told.happened
