"""POST /api/generate/…: commits the row before it answers; the submit follows in the background."""

import hashlib
from typing import Any

from fastapi import APIRouter, Request, Response

from services.api import openapi, request_body
from services.api.request_context import Owner
from services.api.request_models import ImageBody, VideoBody, fingerprint, from_form, read
from services.api.response_models import Accepted
from services.core.model import Kind
from services.generations.service import Generations

REFUSALS = openapi.refusals(
    {
        400: "The body cannot be read.",
        409: "The Idempotency-Key was used for another request.",
        413: "The body is too large.",
        415: "Neither JSON nor a form.",
        422: "A value is not possible; `field` names it.",
        503: "No list of models could be had yet.",
    }
)


def router(generations: Generations) -> APIRouter:
    routes = APIRouter(prefix="/api/generate", tags=["generate"])

    @routes.post("/video", status_code=202, responses=REFUSALS, openapi_extra=_documented(VideoBody))
    async def generate_video(owner: Owner, request: Request, response: Response) -> Accepted:
        """Start a video. Only the prompt is needed; with `file`, a picture to start from."""
        return await start(owner, request, response, Kind.VIDEO, VideoBody)

    @routes.post("/image", status_code=202, responses=REFUSALS, openapi_extra=_documented(ImageBody))
    async def generate_image(owner: Owner, request: Request, response: Response) -> Accepted:
        """Start one to four images, each with its own fileId."""
        return await start(owner, request, response, Kind.IMAGE, ImageBody)

    async def start(
        owner: str, request: Request, response: Response, kind: Kind, model: type[VideoBody]
    ) -> Accepted:
        key = request_body.idempotency_key(request)
        content = await request_body.content(request)
        sha256 = source = None
        if isinstance(content, request_body.Form):
            body = read(model, from_form(model, content.fields))
            sha256 = hashlib.sha256(content.file).hexdigest()
            source = await generations.add_source(content.file, owner=owner)
        else:
            body = read(model, content)
        started = await generations.start(
            body.draft(kind, source),
            count=getattr(body, "count", None) or 1,
            key=key,
            fingerprint=fingerprint(kind, body, sha256),
            owner=owner,
        )
        response.headers["Location"] = f"/api/file/{started[0].id}"
        return Accepted.of(started)

    return routes


def _documented(model: type[VideoBody]) -> dict[str, Any]:
    """The body is parsed by hand, so it is described by hand too."""
    as_json = model.model_json_schema()
    as_form = {
        **as_json,
        "properties": {**as_json["properties"], "file": openapi.BINARY},
        "required": [*as_json["required"], "file"],
    }
    key = {
        "name": "Idempotency-Key",
        "in": "header",
        "schema": {"type": "string", "maxLength": request_body.MAX_KEY_LENGTH},
        "description": "The same key and body answer the same; another body is refused.",
    }
    body = openapi.request_body({"application/json": as_json, "multipart/form-data": as_form})
    return {**body, "parameters": [key]}
