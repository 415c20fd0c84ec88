"""The library over HTTP: stars, tags, trash, ZIPs, and the settings embedded in a file."""

from typing import Annotated, Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import StreamingResponse

from services.api import request_body
from services.api.caller import Owner
from services.api.errors import BadRequest
from services.api.public_url import Addresses
from services.api.response_models import FileAnswer, Refusal, ResponseModel, file_answer
from services.core.model import Draft
from services.generations.service import Generations
from services.library import Library
from services.library.library import LONGEST_TAG

MISSING: dict[int | str, dict[str, Any]] = {404: {"model": Refusal, "description": "There is no such file."}}
ZIP: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/zip": {}}, "description": "The copies, with their metadata."},
    404: {"model": Refusal, "description": "Nothing of it has a file."},
}
FORM = "application/x-www-form-urlencoded"
ZIP_NAME = "rushes.zip"
Tag = Annotated[str, Path(max_length=LONGEST_TAG * 4)]


class Removed(ResponseModel):
    removed: int
    waiting: int
    """Stopped ones that stay in the trash, because what was paid for may still come."""


class EmbeddedSettings(ResponseModel):
    """What a file that was downloaded from here was made with; in the words of POST /api/generate/…"""

    type: str
    prompt: str
    backend: str | None
    model: str | None
    duration: float | None
    aspect_ratio: str | None
    resolution: str | None
    fps: int | None
    seed: int | None
    negative_prompt: str
    style: str
    shot_size: str


def router(generations: Generations, library: Library, addresses: Addresses) -> APIRouter:
    routes = APIRouter(prefix="/api", tags=["library"], responses=MISSING)

    async def answer(owner: str, file_id: str, request: Request) -> FileAnswer:
        return file_answer(await generations.get(file_id, owner=owner), addresses.base(request))

    @routes.put("/file/{file_id}/star")
    async def star(owner: Owner, file_id: str, request: Request) -> FileAnswer:
        """Give it a star: no rule lets it go."""
        await library.star([file_id], on=True, owner=owner)
        return await answer(owner, file_id, request)

    @routes.delete("/file/{file_id}/star")
    async def unstar(owner: Owner, file_id: str, request: Request) -> FileAnswer:
        """Take the star away."""
        await library.star([file_id], on=False, owner=owner)
        return await answer(owner, file_id, request)

    @routes.put("/file/{file_id}/tags/{tag}")
    async def tag(owner: Owner, file_id: str, tag: Tag, request: Request) -> FileAnswer:
        """Give it a tag."""
        await library.tag([file_id], tag, on=True, owner=owner)
        return await answer(owner, file_id, request)

    @routes.delete("/file/{file_id}/tags/{tag}")
    async def untag(owner: Owner, file_id: str, tag: Tag, request: Request) -> FileAnswer:
        """Take a tag away."""
        await library.tag([file_id], tag, on=False, owner=owner)
        return await answer(owner, file_id, request)

    @routes.post("/file/{file_id}/restore")
    async def restore(owner: Owner, file_id: str, request: Request) -> FileAnswer:
        """Out of the trash."""
        await library.restore([file_id], owner=owner)
        return await answer(owner, file_id, request)

    @routes.delete("/trash")
    async def empty(owner: Owner) -> Removed:
        """Remove all that is in the trash for good, files included."""
        return Removed(removed=await library.empty(owner=owner), waiting=await library.waiting(owner=owner))

    @routes.post("/files/zip", response_class=Response, responses=ZIP, openapi_extra=_IDS)
    async def archive(owner: Owner, request: Request) -> Response:
        """Copies with metadata as one ZIP, streamed; ids as JSON `{"ids": [...]}` or as a form."""
        made = await library.archive(await _ids(request), owner=owner)
        headers = {
            "Content-Disposition": f'attachment; filename="{ZIP_NAME}"',
            "Content-Length": str(made.size_bytes),
            "Cache-Control": "no-store",
        }
        return StreamingResponse(made.chunks, media_type="application/zip", headers=headers)

    @routes.post("/settings-in-file", openapi_extra=_BYTES)
    async def settings_in_file(request: Request) -> EmbeddedSettings:
        """What a downloaded file was made with. Send the file itself, or only its first and last 256 KB."""
        return _settings(library.settings_in(await request_body.some_bytes(request)))

    return routes


async def _ids(request: Request) -> list[str]:
    """Raises BadRequest."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() == FORM:
        body = await request_body.some_bytes(request)
        try:
            ids: Any = parse_qs(body.decode(), max_num_fields=10).get("ids", [""])[0].split(",")
        except ValueError as error:
            raise BadRequest("The form cannot be read.") from error
    else:
        came = await request_body.content(request)
        ids = None if isinstance(came, request_body.Form) else came.get("ids")
    if not isinstance(ids, list) or not ids or not all(isinstance(each, str) and each for each in ids):
        raise BadRequest('Send {"ids": [...]} with at least one id.', field="ids")
    return ids


def _settings(draft: Draft) -> EmbeddedSettings:
    return EmbeddedSettings(
        type=draft.kind,
        prompt=draft.prompt,
        backend=draft.backend,
        model=draft.model,
        duration=draft.settings.duration_s,
        aspect_ratio=draft.settings.aspect_ratio,
        resolution=draft.settings.resolution,
        fps=draft.settings.fps,
        seed=draft.seed,
        negative_prompt=draft.settings.negative_prompt,
        style=draft.settings.style,
        shot_size=draft.settings.shot_size,
    )


_IDS_SCHEMA = {
    "type": "object",
    "required": ["ids"],
    "properties": {"ids": {"type": "array", "items": {"type": "string"}}},
}
_IDS = {"requestBody": {"required": True, "content": {"application/json": {"schema": _IDS_SCHEMA}}}}
_BYTES = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
