"""The page shown when a page could not be built."""

from nicegui import app, ui

from services.core.errors import AppError
from ui.components.button import LinkButton
from ui.components.icon import icon
from ui.pages import layout
from ui.text import _
from ui.text.errors import error_text


def register() -> None:
    app.on_page_exception(show_error)


def show_error(error: Exception) -> None:
    """Shows an AppError's message; the text of any other exception is only logged."""
    with layout.frame(path="", title=_("Unavailable · Rushes")), ui.element("div").classes("r-lost"):
        icon("broken", size="xl").classes("r-scene-sign")
        with ui.element("h1").classes("r-scene-words"):
            ui.label(_("This page is unavailable right now."))
        sentence = error_text(error) if isinstance(error, AppError) else ""
        ui.label(sentence or _("Your results are safe. See the log for details.")).classes("r-quiet")
        with ui.element("div").classes("r-row"):
            LinkButton(_("System check"), "/checkup", icon_name="check")
