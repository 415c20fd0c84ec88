"""Says what the animatic is wherever it may be taken for an AI model, and how to connect one."""

from collections.abc import Callable

from nicegui import app, ui

from services.catalogue import Catalogue
from services.core.model import ANIMATIC, Kind, Request
from ui.text import _

CONNECT_URL = "/settings#connect"


def install(is_recognised: Callable[[Request], bool]) -> None:
    """`is_recognised` says whether the animatic finds anything in a prompt that it can draw."""
    app.state.is_recognised = is_recognised


def draws_alone(catalogue: Catalogue, kind: Kind) -> bool:
    """Whether the animatic is the only backend with models."""
    return {model.backend for model in catalogue.models(kind)} == {ANIMATIC}


def welcome() -> ui.element:
    return _notice(_("No model connected. The animatic sketches your prompts: free rehearsal, no AI model."))


def about_model() -> ui.element:
    return _notice(_("Free rehearsal, no AI model."))


def unmatched(request: Request) -> None:
    """Draws nothing for a prompt that the animatic recognises."""
    is_recognised: Callable[[Request], bool] = getattr(app.state, "is_recognised", lambda _: True)
    if is_recognised(request):
        return
    sentence = _("The animatic found no scene for this prompt and chose one at random.")
    if request.source is not None:
        sentence = _("The animatic found nothing in this prompt to apply to the image.")
    _notice(f"{sentence} {_('Free rehearsal, no AI model.')}")


def _notice(sentence: str) -> ui.element:
    with ui.element("p").classes("r-aside") as notice:
        ui.label(sentence)
        with ui.element("a").classes("r-aside-link").props(f"href={CONNECT_URL}"):
            ui.label(_("Connect a model"))
    return notice
