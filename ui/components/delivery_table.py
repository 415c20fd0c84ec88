"""The figures as a table: a row for each backend and hour or day, newest first."""

from nicegui import ui

from services.statistics.figures import Figures, Tally
from ui.components.delivery_plots import format_breaks, slot_name
from ui.text import _, measure


class DeliveryTable:
    def __init__(self) -> None:
        with ui.element("details").classes("r-panel r-details"):
            with ui.element("summary").classes("r-h2"):
                ui.label(_("Show as table"))
            with ui.element("div").classes("r-scroll").props("tabindex=0 role=region") as region:
                region.props["aria-label"] = _("Show as table")
                with ui.element("table").classes("r-table r-numbers"):
                    with ui.element("thead"), ui.element("tr"):
                        for name in _names():
                            with ui.element("th").props("scope=col"):
                                ui.label(name)
                    self.body = ui.element("tbody")

    def show(self, figures: Figures, backend: str) -> None:
        self.body.clear()
        with self.body:
            for name, tally in figures.by_backend.items():
                if backend in ("", name):
                    _row(_("Total"), name, tally)
            for slot in reversed(figures.slots):
                for (name, at), tally in figures.by_both.items():
                    if at == slot and backend in ("", name):
                        _row(slot_name(figures, slot), name, tally)


def _names() -> list[str]:
    return [
        _("Date"),
        _("Backend"),
        _("Requested"),
        _("Push"),
        _("Poll"),
        _("Failed"),
        _("Late"),
        _("p50"),
        _("p95"),
        _("p99"),
        _("Scheduled polls"),
        _("Extra checks"),
        _("Stream disconnects"),
    ]


def _row(when: str, backend: str, tally: Tally) -> None:
    counts = (tally.total, tally.push, tally.poll, tally.failed, tally.late)
    lags = (tally.lag.p50_s, tally.lag.p95_s, tally.lag.p99_s) if tally.lag else ()
    cells = [
        backend,
        *(measure.number(count) for count in counts),
        *([measure.exactly(lag_s) for lag_s in lags] or ["–"] * 3),
        measure.number(tally.attempts),
        measure.number(tally.checks),
        format_breaks(tally.breaks) or "–",
    ]
    with ui.element("tr"):
        with ui.element("th").props("scope=row"):
            ui.label(when)
        for cell in cells:
            with ui.element("td"):
                ui.label(cell)
