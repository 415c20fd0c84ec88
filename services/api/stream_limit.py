"""Limits how many connections one address may keep open: pure ASGI."""

from collections import Counter

from starlette.types import ASGIApp, Receive, Scope, Send

from services.api.refusal import Refused, refuse
from services.http.client_address import household

MAX_STREAMS = MAX_SOCKETS = 500
"""Each open page has one websocket; a whole office may stand behind one address."""
STREAMS = ("/api/events/", "/api/doctor/stream")
TOO_MANY: Refused = (
    429,
    "Too many pages or streams are open from this address. Close some, then try again.",
)


class StreamLimit:
    def __init__(self, app: ASGIApp, *, streams: int = MAX_STREAMS, sockets: int = MAX_SOCKETS) -> None:
        self._app = app
        self._most = {"http": streams, "websocket": sockets}
        self._open: Counter[tuple[str, str]] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        lasts = kind == "websocket" or (kind == "http" and scope["path"].startswith(STREAMS))
        if not lasts or not scope.get("client"):
            await self._app(scope, receive, send)
            return
        key = kind, household(scope["client"][0])
        if self._open[key] >= self._most[kind]:
            await refuse(TOO_MANY, scope, receive, send)
            return
        self._open[key] += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._open[key] -= 1
            if not self._open[key]:
                del self._open[key]
