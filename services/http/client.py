"""httpx clients over our transport, and one backend's bounded requests."""

import asyncio
import logging
import ssl
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from http.cookiejar import CookieJar
from typing import Any, cast

import httpx

from services.http.host_limiter import HostLimiter
from services.http.proxy import OutboundProxy
from services.http.transport import Transport

CONNECT_TIMEOUT_S = 10.0
KEEP_ALIVE_S = 3.0
"""Below the 5 s after which uvicorn closes an idle connection."""


def http_client(transport: httpx.AsyncBaseTransport) -> httpx.AsyncClient:
    """A client that adds nothing of its own: no headers, cookies, redirects or read timeout."""
    client = httpx.AsyncClient(
        transport=transport,
        trust_env=False,
        follow_redirects=False,
        auth=httpx.Auth(),
        cookies=_NoCookies(),
        timeout=httpx.Timeout(None, connect=CONNECT_TIMEOUT_S),
    )
    client.headers.clear()
    logging.getLogger("httpx").setLevel(logging.WARNING)  # at INFO it logs each URL, a result's too (R11)
    return client


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundedResponse:
    status: int
    headers: Mapping[str, str]
    body: bytes | None
    """None when it exceeds the limit."""


class BackendClient:
    """One backend's requests, within its host's limits; `http` opens streams over the same connections."""

    def __init__(
        self, host: HostLimiter, *, tls: ssl.SSLContext | None = None, proxy: OutboundProxy | None = None
    ) -> None:
        self._host = host
        self.http = http_client(Transport(tls=tls, keep_alive_s=KEEP_ALIVE_S, proxy=proxy))

    async def request(
        self, method: str, url: str, *, within_s: float, max_bytes: int, **parts: Any
    ) -> BoundedResponse:
        """`within_s` starts when the host limiter lets the request go; `parts` are httpx's.

        Raises httpx.HTTPError, httpx.InvalidURL, TimeoutError.
        """
        turn = self._host.request() if method == "GET" else self._host.submit()
        async with turn:
            try:
                async with asyncio.timeout(within_s), self.http.stream(method, url, **parts) as response:
                    body = await read_bounded(response, max_bytes)
            except (httpx.HTTPError, TimeoutError):
                self._host.unanswered()
                raise
            self._host.answered()
            return BoundedResponse(status=response.status_code, headers=response.headers, body=body)

    async def close(self) -> None:
        await self.http.aclose()


async def read_bounded(response: httpx.Response, max_bytes: int) -> bytes | None:
    """Returns the body, which our transport has unpacked, or None as soon as it exceeds `max_bytes`."""
    body = bytearray()
    async with aclosing(cast(AsyncGenerator[bytes], response.aiter_raw())) as chunks:
        async for chunk in chunks:
            body += chunk
            if len(body) > max_bytes:
                return None
    return bytes(body)


class _NoCookies(CookieJar):
    """Stores no cookie; `Set-Cookie` headers are not even parsed."""

    def extract_cookies(self, *_: object) -> None:
        pass
