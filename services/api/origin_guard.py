"""Checks host and origin of every request: pure ASGI, in front of API, pages and websocket.

Only `scope["path"]` and `scope["headers"]` are read, never `request.url` (CVE-2026-48710).
"""

from urllib.parse import urlsplit

from fastapi import FastAPI
from fastapi.responses import JSONResponse
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
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
FOREIGN = 403, "Requests from other websites are refused."

Origin = tuple[str, int]
"""A host in lower case and its port."""


def install(app: FastAPI, *, public_url: str | None) -> None:
    """The headers go around the guard, so that its refusals carry them too."""
    app.add_middleware(Guard, public_url=public_url)
    app.add_middleware(SecurityHeaders)


class SecurityHeaders:
    """Leaves headers that a route has set itself (the media's stricter policy)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {"headers": [], **message}
                headers = MutableHeaders(scope=message)
                is_api = f"{scope['path']}/".startswith("/api/")
                for name, value in (API_HEADERS if is_api else HEADERS).items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)


class Guard:
    def __init__(self, app: ASGIApp, *, public_url: str | None = None) -> None:
        self._app = app
        self._public = _origin(public_url) if public_url else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = self._refusal(scope) if scope["type"] in ("http", "websocket") else None
        if refusal is None:
            return await self._app(scope, receive, send)
        status, sentence = refusal
        if scope["type"] == "websocket":
            await receive()
            return await send({"type": "websocket.close", "code": 1008, "reason": sentence[:120]})
        body = {"success": False, "error": sentence, "field": None}
        return await JSONResponse(body, status)(scope, receive, send)

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        hosts, origins = _values(scope, "host"), _values(scope, "origin")
        here = _origin(f"{scope['scheme']}://{hosts[0]}") if len(hosts) == 1 else None
        if here is None:
            return 400, "The request needs exactly one readable Host header."
        if here[0] not in LOOPBACK and here != self._public:
            return 403, "This address is not served here; an admin can allow it with RUSHES_PUBLIC_URL."
        if origins and (len(origins) > 1 or _origin(origins[0]) not in {here, self._public} - {None}):
            return FOREIGN
        if scope["type"] == "websocket":
            missing = 403, "The websocket is for this app's own pages: a browser names its origin."
            return None if origins else missing
        is_change = scope["method"] not in SAFE_METHODS
        return FOREIGN if is_change and "cross-site" in _values(scope, "sec-fetch-site") else None


def _values(scope: Scope, name: str) -> list[str]:
    return [value.strip() for value in Headers(scope=scope).getlist(name)]


def _origin(url: str) -> Origin | None:
    """None unless it is a plain origin: no "null", user name, path or other scheme."""
    try:
        parts = urlsplit(url)
        name, port = parts.hostname, parts.port
    except ValueError:
        return None
    if not name or parts.scheme not in DEFAULT_PORTS or "@" in parts.netloc:
        return None
    if parts.path.strip("/") or parts.query or parts.fragment:
        return None
    host = f"[{name}]" if ":" in name else name
    return host, DEFAULT_PORTS[parts.scheme] if port is None else port
