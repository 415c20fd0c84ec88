"""All pages of the app, joined to the only door they know."""

from __future__ import annotations

from services.generations import Generations
from services.library import Library
from services.model import Kind
from ui import theme
from ui.pages import generation, settings, studio


def register(generations: Generations, library: Library) -> None:
    """Once, before `ui.run_with`."""
    theme.install()
    studio.register(generations, kind=Kind.VIDEO, path="/")
    generation.register(generations)
    settings.register()
