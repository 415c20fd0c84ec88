"""All pages of the app, joined to the only doors they know."""

from __future__ import annotations

from fastapi.responses import RedirectResponse
from nicegui import app

from services.chat import Chats
from services.checkup import Checkup
from services.deliveries import Deliveries
from services.generations import Generations
from services.library import Library
from services.model import Kind
from ui import theme
from ui.components import source_well
from ui.pages import chat, generation, settings, studio, trouble
from ui.pages import checkup as checkup_page
from ui.pages import deliveries as deliveries_page
from ui.pages import library as library_page


def register(
    generations: Generations, library: Library, chats: Chats, deliveries: Deliveries, checkup: Checkup
) -> None:
    """Once, before `ui.run_with`."""
    theme.install(generations.bus)
    source_well.install(generations)
    studio.register(generations, kind=Kind.VIDEO, path="/")
    studio.register(generations, kind=Kind.IMAGE, path="/image")
    app.add_api_route("/video", lambda: RedirectResponse("/"), include_in_schema=False)
    generation.register(generations)
    chat.register(chats)
    library_page.register(generations, library)
    deliveries_page.register(generations, deliveries)
    checkup_page.register(checkup)
    settings.register(library)
    trouble.register()
