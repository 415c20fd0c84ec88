"""A thin progress bar that exists only while a figure is known."""

from __future__ import annotations

from nicegui import ui

from ui.text import _


class Bar(ui.element):
    def __init__(self) -> None:
        super().__init__("progress")
        self.classes("r-bar").props("max=100 value=0")
        self.props["aria-label"] = _("Progress")
        self.visible = False
        self.percent: int | None = None

    def show(self, percent: int | None) -> None:
        if percent == self.percent:
            return
        self.percent = percent
        self.visible = percent is not None
        if percent is not None:
            self.props["value"] = percent
