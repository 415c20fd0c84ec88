"""The stage's view of a running generation. Progress is never estimated."""

from nicegui import ui

from services.core.model import Generation
from services.generations.service import TypicalDuration
from ui.components.icon import icon
from ui.components.progress_bar import ProgressBar
from ui.components.timestamp import Timestamp
from ui.state import Status
from ui.text import labels


class ProgressPanel:
    """`refresh` updates only what changed; the sentence is bound to the tab's status."""

    def __init__(self, generation: Generation, status: Status, typical: TypicalDuration | None) -> None:
        self._drawn_icon = ""
        self.icon_element = icon("reel", size="xl").classes("r-scene-sign")
        self.bar = ProgressBar()
        with ui.element("p").classes("r-scene-words"):
            message = ui.label(labels.message(generation))
        message.bind_text_from(status, "message")
        with ui.element("p").classes("r-quiet r-figures"):
            self.since = Timestamp(generation.created_at, "since")
            ui.label("·").props("aria-hidden=true")
            ui.label(labels.estimate(typical))
        self.late = ui.label(labels.still_running(generation)).classes("r-late")
        self.refresh(generation)

    def refresh(self, generation: Generation) -> None:
        percent = generation.percent
        late = generation.late_since is not None
        # the estimate beside it counts the work
        self.since.show(generation.started_at or generation.created_at)
        self.bar.show(percent)
        self.late.visible = late
        self._draw(
            "late"
            if late
            else "clock"
            if generation.queued
            else "send"
            if generation.status == "pending"
            else "reel"
        )
        self.icon_element.visible = percent is None or late

    def _draw(self, icon_name: str) -> None:
        if icon_name != self._drawn_icon:
            self._drawn_icon = icon_name
            self.icon_element.classes(replace=f"i i-{icon_name} i-xl r-scene-sign")
