"""Dialog with one text field."""

from nicegui import ui

from ui.components import field
from ui.components.button import Button
from ui.text import _


async def ask(question: str, value: str, *, yes: str) -> str | None:
    """Returns the text, or None if the dialog was cancelled."""
    typed = value

    def on_change(text: str) -> None:
        nonlocal typed
        typed = text

    with ui.dialog() as dialog, ui.element("div").classes("r-dialog"):
        dialog.props["aria-label"] = question
        asked = field.line(question, value, on_change, key="ask")
        asked.control.props("autofocus")
        asked.control.on("keydown.enter", lambda: dialog.submit(typed), [])
        with ui.element("div").classes("r-row r-row-end"):
            Button(_("Cancel"), lambda: dialog.submit(None))
            Button(yes, lambda: dialog.submit(typed), look="quiet")
    answer = await dialog
    dialog.delete()
    return None if answer is None else str(answer)
