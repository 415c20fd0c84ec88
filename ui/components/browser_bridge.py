"""Browser-side features of a page: keyboard, clipboard, the notice of a lost connection."""

from collections.abc import Callable, Sequence

from nicegui import events, ui

from ui.components import keyboard_help
from ui.components.button import Button
from ui.components.toast import toast
from ui.text import _


class BrowserBridge(ui.element, component="browser_bridge.js"):
    def __init__(
        self, *, keys: Sequence[keyboard_help.Key], on_step: Callable[[int], object] | None = None
    ) -> None:
        super().__init__()
        self._props["words"] = {
            "lost": _("Connection lost."),
            "calm": _("Running jobs continue and resume after a restart."),
            "unsent": _("Not sent: no connection. Your text is still here."),
            "long": _("Not sent: the text is too long. Your text is still here."),
        }
        self.on("help", lambda: keyboard_help.show(keys), [])
        self.on("copied", _on_copied)
        if on_step is not None:
            self.on("step", lambda event: on_step(1 if event.args == 1 else -1))


def _on_copied(event: events.GenericEventArguments) -> None:
    """`args` is empty if the link was copied, else the link to show."""
    if not event.args:
        toast(_("Link copied"), tone="good")
        return
    with ui.dialog(value=True) as dialog, ui.element("div").classes("r-dialog"):
        dialog.props["aria-label"] = _("Link")
        ui.label(_("The link could not be copied. Copy it from here:")).classes("r-dialog-text")
        ui.input(value=str(event.args)).props("borderless dense readonly autofocus").classes("r-input")
        with ui.element("div").classes("r-row r-row-end"):
            Button(_("Close"), dialog.close)
    dialog.on("hide", dialog.delete, [])
