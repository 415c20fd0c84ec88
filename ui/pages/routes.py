"""Registers all pages with the services they use."""

from fastapi.responses import RedirectResponse
from nicegui import app

from services.chat import Chats
from services.core.model import Kind
from services.diagnostics.service import Diagnostics
from services.generations.service import Generations
from services.library import Library
from services.statistics import Statistics
from ui.components import image_upload
from ui.pages import chat, error_page, generation, layout, settings, studio
from ui.pages import checkup as checkup_page
from ui.pages import deliveries as deliveries_page
from ui.pages import library as library_page


def register(
    generations: Generations, library: Library, chats: Chats, deliveries: Statistics, diagnostics: Diagnostics
) -> None:
    """Registers all pages; called once, before `ui.run_with`."""
    layout.install(generations.bus)
    image_upload.install(generations)
    studio.register(generations, kind=Kind.VIDEO, path="/")
    studio.register(generations, kind=Kind.IMAGE, path="/image")
    app.add_api_route("/video", lambda: RedirectResponse("/"), include_in_schema=False)
    generation.register(generations)
    chat.register(chats)
    library_page.register(generations, library)
    deliveries_page.register(generations, deliveries)
    checkup_page.register(diagnostics)
    settings.register(library, generations.catalogue)
    error_page.register()
