"""The timeline of one generation as a table."""

from collections.abc import Sequence

from nicegui import ui

from services.core.model import TraceEntry
from ui.components.timestamp import Timestamp
from ui.text import _, deferred, timeline

SOURCES = {"push": deferred("push"), "poll": deferred("poll"), "engine": deferred("Rushes")}
ROWS = 500
"""Only the newest rows are kept."""


class TraceTable:
    def __init__(self) -> None:
        self._last_seq = -1
        self._rows: list[ui.element] = []
        self._progress: ui.label | None = None
        with ui.element("table").classes("r-table") as table:
            table.props["aria-label"] = _("Timeline")
            with ui.element("thead"), ui.element("tr"):
                for name in (_("Time"), _("Source"), _("Event")):
                    with ui.element("th").props("scope=col"):
                        ui.label(name)
            self._body = ui.element("tbody")

    def add(self, entries: Sequence[TraceEntry]) -> None:
        """Adds newer entries. Consecutive push progress shares one row."""
        new = [one for one in entries if one.seq > self._last_seq]
        with self._body:
            for entry in new:
                self._last_seq = entry.seq
                is_progress = entry.lane == "push" and entry.data.get("heard") == "progress"
                if is_progress and self._progress is not None:
                    self._progress.text = timeline.line(entry)
                    continue
                row, text = _row(entry)
                self._progress = text if is_progress else None
                self._rows.append(row)
        while len(self._rows) > ROWS:
            self._rows.pop(0).delete()


def _row(entry: TraceEntry) -> tuple[ui.element, ui.label]:
    with ui.element("tr") as row:
        with ui.element("td"):
            Timestamp(entry.at, "exact")
        with ui.element("td"):
            ui.label(_(SOURCES.get(entry.lane, entry.lane))).classes(f"r-lane {_source_class(entry)}")
        with ui.element("td"):
            text = ui.label(timeline.line(entry))
    return row, text


def _source_class(entry: TraceEntry) -> str:
    return entry.lane if entry.lane in SOURCES else "engine"
