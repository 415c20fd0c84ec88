"""Reads what trusted proxies say of a request, and removes what anybody else says: pure ASGI."""

import ipaddress
from collections.abc import Container

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from services.core.settings import TRUSTED_PROXIES
from services.http.web_origin import WebOrigin

PREFIX = b"x-forwarded-prefix"
"""NiceGUI writes it into its pages, so that no request may bring it."""
FORWARDED = frozenset({b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host"})


class ProxyHeaders:
    """Sets client and scheme from the headers of a trusted proxy; X-Forwarded-Host is left to the guard."""

    def __init__(self, app: ASGIApp, *, trusted: str = TRUSTED_PROXIES) -> None:
        self._app = app
        self._networks = [ipaddress.ip_network(each) for each in trusted.split(",") if each]
        self._forwarded = ProxyHeadersMiddleware(app, trusted)  # type: ignore[arg-type]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
        elif self._trusts(scope):
            await self._forwarded(_without(scope, {PREFIX}), receive, send)  # type: ignore[arg-type]
        else:
            await self._app(_without(scope, {PREFIX, *FORWARDED}), receive, send)

    def _trusts(self, scope: Scope) -> bool:
        try:
            address = ipaddress.ip_address(scope["client"][0])
        except (KeyError, TypeError, ValueError):
            return False
        return any(address in network for network in self._networks)


def _without(scope: Scope, names: Container[bytes]) -> Scope:
    return {**scope, "headers": [each for each in scope["headers"] if each[0].lower() not in names]}


def values_of(scope: Scope, name: str) -> list[str]:
    """A header's values; names outside ASCII are UTF-8 where they can be."""
    return [_text(value).strip() for value in Headers(scope=scope).getlist(name)]


def host_of(scope: Scope) -> WebOrigin | None:
    """What the client asked for: the Host header, or what a trusted proxy says it was."""
    return forwarded_host_of(scope) or sent_host_of(scope)


def sent_host_of(scope: Scope) -> WebOrigin | None:
    hosts = values_of(scope, "host")
    return WebOrigin.of(f"{scope['scheme']}://{hosts[0]}") if len(hosts) == 1 else None


def forwarded_host_of(scope: Scope) -> WebOrigin | None:
    """The last one, which the nearest proxy has added."""
    forwarded = [each.strip() for value in values_of(scope, "x-forwarded-host") for each in value.split(",")]
    return WebOrigin.of(f"{scope['scheme']}://{forwarded[-1]}") if forwarded and forwarded[-1] else None


def _text(value: str) -> str:
    try:
        return value.encode("latin-1").decode()
    except UnicodeError:
        return value
