"""Confirmation dialog."""

from nicegui import ui

from ui.components.button import Button
from ui.text import _


async def confirm(question: str, detail: str, *, yes: str, no: str = "") -> bool:
    """Returns whether the person confirmed; closing the dialog is a no. `no` defaults to "Keep"."""
    with ui.dialog() as dialog, ui.element("div").classes("r-dialog"):
        dialog.props["aria-label"] = question
        ui.label(question).classes("r-dialog-title")
        ui.label(detail).classes("r-dialog-text")
        with ui.element("div").classes("r-row r-row-end"):
            Button(no or _("Keep"), lambda: dialog.submit(False)).props("autofocus")
            Button(yes, lambda: dialog.submit(True), look="trouble")
    answer = await dialog
    dialog.delete()
    return bool(answer)
