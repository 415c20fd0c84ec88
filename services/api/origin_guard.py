"""Who may ask at all: pure ASGI, in front of the API, the pages and the websocket alike.

Only `scope["path"]` and `scope["headers"]` are read, never `request.url` (CVE-2026-48710).
"""

from collections.abc import Iterable
from urllib.parse import urlsplit

from fastapi import FastAPI
from fastapi.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
HEADERS = (
    (
        b"content-security-policy",
        b"default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
        b"style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; media-src 'self' blob:; "
        b"font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; object-src 'none'; "
        b"base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
NO_STORE = (b"cache-control", b"no-store")

Header = tuple[bytes, bytes]
Origin = tuple[str, int]
"""A host in lower case and its port."""


def install(app: FastAPI, *, public_url: str | None) -> None:
    """The headers go around the guard, so that its refusals carry them too."""
    app.add_middleware(Guard, public_url=public_url)
    app.add_middleware(SafeHeaders)


class SafeHeaders:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = with_safe_headers(message.get("headers", []), fresh=_is_api_path(scope["path"]))
                message = {**message, "headers": headers}
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)


def with_safe_headers(headers: Iterable[Header], *, fresh: bool = False) -> list[Header]:
    """What a route has set itself (the media's stricter policy) stays; `fresh` is kept in no cache."""
    headers = list(headers)
    present = {name.lower() for name, _ in headers}
    wanted = (*HEADERS, NO_STORE) if fresh else HEADERS
    return [*headers, *(header for header in wanted if header[0] not in present)]


def _is_api_path(path: str) -> bool:
    return path == "/api" or path.startswith("/api/")


class Guard:
    def __init__(self, app: ASGIApp, *, public_url: str | None = None) -> None:
        self._app = app
        self._public = _origin_of_url(public_url) if public_url else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await self._app(scope, receive, send)
        refusal = self._refusal(scope)
        if refusal is None:
            return await self._app(scope, receive, send)
        if scope["type"] == "websocket":
            await receive()
            return await send({"type": "websocket.close", "code": 1008, "reason": refusal[1][:120]})
        status, sentence = refusal
        body = {"success": False, "error": sentence, "field": None}
        return await JSONResponse(body, status)(scope, receive, send)

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        hosts = _values(scope, b"host")
        here = _origin(hosts[0], scope["scheme"]) if len(hosts) == 1 else None
        if here is None:
            return 400, "The request needs exactly one readable Host header."
        if here[0] not in LOOPBACK and here != self._public:
            return 403, "This address is not served here; an admin can allow it with RUSHES_PUBLIC_URL."
        return self._foreign_origin(scope, here) or self._cross_site(scope)

    def _foreign_origin(self, scope: Scope, here: Origin) -> tuple[int, str] | None:
        origins = _values(scope, b"origin")
        if not origins:
            if scope["type"] == "http":
                return None
            return 403, "The websocket is for this app's own pages: a browser names its origin."
        if len(origins) == 1 and _origin_of_url(origins[0]) in ({here, self._public} - {None}):
            return None
        return 403, "Requests from other websites are refused."

    def _cross_site(self, scope: Scope) -> tuple[int, str] | None:
        if scope["type"] == "websocket" or scope["method"] in SAFE_METHODS:
            return None
        if "cross-site" in _values(scope, b"sec-fetch-site"):
            return 403, "Requests from other websites are refused."
        return None


def _values(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1").strip() for key, value in scope["headers"] if key.lower() == name]


def _origin(host: str, scheme: str) -> Origin | None:
    return _origin_of_url(f"{scheme}://{host}")


def _origin_of_url(url: str) -> Origin | None:
    """None for what is no plain origin: "null", user names, paths, other schemes."""
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
