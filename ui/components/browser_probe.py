"""The doctor's measurement in the browser, along the same network path as the pages."""

from collections.abc import Awaitable, Callable

from nicegui import events, ui
from pydantic import ValidationError

from services.core.errors import InvalidRequest
from services.diagnostics.doctor.browser_report import BrowserReport
from ui.components.error_boundary import Handler, guarded
from ui.text import _


class BrowserProbe(ui.element, component="browser_probe.js"):
    """Calls `on_start` when the measurement starts and `on_measured` with its report."""

    def __init__(
        self,
        seconds: int,
        *,
        on_start: Handler,
        on_measured: Callable[[BrowserReport], Awaitable[None] | None],
    ) -> None:
        super().__init__()
        self._on_measured = on_measured
        self._last_number = 0
        self._props["seconds"] = seconds
        self._props["words"] = {
            "ask": _("Run diagnostics"),
            "listening": _("Testing the event stream in this browser."),
            "progress": _("Elapsed time"),
            "figures": _("{passed} of {all} s; events received: {count}"),
            "handing": _("Measured. Sending the results."),
            "done": _("Measured. See the results below."),
            "cut_off": _(
                "No connection to Rushes: the WebSocket is blocked, or Rushes is down. Run python main.py "
                "doctor on the server."
            ),
        }
        self.on("begun", guarded(on_start), [])
        self.on("measured", self._handle_measured)

    def set_duration(self, seconds: int) -> None:
        """Sets the duration of the next measurement."""
        self._props["seconds"] = seconds
        self.update()

    async def _handle_measured(self, event: events.GenericEventArguments) -> None:
        """The browser repeats its report until it is acknowledged; repetitions are dropped."""

        def handler() -> Awaitable[None] | None:
            try:
                measured = BrowserReport.model_validate(event.args)
            except ValidationError as error:
                raise InvalidRequest("This browser's measurements could not be read.") from error
            self.run_method("taken", measured.number)
            if measured.number == self._last_number:
                return None
            self._last_number = measured.number
            return self._on_measured(measured)

        await guarded(handler)()
