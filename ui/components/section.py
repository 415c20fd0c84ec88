"""A section of a page with a heading."""

from collections.abc import Iterator
from contextlib import contextmanager

from nicegui import ui


@contextmanager
def section(title: str, about: str = "") -> Iterator[ui.element]:
    """`about` is a secondary sentence below the heading."""
    with ui.element("section").classes("r-panel") as panel:
        panel.props["aria-label"] = title
        with ui.element("h2").classes("r-h2"):
            ui.label(title)
        if about:
            ui.label(about).classes("r-quiet")
        yield panel
