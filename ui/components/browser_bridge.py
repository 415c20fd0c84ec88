"""Browser-side features of a page: keyboard, clipboard, the notice of a lost connection."""

from collections.abc import Callable

from nicegui import events, ui

from ui.components.button import Button
from ui.components.toast import toast
from ui.text import _, deferred

KEYS = (
    ("Ctrl ↵", deferred("Generate, also from inside the text")),
    ("/", deferred("Go to the text field; Esc leaves it")),
    (deferred("Space"), deferred("Play or pause")),
    ("← →", deferred("Step through the rushes")),
    ("d", deferred("Save the file")),
    ("?", deferred("This list")),
)


class BrowserBridge(ui.element, component="browser_bridge.js"):
    def __init__(self, *, on_step: Callable[[int], object] | None = None) -> None:
        super().__init__()
        self._props["words"] = {
            "lost": _("Connection lost."),
            "calm": _("Nothing is lost: what is running is watched, also after a restart."),
            "unsent": _("Not sent: no connection. Your text is kept here."),
            "long": _("Not sent: the text is too long. It is still here."),
        }
        self.on("help", show_keys, [])
        self.on("copied", _on_copied)
        if on_step is not None:
            self.on("step", lambda event: on_step(1 if event.args == 1 else -1))


def show_keys() -> None:
    with ui.dialog(value=True) as dialog, ui.element("div").classes("r-dialog"):
        dialog.props["aria-label"] = _("Keyboard")
        ui.label(_("Keyboard")).classes("r-dialog-title")
        with ui.element("dl").classes("r-keys"):
            for key, meaning in KEYS:
                with ui.element("dt"), ui.element("kbd"):
                    ui.label(_(key))
                with ui.element("dd"):
                    ui.label(_(meaning))
        with ui.element("div").classes("r-row r-row-end"):
            Button(_("Close"), dialog.close)
    dialog.on("hide", dialog.delete, [])


def _on_copied(event: events.GenericEventArguments) -> None:
    """`args` is empty if the link was copied, else the link to show."""
    if not event.args:
        toast(_("The link is on the clipboard."), tone="good")
        return
    with ui.dialog(value=True) as dialog, ui.element("div").classes("r-dialog"):
        dialog.props["aria-label"] = _("The link")
        ui.label(_("The clipboard is closed to this page. Copy it from here:")).classes("r-dialog-text")
        ui.input(value=str(event.args)).props("borderless dense readonly autofocus").classes("r-input")
        with ui.element("div").classes("r-row r-row-end"):
            Button(_("Close"), dialog.close)
    dialog.on("hide", dialog.delete, [])
