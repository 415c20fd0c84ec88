"""The doctor's part that the browser itself plays: it alone goes the way that people go."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nicegui import events, ui
from pydantic import ValidationError

from services.core.errors import InvalidRequest
from services.diagnostics.doctor.browser_report import BrowserReport
from ui.components.error_boundary import Act, guarded
from ui.text import _


class BrowserProbe(ui.element, component="browser_probe.js"):
    """`on_begun` is told when it begins to listen, `on_measured` what came of it."""

    def __init__(
        self, seconds: int, *, on_begun: Act, on_measured: Callable[[BrowserReport], Awaitable[None] | None]
    ) -> None:
        super().__init__()
        self._on_measured = on_measured
        self._number = 0
        self._props["seconds"] = seconds
        self._props["words"] = {
            "ask": _("Ask the doctor"),
            "listening": _("This browser listens to an event stream, as it would for a film."),
            "progress": _("How long it has listened"),
            "figures": _("{passed} of {all} s; events heard: {count}"),
            "handing": _("Measured. Handing it to Rushes."),
            "done": _("Measured. What it means stands below."),
            "cut_off": _(
                "Measured, but the page has lost its line to Rushes, so nothing can be said about it: the"
                " websocket does not pass, or Rushes is down. Try python main.py doctor on its machine."
            ),
        }
        self.on("begun", guarded(on_begun), [])
        self.on("measured", self._measured)

    def listen_for(self, seconds: int) -> None:
        """From the next time on."""
        self._props["seconds"] = seconds
        self.update()

    async def _measured(self, event: events.GenericEventArguments) -> None:
        """The browser tells it until it hears that it was taken; the second time it is no news."""

        def act() -> Awaitable[None] | None:
            try:
                measured = BrowserReport.model_validate(event.args)
            except ValidationError as error:
                raise InvalidRequest("What this browser has measured could not be read.") from error
            self.run_method("taken", measured.number)
            if measured.number == self._number:
                return None
            self._number = measured.number
            return self._on_measured(measured)

        await guarded(act)()
