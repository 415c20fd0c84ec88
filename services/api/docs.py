"""GET /docs: Swagger UI from the installed package; nothing is loaded from another host."""

from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter, FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import FileResponse, HTMLResponse

ASSETS = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css"}


def router(app: FastAPI) -> APIRouter:
    routes = APIRouter(prefix="/docs", include_in_schema=False)
    folder = Path(str(files("fastapi_offline"))) / "static"

    @routes.get("")
    async def docs() -> HTMLResponse:
        return get_swagger_ui_html(
            openapi_url=app.openapi_url or "/openapi.json",
            title=f"{app.title}: the HTTP API",
            swagger_js_url="/docs/swagger-ui-bundle.js",
            swagger_css_url="/docs/swagger-ui.css",
            swagger_favicon_url="data:,",
            swagger_ui_parameters={"validatorUrl": None, "tryItOutEnabled": True},
        )

    def serve(name: str, content_type: str) -> None:
        @routes.get(f"/{name}", response_class=FileResponse)
        async def asset() -> FileResponse:
            return FileResponse(folder / name, 200, {"Cache-Control": "max-age=86400"}, content_type)

    for name, content_type in ASSETS.items():
        serve(name, content_type)
    return routes
