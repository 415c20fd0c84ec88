"""Marks what may be out of date while the page has no connection to its server."""

from nicegui import ui

from ui.text import _


def last_known() -> ui.label:
    """Returns a label that shows only while the page is cut off; the class `r-live-only` hides the rest."""
    return ui.label(_("Last known state")).classes("r-last-known")
