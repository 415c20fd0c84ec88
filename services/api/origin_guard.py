"""Checks host and origin of every request: pure ASGI, in front of API, pages and websocket.

Only `scope["path"]` and `scope["headers"]` are read, never `request.url` (CVE-2026-48710).
"""

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from services.api.health import ALIVE
from services.api.proxy_headers import ProxyHeaders, forwarded_host_of, sent_host_of, values_of
from services.api.refusal import Refused, refuse
from services.api.security_headers import SecurityHeaders
from services.api.stream_limit import StreamLimit
from services.core.settings import TRUSTED_PROXIES
from services.http.web_origin import WebOrigin

SAFE_METHODS = frozenset({"GET", "HEAD"})
EMBEDDED = frozenset({"iframe", "frame", "object", "embed", "fencedframe"})
FOREIGN: Refused = 403, "Requests from other websites are refused."
UNREADABLE: Refused = 400, "The request needs exactly one readable Host header."
NOT_SERVED: Refused = (
    403,
    "This address is not served here; an admin can allow it with RUSHES_PUBLIC_URL.",
)
NO_ORIGIN: Refused = 403, "The websocket is for this app's own pages: a browser names its origin."


def install(app: FastAPI, *, public_url: str | None, trusted_proxies: str = TRUSTED_PROXIES) -> None:
    """The security headers go around the guard, so that its refusals carry them too."""
    app.add_middleware(StreamLimit)
    app.add_middleware(Guard, public_url=public_url)
    app.add_middleware(SecurityHeaders, public_url=public_url)
    app.add_middleware(ProxyHeaders, trusted=trusted_proxies)


class Guard:
    def __init__(self, app: ASGIApp, *, public_url: str | None = None) -> None:
        self._app = app
        self._public = WebOrigin.of(public_url) if public_url else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        checked = scope["type"] in ("http", "websocket") and scope["path"] != ALIVE
        refusal = self._refusal(scope) if checked else None
        if refusal is None:
            await self._app(scope, receive, send)
        else:
            await refuse(refusal, scope, receive, send)

    def _refusal(self, scope: Scope) -> Refused | None:
        sent, forwarded = sent_host_of(scope), forwarded_host_of(scope)
        if sent is None:
            return UNREADABLE
        # Both: with DNS rebinding, a foreign page can send any header except Host.
        if not all(self._serves(host) for host in (sent, forwarded) if host is not None):
            return NOT_SERVED
        origins = values_of(scope, "origin")
        if origins and not (len(origins) == 1 and self._is_ours(origins[0], forwarded or sent)):
            return FOREIGN
        if scope["type"] == "websocket":
            return None if origins else NO_ORIGIN
        if "cross-site" in values_of(scope, "sec-fetch-site") and not _is_link(scope):
            return FOREIGN
        return None

    def _serves(self, host: WebOrigin) -> bool:
        return host.is_loopback or (self._public is not None and self._public.admits_host(host))

    def _is_ours(self, text: str, here: WebOrigin) -> bool:
        """The public address, or on loopback the very address that was asked for; schemes count."""
        origin = WebOrigin.of(text)
        return origin is not None and (origin == self._public or (here.is_loopback and origin == here))


def _is_link(scope: Scope) -> bool:
    """Whether a person followed a link: not an image, a script, a fetch or a frame of another website."""
    is_navigation = values_of(scope, "sec-fetch-mode") == ["navigate"]
    embedded = EMBEDDED.intersection(values_of(scope, "sec-fetch-dest"))
    return scope["method"] in SAFE_METHODS and is_navigation and not embedded
