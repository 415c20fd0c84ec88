"""Dialog that adds tags to generations or removes them."""

from collections.abc import Awaitable, Callable, Collection

from nicegui import ui

from ui.components.button import Button
from ui.components.error_boundary import Handler, guarded
from ui.components.field import line
from ui.text import _

MAX_TAGS = 24


def tag_dialog(
    known: Collection[str], assigned: Collection[str], *, on_tag: Callable[[str, bool], Awaitable[object]]
) -> None:
    """`known` are all tags in use, `assigned` those that all chosen generations have."""
    new_tag = ""

    def write(text: str) -> None:
        nonlocal new_tag
        new_tag = text

    def tag_handler(name: str, on: bool) -> Handler:
        async def act() -> None:
            await on_tag(name, on)
            dialog.close()

        return act

    async def add() -> None:
        await on_tag(new_tag, True)
        dialog.close()

    with ui.dialog(value=True) as dialog, ui.element("form").classes("r-dialog") as form:
        form.props["aria-label"] = _("Tags")
        ui.label(_("Tags")).classes("r-dialog-title")
        field = line(_("New tag"), "", write, key="tag")
        field.control.props("autofocus maxlength=40")
        with ui.element("div").classes("r-row"):
            for name in sorted(known)[:MAX_TAGS]:
                on = name in assigned
                with ui.element("button").classes("r-chip-toggle").props("type=button") as button:
                    button.props["aria-pressed"] = "true" if on else "false"
                    ui.label(name)
                button.on("click", guarded(tag_handler(name, not on)), [])
        with ui.element("div").classes("r-row r-row-end"):
            Button(_("Close"), dialog.close)
            Button(_("Add"), look="quiet").props("type=submit")
    form.on("submit", guarded(add), [], js_handler="(event) => { event.preventDefault(); emit(); }")
    dialog.on("hide", dialog.delete, [])
