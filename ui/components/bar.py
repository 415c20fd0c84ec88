"""A thin progress bar that exists only while a figure is known."""

from __future__ import annotations

from nicegui import ui

from ui.text import _


class Bar(ui.element):
    def __init__(self) -> None:
        super().__init__("div")
        self.classes("r-bar").props("role=progressbar aria-valuemin=0 aria-valuemax=100")
        self.props["aria-label"] = _("Progress")
        self.visible = False
        self.percent: int | None = None
        with self:
            self._fill = ui.element("i")

    def show(self, percent: int | None) -> None:
        if percent == self.percent:
            return
        self.percent = percent
        self.visible = percent is not None
        if percent is not None:
            self.props["aria-valuenow"] = percent
            self._fill.style(replace=f"inline-size: {percent}%")
