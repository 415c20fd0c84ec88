"""The stage while it is under way, from the moment it is written down. Progress is never invented."""

from __future__ import annotations

from nicegui import ui

from services.core.model import Generation
from services.generations.service import TypicalDuration
from ui.components.icon import icon
from ui.components.progress_bar import Bar
from ui.components.timestamp import Timestamp
from ui.state import Status, shown_progress
from ui.text import labels


class Working:
    """`take` changes only what has changed; the sentence follows the tab's status by itself."""

    def __init__(self, generation: Generation, status: Status, typical: TypicalDuration | None) -> None:
        self._drawn = ""
        self.sign = icon("reel", size="xl").classes("r-scene-sign")
        self.bar = Bar()
        with ui.element("p").classes("r-scene-words"):
            message = ui.label(labels.message(generation))
        message.bind_text_from(status, "message")
        with ui.element("p").classes("r-quiet r-figures"):
            Timestamp(generation.created_at, "since")
            ui.label("·").props("aria-hidden=true")
            ui.label(labels.estimate(typical))
        self.late = ui.label(labels.still_running(generation)).classes("r-late")
        self.take(generation)

    def take(self, generation: Generation) -> None:
        percent = shown_progress(generation)
        late = generation.late_since is not None
        self.bar.show(percent)
        self.late.visible = late
        self._draw("late" if late else "send" if generation.status == "pending" else "reel")
        self.sign.visible = percent is None or late

    def _draw(self, sign: str) -> None:
        if sign != self._drawn:
            self._drawn = sign
            self.sign.classes(replace=f"i i-{sign} i-xl r-scene-sign")
