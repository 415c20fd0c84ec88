"""Source pictures, uploaded before the request that uses them."""

from contextlib import suppress

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from services.api import openapi, request_body
from services.api.media import ANSWERS, send_file, type_of
from services.api.request_context import Owner
from services.core.errors import NotFound
from services.generations.service import Generations

REFUSALS = openapi.refusals(
    {
        413: "More than 50 MB; they are not read to the end.",
        422: "No PNG, JPEG or WebP of at most 40 megapixels.",
    }
)
BODY = openapi.request_body({"image/*": openapi.BINARY})


class SourceAnswer(BaseModel):
    success: bool = True
    source: str = Field(description="Its name, for the field `source` of a request.")
    url: str = Field(description="The picture, on this install.")


def router(generations: Generations) -> APIRouter:
    routes = APIRouter(tags=["sources"])

    @routes.post("/api/source", status_code=201, responses=REFUSALS, openapi_extra=BODY)
    async def upload_source(owner: Owner, request: Request) -> SourceAnswer:
        """Upload a picture as the bare body. One that no request names is removed after a week."""
        return _answer(await generations.receive_source(request_body.picture(request), owner=owner))

    @routes.post("/api/file/{file_id}/source", status_code=201, responses=openapi.NO_FILE | REFUSALS)
    async def source_from_file(owner: Owner, file_id: str) -> SourceAnswer:
        """Make a source of a kept picture, or of a film's last frame."""
        return _answer(await generations.source_from(file_id, owner=owner))

    async def source_picture(owner: Owner, folder: str, name: str, request: Request) -> Response:
        """The source as it was uploaded."""
        with suppress(FileNotFoundError):
            path = await generations.find_source(f"{folder}/{name}", owner=owner)
            if path is not None:
                return send_file(path, type_of(name), name, request)
        raise NotFound("There is no such picture.")

    address = "/media/source/{folder}/{name}"
    routes.add_api_route(address, source_picture, response_class=Response, responses=ANSWERS)
    routes.add_api_route(address, source_picture, methods=["HEAD"], include_in_schema=False)
    return routes


def _answer(name: str) -> SourceAnswer:
    return SourceAnswer(source=name, url=f"/media/source/{name}")
