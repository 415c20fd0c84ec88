"""A page that could not be built: what was in the way, calmly, and a way on."""

from __future__ import annotations

from nicegui import app, ui

from services.core.errors import AppError
from ui.components.button import LinkButton
from ui.components.icon import icon
from ui.pages import layout
from ui.text import _
from ui.text.errors import told


def register() -> None:
    app.on_page_exception(in_the_way)


def in_the_way(error: Exception) -> None:
    """An AppError's message is already a sentence a person can act on; nothing else's text is shown."""
    with layout.frame(here="", title=_("Not now · Rushes")), ui.element("div").classes("r-lost"):
        icon("broken", size="xl").classes("r-scene-sign")
        with ui.element("h1").classes("r-scene-words"):
            ui.label(_("This page cannot be shown now."))
        sentence = told(error) if isinstance(error, AppError) else ""
        ui.label(sentence or _("Nothing is lost; the log has the details.")).classes("r-quiet")
        with ui.element("div").classes("r-row"):
            LinkButton(_("Check-up"), "/checkup", icon_name="check")
