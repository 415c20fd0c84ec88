"""The receipt (R12) in plain words and times."""

from __future__ import annotations

from nicegui import ui

from services.core.model import Channel, Generation, Receipt
from ui.components.timestamp import Timestamp
from ui.text import _, labels, measure


def receipt(generation: Generation, slip: Receipt) -> None:
    """As a list of facts; the caller draws the frame around it."""
    with ui.element("dl").classes("r-facts"):
        _fact(
            _("Won by"), _("push, the event stream") if slip.won_by is Channel.PUSH else _("poll, by asking")
        )
        if slip.backend_finished_at is not None:
            _fact(_("Backend finished"), at=slip.backend_finished_at)
        _fact(_("The news came"), at=slip.backend_said_at)
        _fact(_("Bytes kept"), _after(slip, slip.kept_at), at=slip.kept_at)
        if slip.shown_at is not None:
            _fact(_("First on a page"), _after(slip, slip.shown_at), at=slip.shown_at)
        _fact(_("Poll attempts"), str(slip.attempts))
        if slip.won_by is Channel.PUSH:
            said = labels.heard(slip.other_said) if slip.other_said else _("nothing yet")
            _fact(_("Poll had last said"), said, at=slip.other_said_at)
            if slip.other_due_at is not None:
                more = measure.exactly(abs(slip.other_due_at - slip.kept_at))
                late = slip.other_due_at >= slip.kept_at
                sentence = _("{time} later") if late else _("{time} earlier")
                _fact(_("Poll's next attempt"), sentence.format(time=more), at=slip.other_due_at)
        else:
            said = labels.heard(slip.other_said) if slip.other_said else _("nothing")
            _fact(_("Push had last said"), said, at=slip.other_said_at)
        if slip.late_s is not None:
            _fact(_("Late by"), f"+{measure.clock(slip.late_s)}")
        if generation.kept is not None:
            _fact(_("Kept"), measure.size(generation.kept.size_bytes))
            _fact(_("SHA-256"), generation.kept.sha256)


def _fact(name: str, value: str = "", *, at: float | None = None) -> None:
    with ui.element("dt"):
        ui.label(name)
    with ui.element("dd"):
        if at is not None:
            Timestamp(at, "exact")
        if value:
            ui.label(value)


def _after(slip: Receipt, at: float) -> str:
    since = slip.backend_finished_at or slip.backend_said_at
    return _("{time} later").format(time=measure.exactly(at - since))
