"""Decides which changes are notified on every open page, and with which text. Progress is never notified."""

import enum
from dataclasses import dataclass

from services.core.model import Channel, Generation, Kind, Phase
from ui.state import Change
from ui.text import _, failures, labels, measure


class Event(enum.StrEnum):
    ARRIVED = "arrived"
    FAILED = "failed"
    UNCONFIRMED = "unconfirmed"
    LATE = "late"


@dataclass(frozen=True, slots=True)
class ToastText:
    """`tone` is good, calm or trouble."""

    text: str
    tone: str


def event_for(change: Change, *, since: float) -> Event | None:
    """Returns the event that `change` stands for; None if nobody is notified.

    For a generation that was unknown before, only what happened after `since` (a timestamp) counts.
    """
    before, after = change.before, change.after
    if after.trashed_at is not None and not after.unwanted:
        return None
    if after.phase is Phase.COMPLETED and _is_new(before, after, since):
        return Event.ARRIVED
    if after.phase is Phase.ERROR and _is_new(before, after, since):
        return Event.FAILED
    if after.phase is Phase.UNCONFIRMED and before is not None and before.phase is not Phase.UNCONFIRMED:
        return Event.UNCONFIRMED
    if after.late_since is not None and not after.final:
        already_late = after.late_since <= since if before is None else before.late_since is not None
        return None if already_late else Event.LATE
    return None


def is_plain_arrival(generation: Generation) -> bool:
    """Whether its arrival may be told together with others of its request."""
    return generation.trashed_at is None and not generation.unwanted and not labels.problem(generation)


def _is_new(before: Generation | None, after: Generation, since: float) -> bool:
    if before is not None:
        return before.phase is not after.phase
    return after.finished_at is not None and after.finished_at > since


def text_for(event: Event, generation: Generation) -> ToastText:
    """Returns the text in the current page's language."""
    match event:
        case Event.ARRIVED:
            tone = "trouble" if labels.problem(generation) else "good"
            return ToastText(_arrival_text(generation), tone)
        case Event.FAILED:
            return ToastText(_failure_text(generation), "trouble")
        case Event.UNCONFIRMED:
            text = _("We couldn't confirm that the backend accepted a request. Choose what to do.")
            return ToastText(text, "trouble")
        case Event.LATE:
            # a fixed text, English in every language
            after = measure.figure(generation.late_after_s)
            return ToastText(f"Taking longer than {after}. You can leave, it will arrive here.", "calm")


def _arrival_text(generation: Generation) -> str:
    if generation.unwanted:
        if generation.trashed_at is not None:
            return _("A deleted generation arrived. It is in the trash.")
        return _("A stopped generation arrived. Keep or discard it?")
    if told := labels.problem(generation):
        return told
    # fixed texts, English in every language
    noun = "Video" if generation.request.kind is Kind.VIDEO else "Image"
    by_push = generation.receipt is not None and generation.receipt.won_by is Channel.PUSH
    return f"{noun} generated successfully via SSE!" if by_push else f"{noun} generated successfully!"


def _failure_text(generation: Generation) -> str:
    failure = failures.explain(generation)
    return (
        f"{failure.happened} {failure.backend_text}".strip()
        if generation.error_code == "failed"
        else failure.happened
    )
