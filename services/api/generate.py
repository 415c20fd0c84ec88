"""POST /api/generate/…: commits the row before it answers; the submit follows in the background."""

import hashlib
from typing import Any

from fastapi import APIRouter, Request, Response

from services.api import request_body, request_models
from services.api.caller import Owner
from services.api.response_models import Accepted, Refusal, accepted
from services.core.model import Kind
from services.generations.service import Generations

REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"model": Refusal, "description": description}
    for status, description in (
        (400, "The body cannot be read."),
        (409, "The Idempotency-Key was used for another request."),
        (413, "The body is too large."),
        (415, "Neither JSON nor a form."),
        (422, "A value is not possible; `field` names it."),
        (503, "No list of models could be had yet."),
    )
}


def router(generations: Generations) -> APIRouter:
    routes = APIRouter(prefix="/api/generate", tags=["generate"])

    @routes.post(
        "/video", status_code=202, responses=REFUSALS, openapi_extra=_documented(request_models.VideoBody)
    )
    async def generate_video(owner: Owner, request: Request, response: Response) -> Accepted:
        """Start a video. Only the prompt is needed; with `file`, a picture to start from."""
        return await _start(owner, generations, request, response, Kind.VIDEO, request_models.VideoBody)

    @routes.post(
        "/image", status_code=202, responses=REFUSALS, openapi_extra=_documented(request_models.ImageBody)
    )
    async def generate_image(owner: Owner, request: Request, response: Response) -> Accepted:
        """Start one to four images, each with its own fileId."""
        return await _start(owner, generations, request, response, Kind.IMAGE, request_models.ImageBody)

    return routes


async def _start(
    owner: str,
    generations: Generations,
    request: Request,
    response: Response,
    kind: Kind,
    model: type[request_models.VideoBody],
) -> Accepted:
    key = request_body.idempotency_key(request)
    came = await request_body.content(request)
    if isinstance(came, request_body.Form):
        body = request_models.read(model, request_models.from_form(model, came.fields))
        sha256: str | None = hashlib.sha256(came.file).hexdigest()
        source: str | None = await generations.add_source(came.file, owner=owner)
    else:
        body, sha256, source = request_models.read(model, came), None, None
    started = await generations.start(
        body.draft(kind, source),
        count=getattr(body, "count", None) or 1,
        key=key,
        fingerprint=request_models.fingerprint(kind, body, sha256),
        owner=owner,
    )
    response.headers["Location"] = f"/api/file/{started[0].id}"
    return accepted(started)


def _documented(model: type[request_models.VideoBody]) -> dict[str, Any]:
    """The body is parsed by hand, so it is described by hand too."""
    as_json = model.model_json_schema()
    as_form = {
        **as_json,
        "properties": {**as_json["properties"], "file": {"type": "string", "format": "binary"}},
        "required": [*as_json["required"], "file"],
    }
    return {
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": as_json},
                "multipart/form-data": {"schema": as_form},
            },
        },
        "parameters": [
            {
                "name": "Idempotency-Key",
                "in": "header",
                "schema": {"type": "string", "maxLength": request_body.LONGEST_KEY},
                "description": "The same key and body answer the same; another body is refused.",
            }
        ],
    }
