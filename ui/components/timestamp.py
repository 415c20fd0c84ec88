"""A point in time, formatted and updated in the browser, without a timer on the server."""

from time import time
from typing import Literal

from nicegui import ui

from ui.text import _


class Timestamp(ui.element, component="timestamp.js"):
    """`mode`: ago (just now, 10:42), since (0:42, counting), until (0:07, counting down to "now"), exact
    (10:42:07.31) or full (date and time).
    """

    def __init__(self, at: float, mode: Literal["ago", "since", "until", "exact", "full"] = "ago") -> None:
        super().__init__()
        self._at = at
        with self._props.suspend_updates():
            self._props["at"] = at
            self._props["clock"] = time()
            self._props["mode"] = mode
            self._props["words"] = {"now": _("just now"), "due": _("now")}

    def show(self, at: float) -> None:
        if at != self._at:
            self._at = at
            self._props["at"] = at
