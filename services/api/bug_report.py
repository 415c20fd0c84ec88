"""GET /api/file/{id}/bundle: one generation as a JSON file for a bug report."""

import json

from fastapi import APIRouter, Response

from services.api.openapi import NO_FILE, Responses
from services.api.request_context import Owner
from services.statistics import Statistics

BUNDLE: Responses = {
    200: {"content": {"application/json": {}}, "description": "The bundle, to save."},
    **NO_FILE,
}


def router(statistics: Statistics) -> APIRouter:
    routes = APIRouter(prefix="/api", tags=["running it"])

    @routes.get("/file/{file_id}/bundle", response_class=Response, responses=BUNDLE)
    async def bug_report(owner: Owner, file_id: str) -> Response:
        """Generation, request, receipt, trace, version and settings, without keys, tokens and links."""
        content = await statistics.bundle(file_id, owner=owner)
        headers = {
            "Content-Disposition": f'attachment; filename="rushes-{content["generation"]["id"]}.json"',
            "Cache-Control": "no-store",
        }
        text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
        return Response(text, media_type="application/json", headers=headers)

    return routes
