"""Upload of a source picture by drop, paste or file dialog, with a thumbnail."""

from collections.abc import Awaitable, Callable

from nicegui import Client, app, events, ui
from starlette.requests import Request
from starlette.responses import JSONResponse

from services.core.errors import AppError
from services.generations.service import Generations
from services.media.sources import MAX_BYTES, TYPES
from ui.components.button import Button
from ui.components.error_boundary import guarded
from ui.components.icon import icon
from ui.session.person import current_person
from ui.text import _
from ui.text.errors import error_text

UPLOAD_PATH = "/_source"
MAX_NAME_LENGTH = 200


def install(generations: Generations) -> None:
    """Adds the upload route, once per app. Files never pass through the websocket."""

    @app.post(UPLOAD_PATH + "/{client_id}")
    async def upload(client_id: str, request: Request) -> JSONResponse:
        client = Client.instances.get(client_id)
        if client is None:
            return JSONResponse({"error": "This page is closed."}, 404)
        try:
            return JSONResponse(
                {"source": await generations.receive_source(request.stream(), owner=current_person())}, 201
            )
        except AppError as error:
            with client:  # for the page's language
                return JSONResponse({"error": error_text(error)}, 422)


def source_url(source: str) -> str:
    return f"/media/source/{source}"


class ImageUpload(ui.element, component="image_upload.js"):
    """Calls `on_source` with a new source and the name of its file, both empty when it is removed, and
    `on_metadata` with the raw metadata of a file that was downloaded from Rushes.
    """

    def __init__(
        self,
        source: str,
        name: str,
        *,
        on_source: Callable[[str, str], Awaitable[None]],
        on_metadata: Callable[[str], object],
        on_refused: Callable[[str], object],
    ) -> None:
        super().__init__()
        self._on_source = on_source
        self._props["address"] = f"{UPLOAD_PATH}/{self.client.id}"
        self._props["accept"] = ",".join(sorted(TYPES))
        self._props["most_bytes"] = MAX_BYTES
        self._props["words"] = {
            "coming": _("Uploading image …"),
            "one": _("Add one image at a time."),
            "large": _("Use an image of at most 50 MB."),
            "lost": _("Upload failed: the connection was lost. Try again."),
        }
        self.on("kept", self._kept)
        self.on("carried", lambda event: on_metadata(str(event.args)))
        self.on("refused", lambda event: on_refused(str(event.args)))
        self.show(source, name)

    def upload_anyway(self) -> None:
        """Uploads the file whose metadata was reported."""
        self.run_method("again")

    def show(self, source: str, name: str) -> None:
        self.clear()
        with self:
            if source:
                self._draw_thumbnail(source, name)
            else:
                self._draw_empty()

    def _draw_empty(self) -> None:
        with ui.element("button").classes("r-well-pick").props("type=button data-pick"):
            icon("image")
            ui.label(_("Add an image"))
            ui.label(_("drop, paste or choose")).classes("r-quiet")

    def _draw_thumbnail(self, source: str, name: str) -> None:
        with ui.element("div").classes("r-well-held"):
            thumbnail(source)
            with ui.element("div").classes("r-well-words"):
                shown = ui.label(name or _("Starting image")).classes("r-well-name")
                shown.props["title"] = name
                Button(_("Replace image"), look="bare").props("data-pick")
                Button(_("Remove image"), self._removed, look="bare")

    async def _kept(self, event: events.GenericEventArguments) -> None:
        source, name = (
            event.args if isinstance(event.args, list) and len(event.args) == 2 else (event.args, "")
        )
        await guarded(lambda: self._on_source(str(source), str(name)[:MAX_NAME_LENGTH]))()

    async def _removed(self) -> None:
        await self._on_source("", "")


def thumbnail(source: str) -> ui.element:
    picture = ui.element("img").classes("r-thumbnail")
    picture.props["src"] = source_url(source)
    picture.props["alt"] = _("Starting image")
    return picture
