"""Security headers on every answer, refusals included."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.api.proxy_headers import host_of
from services.http.web_origin import WebOrigin

HEADERS = {
    "content-security-policy": (
        "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
        "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; media-src 'self' blob:; "
        "font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; object-src 'none'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
API_HEADERS = {**HEADERS, "cache-control": "no-store"}
HTTPS_ONLY = {"strict-transport-security": "max-age=31536000"}


class SecurityHeaders:
    """Leaves headers that a route has set itself (the media's stricter policy)."""

    def __init__(self, app: ASGIApp, *, public_url: str | None = None) -> None:
        self._app = app
        self._public = WebOrigin.of(public_url) if public_url else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {"headers": [], **message}
                headers = MutableHeaders(scope=message)
                is_api = f"{scope['path']}/".startswith("/api/")
                for name, value in (API_HEADERS if is_api else HEADERS).items():
                    headers.setdefault(name, value)
                if self._is_https_only(scope):
                    headers.update(HTTPS_ONLY)
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)

    def _is_https_only(self, scope: Scope) -> bool:
        """Only at the public host: on localhost, other programs would be bound to https too."""
        here = host_of(scope)
        return (
            self._public is not None
            and self._public.scheme == "https"
            and here is not None
            and self._public.admits_host(here)
        )
