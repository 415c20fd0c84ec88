"""/media/{id}/...: the kept bytes, as received, from our own disk."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response

from services.api.answers import Refusal
from services.errors import NotFound
from services.generations import Generations
from services.media.formats import FORMATS
from services.media.serve import file_response
from services.model import Generation, Kept, Phase

TYPES = {each.extension: each.content_type for each in FORMATS}
EXTENSIONS = {each.content_type: each.extension for each in FORMATS}
ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"content": {each: {} for each in EXTENSIONS}},
    206: {"description": "A range of the bytes."},
    304: {"description": "Unchanged."},
    404: {"model": Refusal, "description": "There is no such file."},
    416: {"description": "The range lies outside the file."},
}
LONGEST_WORDS = 60


def router(generations: Generations, lost: Callable[[str], None]) -> APIRouter:
    """`lost` is told the id of a completed generation whose file is gone."""
    routes = APIRouter(prefix="/media/{file_id}", tags=["media"])

    async def file(file_id: str, request: Request) -> Response:
        """The film or picture itself."""
        return _original(*await _kept(file_id), request)

    async def download(file_id: str, request: Request) -> Response:
        """The same bytes, to be saved under a name made of the prompt's words."""
        generation, kept = await _kept(file_id)
        return _original(generation, kept, request, download_name(generation, kept))

    async def poster(file_id: str, request: Request) -> Response:
        """A still, WebP."""
        generation, _ = await _kept(file_id)
        return _companion(generation.poster, request)

    async def preview(file_id: str, request: Request) -> Response:
        """A short silent film for hovering."""
        generation, _ = await _kept(file_id)
        return _companion(generation.preview, request)

    async def _kept(file_id: str) -> tuple[Generation, Kept]:
        generation = await generations.get(file_id)
        if generation.phase is not Phase.COMPLETED or generation.kept is None:
            raise NotFound("This file is not here yet.")
        return generation, generation.kept

    def _original(
        generation: Generation, kept: Kept, request: Request, save_as: str | None = None
    ) -> Response:
        try:
            return _bytes(generations.media(kept.name), kept.content_type, kept.sha256, request, save_as)
        except FileNotFoundError as error:
            lost(generation.id)
            raise NotFound("This file was kept, but it is gone from the disk.") from error

    def _companion(name: str | None, request: Request) -> Response:
        if name is None:
            raise NotFound("There is no such picture of this file.")
        content_type = TYPES.get(name.rpartition(".")[2], "")
        try:
            return _bytes(generations.media(name), content_type, name, request)
        except FileNotFoundError as error:
            raise NotFound("This picture is gone from the disk.") from error

    for name, endpoint in {"file": file, "download": download, "poster": poster, "preview": preview}.items():
        routes.add_api_route(f"/{name}", endpoint, response_class=Response, responses=ANSWERS)
        routes.add_api_route(f"/{name}", endpoint, methods=["HEAD"], include_in_schema=False)
    return routes


def _bytes(
    path: Path, content_type: str, etag: str, request: Request, save_as: str | None = None
) -> Response:
    return file_response(
        path,
        content_type=content_type,
        etag=etag,
        download_name=save_as,
        method=request.method,
        headers=request.headers,
    )


def download_name(generation: Generation, kept: Kept) -> str:
    """As "a-red-kite-over-the-sea-1b2c3d4e.mp4"."""
    words = "-".join(re.findall(r"\w+", generation.request.prompt.lower())[:8])[:LONGEST_WORDS].strip("-_")
    tail = re.sub(r"\W", "", generation.id)[-8:]
    return f"{words or generation.request.kind}-{tail}.{EXTENSIONS.get(kept.content_type, 'bin')}"
