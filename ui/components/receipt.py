"""The receipt (R12) as text and times."""

from nicegui import ui

from services.core.model import Channel, Generation, Receipt
from ui.components.timestamp import Timestamp
from ui.text import _, labels, measure


def receipt_facts(generation: Generation, receipt: Receipt) -> None:
    """Draws a description list; the caller draws the section."""
    with ui.element("dl").classes("r-facts"):
        _fact(
            _("Delivered by"),
            _("push (event stream)") if receipt.won_by is Channel.PUSH else _("poll (repeated requests)"),
        )
        if receipt.backend_finished_at is not None:
            _fact(_("Backend finished"), at=receipt.backend_finished_at)
        _fact(_("Reported by the backend"), at=receipt.backend_said_at)
        _fact(_("File saved"), _after(receipt, receipt.kept_at), at=receipt.kept_at)
        if receipt.shown_at is not None:
            _fact(_("First shown"), _after(receipt, receipt.shown_at), at=receipt.shown_at)
        _fact(_("Poll attempts"), str(receipt.attempts))
        if receipt.won_by is Channel.PUSH:
            text = labels.event_kind(receipt.other_said) if receipt.other_said else _("nothing yet")
            _fact(_("Last poll answer"), text, at=receipt.other_said_at)
            if receipt.other_due_at is not None:
                more = measure.exactly(abs(receipt.other_due_at - receipt.kept_at))
                late = receipt.other_due_at >= receipt.kept_at
                sentence = _("{time} later") if late else _("{time} earlier")
                _fact(_("Next poll"), sentence.format(time=more), at=receipt.other_due_at)
        else:
            text = labels.event_kind(receipt.other_said) if receipt.other_said else _("nothing")
            _fact(_("Last push event"), text, at=receipt.other_said_at)
        if receipt.late_s is not None:
            _fact(_("Late by"), f"+{measure.clock(receipt.late_s)}")
        if generation.kept is not None:
            _fact(_("Size"), measure.size(generation.kept.size_bytes))
            _fact(_("SHA-256"), generation.kept.sha256)
        if told := labels.problem(generation):
            _fact(_("Problem"), told)


def _fact(name: str, value: str = "", *, at: float | None = None) -> None:
    with ui.element("dt"):
        ui.label(name)
    with ui.element("dd"):
        if at is not None:
            Timestamp(at, "exact")
        if value:
            ui.label(value)


def _after(receipt: Receipt, at: float) -> str:
    since = receipt.backend_finished_at or receipt.backend_said_at
    return _("{time} later").format(time=measure.exactly(at - since))
