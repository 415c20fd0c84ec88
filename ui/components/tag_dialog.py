"""The question which tag some generations are to have, or to lose."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection

from nicegui import ui

from ui.components.button import Button
from ui.components.error_boundary import Act, guarded
from ui.components.field import line
from ui.text import _

MOST_OFFERED = 24


def tagging(
    known: Collection[str], there: Collection[str], *, on_tag: Callable[[str, bool], Awaitable[object]]
) -> None:
    """`known` are all tags in use, `there` those that all of the chosen carry."""
    typed = ""

    def write(text: str) -> None:
        nonlocal typed
        typed = text

    def giving(name: str, on: bool) -> Act:
        async def act() -> None:
            await on_tag(name, on)
            dialog.close()

        return act

    async def add() -> None:
        await on_tag(typed, True)
        dialog.close()

    with ui.dialog(value=True) as dialog, ui.element("form").classes("r-dialog") as form:
        form.props["aria-label"] = _("Tags")
        ui.label(_("Tags")).classes("r-dialog-title")
        field = line(_("New tag"), "", write, key="tag")
        field.control.props("autofocus maxlength=40")
        with ui.element("div").classes("r-row"):
            for name in sorted(known)[:MOST_OFFERED]:
                on = name in there
                with ui.element("button").classes("r-chip-toggle").props("type=button") as button:
                    button.props["aria-pressed"] = "true" if on else "false"
                    ui.label(name)
                button.on("click", guarded(giving(name, not on)), [])
        with ui.element("div").classes("r-row r-row-end"):
            Button(_("Close"), dialog.close)
            Button(_("Add"), look="quiet").props("type=submit")
    form.on("submit", guarded(add), [], js_handler="(event) => { event.preventDefault(); emit(); }")
    dialog.on("hide", dialog.delete, [])
