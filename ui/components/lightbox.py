"""Shows the picture that a person clicks as large as the window, with zoom and steps to its neighbours."""

from nicegui import ui

from ui.text import _


class Lightbox(ui.element, component="lightbox.js"):
    """One for each page; it opens for every `img.r-player`."""

    def __init__(self) -> None:
        super().__init__()
        self._props["words"] = {
            "close": _("Close"),
            "in": _("Zoom in"),
            "out": _("Zoom out"),
            "previous": _("Previous image"),
            "next": _("Next image"),
            "place": _("{place} of {count}"),
        }
