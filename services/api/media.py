"""/media/{id}/…: the kept bytes, as received, from our own disk."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from fastapi import APIRouter, Request, Response

from services.api.openapi import NO_FILE, Responses
from services.api.request_context import Owner
from services.core.errors import NotFound
from services.core.model import Generation, Kept, Phase
from services.generations.service import Generations
from services.library import Library
from services.library.export import download_name
from services.media.formats import CONTENT_TYPES, FORMATS
from services.media.serve import copy_response, file_response, served_type

TYPES = {each.extension: each.content_type for each in FORMATS}
ANSWERS: Responses = {
    200: {"content": {each: {} for each in sorted(CONTENT_TYPES)}},
    206: {"description": "A range of the bytes."},
    304: {"description": "Unchanged."},
    **NO_FILE,
    416: {"description": "The range lies outside the file."},
}


def router(generations: Generations, library: Library, lost: Callable[[str], None]) -> APIRouter:
    """Calls `lost` with the id of a completed generation whose file is gone."""
    routes = APIRouter(prefix="/media/{file_id}", tags=["media"])

    async def media_file(owner: Owner, file_id: str, request: Request) -> Response:
        """The film or picture itself; what carries a problem is sent as a download."""
        generation, kept = await _kept(owner, file_id)
        name = None if kept.problem is None else download_name(generation, kept)
        with _report_loss(generation):
            return send_file(
                generations.media(kept.name), served_type(kept), kept.sha256, request, download_name=name
            )

    async def download(owner: Owner, file_id: str, request: Request) -> Response:
        """A copy that carries prompt, model, seed, settings and receipt (PNG, JPEG, WebP, MP4; all else as
        it was kept), to be saved under a name made of the prompt's words.
        """
        generation, kept = await _kept(owner, file_id)
        with _report_loss(generation):
            _, copy = await library.copy(file_id, owner=owner)
        return copy_response(
            copy,
            content_type=served_type(kept),
            download_name=download_name(generation, kept),
            method=request.method,
            headers=request.headers,
        )

    async def poster(owner: Owner, file_id: str, request: Request) -> Response:
        """A still, WebP; also of what is in the trash."""
        generation, _ = await _kept(owner, file_id, trashed=True)
        return _illustration(generation.poster, request)

    async def preview(owner: Owner, file_id: str, request: Request) -> Response:
        """A short silent film for hovering; also of what is in the trash."""
        generation, _ = await _kept(owner, file_id, trashed=True)
        return _illustration(generation.preview, request)

    async def _kept(owner: str, file_id: str, *, trashed: bool = False) -> tuple[Generation, Kept]:
        generation = await generations.get(file_id, trashed=trashed, owner=owner)
        if generation.phase is not Phase.COMPLETED or generation.kept is None:
            raise NotFound("This file is not here yet.")
        return generation, generation.kept

    @contextmanager
    def _report_loss(generation: Generation) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            lost(generation.id)
            raise NotFound("This file was kept, but it is gone from the disk.") from error

    def _illustration(name: str | None, request: Request) -> Response:
        if name is None:
            raise NotFound("There is no such picture of this file.")
        try:
            return send_file(generations.media(name), type_of(name), name, request)
        except FileNotFoundError as error:
            raise NotFound("This picture is gone from the disk.") from error

    for name, endpoint in {
        "file": media_file,
        "download": download,
        "poster": poster,
        "preview": preview,
    }.items():
        routes.add_api_route(f"/{name}", endpoint, response_class=Response, responses=ANSWERS)
        routes.add_api_route(f"/{name}", endpoint, methods=["HEAD"], include_in_schema=False)
    return routes


def type_of(name: str) -> str:
    """Empty for an unknown extension."""
    return TYPES.get(name.rpartition(".")[2], "")


def send_file(
    path: Path, content_type: str, etag: str, request: Request, *, download_name: str | None = None
) -> Response:
    return file_response(
        path,
        content_type=content_type,
        etag=etag,
        download_name=download_name,
        method=request.method,
        headers=request.headers,
    )
