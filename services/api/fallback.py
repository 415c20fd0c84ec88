"""JSON 404 and 405 for the API: unknown paths never reach the pages."""

from collections.abc import Sequence
from typing import NoReturn

from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"]


def router(known: Sequence[BaseRoute]) -> APIRouter:
    routes = APIRouter(include_in_schema=False)

    async def not_found(request: Request) -> NoReturn:
        path = request.scope["path"]
        here = (route for route in known if isinstance(route, APIRoute) and route.path_regex.match(path))
        allowed = {method for route in here for method in route.methods or ()}
        if allowed:
            raise HTTPException(405, headers={"Allow": ", ".join(sorted(allowed))})
        raise HTTPException(404)

    for path in ("/api", "/api/{rest:path}", "/media", "/media/{rest:path}"):
        routes.add_api_route(path, not_found, methods=METHODS, response_model=None)
    return routes
