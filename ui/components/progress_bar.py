"""Progress bar, visible only while progress is known."""

from nicegui import ui

from ui.text import _


class ProgressBar(ui.element):
    """A single element drawn by CSS, because its updates are frequent."""

    def __init__(self) -> None:
        super().__init__("div")
        self.classes("r-bar").props("role=progressbar")
        self.props["aria-label"] = _("Progress")
        self.visible = False
        self.percent: int | None = None
        self._words = _("{percent} %")

    def show(self, percent: int | None) -> None:
        if percent == self.percent:
            return
        self.percent = percent
        self.visible = percent is not None
        if percent is None:
            return
        with self.props.suspend_updates(), self.style.suspend_updates():
            self.props["aria-valuenow"] = percent
            self.props["aria-valuetext"] = self._words.format(percent=percent)
            self.style["--percent"] = f"{percent}%"
        self.update()
