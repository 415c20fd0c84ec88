"""Describes trace entries: as a line of text, or as a mark on the race strip."""

from collections.abc import Callable
from typing import Any

from services.core.model import Phase, TraceEntry, percent_of
from services.core.phase_messages import PHASES
from ui.text import _, deferred, labels, measure


def mark(entry: TraceEntry) -> dict[str, Any]:
    """Returns the entry for the race strip's component: number, time, channel, kind, text."""
    drawn: dict[str, Any] = {
        "n": entry.seq,
        "t": round(entry.at, 3),
        "lane": entry.lane,
        "kind": entry.event,
        "text": line(entry),
    }
    if _text(entry, "heard") in ("progress", "queued"):
        drawn["small"] = True
    if entry.event == "due":
        drawn["until"] = _number(entry, "at")
    return drawn


def line(entry: TraceEntry) -> str:
    """Returns a plain sentence; an unknown code is shown as it is."""
    describe = LINES.get((entry.lane, entry.event))
    return describe(entry) if describe else f"{entry.lane}: {entry.event}"


def _opening(entry: TraceEntry) -> str:
    return _("Connecting to the event stream")


def _open(entry: TraceEntry) -> str:
    return _("Event stream connected")


def _event(entry: TraceEntry) -> str:
    return _with_progress(entry, _("Event: {heard}"))


def _push_lost(entry: TraceEntry) -> str:
    why = labels.reason(_text(entry, "reason"))
    retry = _number(entry, "retry_in_s")
    if retry is None:
        return _("Event stream lost: {reason}").format(reason=why)
    return _("Event stream lost: {reason}; retrying in {time}").format(
        reason=why, time=measure.exactly(retry)
    )


def _attempt(entry: TraceEntry) -> str:
    number = _number(entry, "n")
    return _("Attempt {number}").format(number=f"{number:g}") if number is not None else _("Attempt")


CHECK_REASONS = {
    "connected": deferred("Checked after connecting"),
    "person": deferred("Checked on request"),
    "failure": deferred("Checked to confirm the failure"),
    "asked": deferred("Checked after push reported completion"),
    "delivery": deferred("Checked after a failed download"),
    "resumed": deferred("Checked after a restart"),
}


def _check(entry: TraceEntry) -> str:
    return _(CHECK_REASONS.get(_text(entry, "because"), deferred("Extra check")))


def _answer(entry: TraceEntry) -> str:
    return _with_progress(entry, _("Answer: {heard}"))


def _poll_lost(entry: TraceEntry) -> str:
    return _("No answer: {reason}").format(reason=labels.reason(_text(entry, "reason")))


def _due(entry: TraceEntry) -> str:
    at = _number(entry, "at")
    if at is None:
        return _("Next attempt scheduled")
    return _("Next attempt in {time}").format(time=measure.exactly(at - entry.at))


def _phase(entry: TraceEntry) -> str:
    try:
        return _(PHASES[Phase(_text(entry, "phase"))])
    except ValueError:
        return _("Phase changed")


def _keeping(entry: TraceEntry) -> str:
    return _("Downloading the file reported by {channel}").format(channel=_channel(entry))


def _keep_failed(entry: TraceEntry) -> str:
    return _("The file could not be saved: {reason}").format(reason=labels.reason(_text(entry, "reason")))


def _settling(entry: TraceEntry) -> str:
    return _("No better file arrived within a minute; using the saved one")


def _won(entry: TraceEntry) -> str:
    return _("{channel} won: the file is saved").format(channel=_channel(entry).capitalize())


def _clock_off(entry: TraceEntry) -> str:
    ahead_s = _number(entry, "ahead_s") or 0.0
    sentence = (
        _("The backend's clock is {time} ahead; the finish time is unknown")
        if ahead_s > 0
        else _("The backend's clock is {time} behind; the finish time is unknown")
    )
    return sentence.format(time=measure.exactly(abs(ahead_s)))


def _ignored(entry: TraceEntry) -> str:
    event = labels.event_kind(_text(entry, "heard"))
    return _("Ignored a later event from {channel}: {heard}").format(
        channel=_channel(entry).capitalize(), heard=event
    )


def _foreign(entry: TraceEntry) -> str:
    return _("Ignored an event about another job ({channel})").format(channel=_channel(entry))


def _late(entry: TraceEntry) -> str:
    return _("Taking longer than usual; still waiting")


def _stop(entry: TraceEntry) -> str:
    return _("Stop requested")


def _resumed(entry: TraceEntry) -> str:
    return _("Resumed after a restart")


def _adopted(entry: TraceEntry) -> str:
    return _("Found at the backend; resumed")


def _looking(entry: TraceEntry) -> str:
    return _("Searching at the backend")


def _not_found(entry: TraceEntry) -> str:
    return _("No certain match at the backend; searching again every hour")


def _wanted(entry: TraceEntry) -> str:
    return _("Kept after it was stopped")


def _submit_lost(entry: TraceEntry) -> str:
    retry = _number(entry, "retry_in_s") or 0.0
    if entry.data.get("sent"):
        return _("Sent; no answer")
    return _("The backend is unavailable; retrying in {time}").format(time=measure.exactly(retry))


def _cancel_lost(entry: TraceEntry) -> str:
    return _("The stop request did not reach the backend")


def _bug(entry: TraceEntry) -> str:
    return _("An error occurred in Rushes; see the log")


def _no_backend(entry: TraceEntry) -> str:
    return _("The backend is no longer configured")


LINES: dict[tuple[str, str], Callable[[TraceEntry], str]] = {
    ("push", "opening"): _opening,
    ("push", "open"): _open,
    ("push", "event"): _event,
    ("push", "lost"): _push_lost,
    ("poll", "attempt"): _attempt,
    ("poll", "check"): _check,
    ("poll", "answer"): _answer,
    ("poll", "lost"): _poll_lost,
    ("poll", "due"): _due,
    ("engine", "phase"): _phase,
    ("engine", "keeping"): _keeping,
    ("engine", "keep_failed"): _keep_failed,
    ("engine", "settling"): _settling,
    ("engine", "won"): _won,
    ("engine", "clock_off"): _clock_off,
    ("engine", "ignored"): _ignored,
    ("engine", "foreign"): _foreign,
    ("engine", "late"): _late,
    ("engine", "stop"): _stop,
    ("engine", "resumed"): _resumed,
    ("engine", "adopted"): _adopted,
    ("engine", "looking"): _looking,
    ("engine", "not_found"): _not_found,
    ("engine", "wanted"): _wanted,
    ("engine", "submit_lost"): _submit_lost,
    ("engine", "cancel_lost"): _cancel_lost,
    ("engine", "bug"): _bug,
    ("engine", "no_backend"): _no_backend,
}


def _with_progress(entry: TraceEntry, sentence: str) -> str:
    text = sentence.format(heard=labels.event_kind(_text(entry, "heard")))
    place = _number(entry, "place")
    if place is not None:
        return _("{said}, {place} in line").format(said=text, place=measure.ordinal(int(place)))
    progress = _number(entry, "progress")
    if progress is None or _text(entry, "heard") == "result":
        return text
    return _("{said}, {percent} %").format(said=text, percent=percent_of(progress))


def _channel(entry: TraceEntry) -> str:
    return _("poll") if _text(entry, "channel") == "poll" else _("push")


def _text(entry: TraceEntry, key: str) -> str:
    value = entry.data.get(key)
    return value if isinstance(value, str) else ""


def _number(entry: TraceEntry, key: str) -> float | None:
    value = entry.data.get(key)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
