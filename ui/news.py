"""Which change is told on every open page, and in which words: each event once, never for progress."""

from __future__ import annotations

from dataclasses import dataclass

from services.model import Channel, Generation, Kind, Phase
from ui import failures
from ui.state import Change
from ui.text import _, measure


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """`tone` is good, calm or trouble."""

    text: str
    tone: str
    generation: Generation


def worth_telling(change: Change, *, since: float) -> Told | None:
    """What `change` is to be told as, on a page that was opened at `since`; None for the quiet ones."""
    before, after = change.before, change.after
    if after.hidden_at is not None:
        return None
    if after.phase is Phase.COMPLETED and _is_news(before, after, since):
        return Told(text=_arrival(after), tone="good", generation=after)
    if after.phase is Phase.ERROR and _is_news(before, after, since):
        return Told(text=_failure(after), tone="trouble", generation=after)
    if before is None:
        return None
    if after.phase is Phase.UNCONFIRMED and before.phase is not Phase.UNCONFIRMED:
        text = _("Sent, but nobody knows whether the backend took it. Your choice is needed.")
        return Told(text=text, tone="trouble", generation=after)
    if after.late_since is not None and before.late_since is None and not after.final:
        # C4's words are a contract: English, verbatim
        text = f"Taking longer than {measure.figure(after.late_after_s)}. You can leave, it will arrive here."
        return Told(text=text, tone="calm", generation=after)
    return None


def _is_news(before: Generation | None, after: Generation, since: float) -> bool:
    if before is not None:
        return before.phase is not after.phase
    return after.finished_at is not None and after.finished_at >= since


def _arrival(generation: Generation) -> str:
    if generation.unwanted:
        return _("A stopped one arrived after all. It is kept.")
    # C2, C3 and C6: English, verbatim
    what = "Video" if generation.request.kind is Kind.VIDEO else "Image"
    by_push = generation.receipt is not None and generation.receipt.won_by is Channel.PUSH
    return f"{what} generated successfully via SSE!" if by_push else f"{what} generated successfully!"


def _failure(generation: Generation) -> str:
    told = failures.explain(generation)
    return f"{told.happened} {told.theirs}".strip() if generation.error_code == "failed" else told.happened
