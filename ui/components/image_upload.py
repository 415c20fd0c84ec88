"""The picture to start from: dropped, pasted or chosen, with a thumbnail once it is here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nicegui import Client, app, events, ui
from starlette.requests import Request
from starlette.responses import JSONResponse

from services.core.errors import AppError
from services.core.model import LOCAL_OWNER
from services.generations.service import Generations
from services.media.sources import MOST_BYTES, TYPES
from ui.components.button import Button
from ui.components.error_boundary import guarded
from ui.components.icon import icon
from ui.text import _
from ui.text.errors import told

ADDRESS = "/_source"


def install(generations: Generations) -> None:
    """Once per app: where the wells of all pages send their pictures. Bytes never go through the socket."""

    @app.post(ADDRESS + "/{client_id}")
    async def bring(client_id: str, request: Request) -> JSONResponse:
        client = Client.instances.get(client_id)
        if client is None:
            return JSONResponse({"error": "This page is closed."}, 404)
        try:
            return JSONResponse(
                {"source": await generations.receive_source(request.stream(), owner=LOCAL_OWNER)}, 201
            )
        except AppError as error:
            with client:  # the sentence is in the page's language
                return JSONResponse({"error": told(error)}, 422)


def address_of(source: str) -> str:
    return f"/media/source/{source}"


class ImageUpload(ui.element, component="image_upload.js"):
    """`on_source` is told the name of a new source, empty when it is taken out; `on_story` what a file says
    that was handed out from here, as it stands in it.
    """

    def __init__(
        self,
        source: str,
        *,
        on_source: Callable[[str], Awaitable[None]],
        on_story: Callable[[str], object],
        on_refused: Callable[[str], object],
    ) -> None:
        super().__init__()
        self._on_source = on_source
        self._props["address"] = f"{ADDRESS}/{self.client.id}"
        self._props["accept"] = ",".join(sorted(TYPES))
        self._props["most_bytes"] = MOST_BYTES
        self._props["words"] = {
            "coming": _("Bringing the picture in …"),
            "one": _("One picture at a time: choose one of them."),
            "large": _("The picture may have at most 50 MB."),
            "lost": _("The picture did not get here: the connection broke. Try it again."),
        }
        self.on("kept", self._kept)
        self.on("carried", lambda event: on_story(str(event.args)))
        self.on("refused", lambda event: on_refused(str(event.args)))
        self.show(source)

    def take_anyway(self) -> None:
        """The file whose story was told, as the picture to start from."""
        self.run_method("again")

    def show(self, source: str) -> None:
        self.clear()
        with self:
            if source:
                self._thumbnail(source)
            else:
                self._invitation()

    def _invitation(self) -> None:
        with ui.element("button").classes("r-well-pick").props("type=button data-pick"):
            icon("image")
            ui.label(_("Add a picture"))
            ui.label(_("drop, paste or choose")).classes("r-quiet")

    def _thumbnail(self, source: str) -> None:
        with ui.element("div").classes("r-well-held"):
            thumbnail(source)
            with ui.element("div").classes("r-well-words"):
                Button(_("Another picture"), look="bare").props("data-pick")
                Button(_("Remove picture"), self._removed, look="bare")

    async def _kept(self, event: events.GenericEventArguments) -> None:
        await guarded(lambda: self._on_source(str(event.args)))()

    async def _removed(self) -> None:
        await self._on_source("")


def thumbnail(source: str) -> ui.element:
    picture = ui.element("img").classes("r-thumbnail")
    picture.props["src"] = address_of(source)
    picture.props["alt"] = _("The picture to start from")
    return picture
