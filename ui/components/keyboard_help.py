"""The keys of each page, and the dialog that lists those of the page at hand."""

from collections.abc import Sequence

from nicegui import ui

from services.core.model import Kind
from ui.components.button import Button
from ui.text import _, deferred

Key = tuple[str, str]
"""What to press, and what it does."""

HELP = (("?", deferred("Show this list")),)
SAVE = (("d", deferred("Download")),)
PLAY = ((deferred("Space"), deferred("Play or pause")),)
LEAVE = ("Esc", deferred("Leave the text field"))
ZOOM = (("+ − 0", deferred("Large view: zoom in, zoom out, fit")),)
RESULT = {Kind.VIDEO: (*PLAY, *SAVE), Kind.IMAGE: (*ZOOM, *SAVE)}
STUDIO = (
    ("Ctrl ↵", deferred("Generate, also while typing")),
    ("/", deferred("Go to the prompt")),
    LEAVE,
    ("← →", deferred("Previous or next result")),
    ("Del", deferred("Move the focused card to trash")),
)
CHAT = (
    ("↵", deferred("Send the message")),
    ("Shift ↵", deferred("Start a new line")),
    ("/", deferred("Go to the message")),
    LEAVE,
    *PLAY,
    *SAVE,
)
SELECTION = (
    ("← ↑ ↓ →", deferred("Move through the grid")),
    ("Home End", deferred("First or last item")),
    ("x", deferred("Select or deselect")),
    ("Shift x", deferred("Select a range")),
    ("Ctrl a", deferred("Select all loaded items")),
    ("Esc", deferred("Clear selection")),
)
LIBRARY = (
    ("/", deferred("Search")),
    *SELECTION,
    ("↵", deferred("Open")),
    ("s", deferred("Star or unstar")),
    ("t", deferred("Tag")),
    ("d", deferred("Download the file, or the selection as a ZIP")),
    ("Del", deferred("Move to trash")),
)
TRASH = (*SELECTION, ("Del", deferred("Delete permanently")))


def studio(kind: Kind) -> Sequence[Key]:
    return *STUDIO, *RESULT[kind]


def show(keys: Sequence[Key]) -> None:
    with ui.dialog(value=True) as dialog, ui.element("div").classes("r-dialog r-dialog-keys"):
        dialog.props["aria-label"] = _("Keyboard shortcuts")
        ui.label(_("Keyboard shortcuts")).classes("r-dialog-title")
        with ui.element("dl").classes("r-keys"):
            for key, meaning in (*keys, *HELP):
                with ui.element("dt"):
                    for one in _(key).split():
                        with ui.element("kbd"):
                            key_name(one)
                with ui.element("dd"):
                    ui.label(_(meaning))
        with ui.element("div").classes("r-row r-row-end"):
            Button(_("Close"), dialog.close)
    dialog.on("hide", dialog.delete, [])


def key_name(name: str) -> None:
    """Draws the name; look/early.js says whether this is a Mac, where Ctrl is ⌘."""
    if "Ctrl" not in name:
        ui.label(name)
        return
    ui.label(name).classes("r-not-mac")
    ui.label(name.replace("Ctrl", "⌘")).classes("r-mac")
