"""The library over HTTP: stars, tags, trash, ZIPs, and the settings embedded in a file."""

from typing import Annotated, Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from services.api import openapi, request_body
from services.api.errors import BadRequest
from services.api.request_context import BaseUrl, Owner
from services.api.response_models import FileAnswer, ResponseModel, setting
from services.generations.service import Generations
from services.library import Library
from services.library.embedded_facts import read_draft
from services.library.library import MAX_TAG_LENGTH

ZIP: openapi.Responses = {
    200: {"content": {"application/zip": {}}, "description": "The copies, with their metadata."},
    **openapi.refusals({404: "Nothing of it has a file."}),
}
IDS_SCHEMA = {"type": "array", "items": {"type": "string"}}
IDS = openapi.request_body(
    {"application/json": {"type": "object", "required": ["ids"], "properties": {"ids": IDS_SCHEMA}}}
)
FILE = openapi.request_body({"application/octet-stream": openapi.BINARY})
FORM = "application/x-www-form-urlencoded"
ZIP_NAME = "rushes.zip"


def _readable(tag: str) -> str:
    """The server puts U+FFFD where a path is no UTF-8. Raises PydanticCustomError."""
    if "\ufffd" in tag:
        raise PydanticCustomError("not_plain_text", "no text")
    return tag


Tag = Annotated[str, Path(max_length=MAX_TAG_LENGTH * 4), AfterValidator(_readable)]


class Removed(ResponseModel):
    removed: int
    waiting: int
    """Stopped ones that stay in the trash, because what was paid for may still come."""


class EmbeddedSettings(ResponseModel):
    """What a file that was downloaded from here was made with; in the words of POST /api/generate/…"""

    type: str = Field(validation_alias="kind")
    prompt: str
    backend: str | None
    model: str | None
    duration: float | None = setting("duration_s")
    aspect_ratio: str | None = setting("aspect_ratio")
    resolution: str | None = setting("resolution")
    fps: int | None = setting("fps")
    seed: int | None
    negative_prompt: str = setting("negative_prompt")
    style: str = setting("style")
    shot_size: str = setting("shot_size")


def router(generations: Generations, library: Library) -> APIRouter:
    routes = APIRouter(prefix="/api", tags=["library"], responses=openapi.NO_FILE)

    async def answer(owner: str, file_id: str, base_url: str) -> FileAnswer:
        return FileAnswer.of(await generations.get(file_id, owner=owner), base_url)

    @routes.put("/file/{file_id}/star")
    async def star(owner: Owner, file_id: str, base_url: BaseUrl) -> FileAnswer:
        """Give it a star: no rule lets it go."""
        await library.star([file_id], on=True, owner=owner)
        return await answer(owner, file_id, base_url)

    @routes.delete("/file/{file_id}/star")
    async def unstar(owner: Owner, file_id: str, base_url: BaseUrl) -> FileAnswer:
        """Take the star away."""
        await library.star([file_id], on=False, owner=owner)
        return await answer(owner, file_id, base_url)

    @routes.put("/file/{file_id}/tags/{tag}")
    async def tag(owner: Owner, file_id: str, tag: Tag, base_url: BaseUrl) -> FileAnswer:
        """Give it a tag."""
        await library.tag([file_id], tag, on=True, owner=owner)
        return await answer(owner, file_id, base_url)

    @routes.delete("/file/{file_id}/tags/{tag}")
    async def untag(owner: Owner, file_id: str, tag: Tag, base_url: BaseUrl) -> FileAnswer:
        """Take a tag away."""
        await library.tag([file_id], tag, on=False, owner=owner)
        return await answer(owner, file_id, base_url)

    @routes.post("/file/{file_id}/restore")
    async def restore(owner: Owner, file_id: str, base_url: BaseUrl) -> FileAnswer:
        """Out of the trash."""
        await library.trash.restore([file_id], owner=owner)
        return await answer(owner, file_id, base_url)

    @routes.delete("/trash")
    async def empty_trash(owner: Owner) -> Removed:
        """Remove all that is in the trash for good, files included."""
        return Removed(
            removed=await library.trash.empty(owner=owner), waiting=await library.trash.waiting(owner=owner)
        )

    @routes.post("/files/zip", response_class=Response, responses=ZIP, openapi_extra=IDS)
    async def zip_archive(owner: Owner, request: Request) -> Response:
        """Copies with metadata as one ZIP, streamed; ids as JSON `{"ids": [...]}` or as a form."""
        made = await library.archive(await _ids(request), owner=owner)
        headers = {
            "Content-Disposition": f'attachment; filename="{ZIP_NAME}"',
            "Content-Length": str(len(made)),
            "Cache-Control": "no-store",
        }
        return StreamingResponse(iter(made), media_type="application/zip", headers=headers)

    @routes.post("/settings-in-file", openapi_extra=FILE)
    async def settings_in_file(request: Request) -> EmbeddedSettings:
        """What a downloaded file was made with. Send the file itself, or only its first and last 256 KB."""
        return EmbeddedSettings.model_validate(read_draft(await request_body.small(request)))

    return routes


async def _ids(request: Request) -> list[str]:
    """Raises BadRequest."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() == FORM:
        body = await request_body.small(request)
        try:
            ids: Any = parse_qs(body.decode(), max_num_fields=10).get("ids", [""])[0].split(",")
        except ValueError as error:
            raise BadRequest("The form cannot be read.") from error
    else:
        content = await request_body.content(request)
        ids = None if isinstance(content, request_body.Form) else content.get("ids")
    if not isinstance(ids, list) or not ids or not all(map(_is_id, ids)):
        raise BadRequest('Send {"ids": [...]} with at least one id.', field="ids")
    return ids


def _is_id(value: object) -> bool:
    """Half a surrogate pair reaches no database."""
    return isinstance(value, str) and value.isascii() and bool(value)
