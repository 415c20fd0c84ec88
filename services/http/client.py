"""One backend's address and HTTP clients, provider-neutral."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlsplit

import httpx

from services.core.errors import CannotStart
from services.http.host_limiter import HostLimiter
from services.http.transport import Transport

PATIENCE = {"connect": 10.0, "read": None}
"""How long an answer may take is said with each request."""
KEEP_ALIVE_S = 3.0
"""Shorter than the 5 s after which uvicorn closes: a submit must not meet a connection just given up."""


class Address:
    """Where a backend lives now, and its key; an embedded one moves when it restarts."""

    def __init__(self, url: str = "", token: str = "") -> None:
        self.url = ""
        self._token = ""
        if url:
            self.move(url, token)

    def move(self, url: str, token: str) -> None:
        """Calls under way fail, and are made again by `channels`. Raises CannotStart."""
        try:
            parts = httpx.URL(urlsplit(url.strip()).geturl())  # urlsplit knows a broken IPv6 address
        except (httpx.InvalidURL, ValueError) as error:
            raise CannotStart("The backend's address cannot be read: write it as https://host.") from error
        if parts.scheme not in ("http", "https") or not parts.host:
            raise CannotStart("The backend's address must begin with http:// or https://.")
        token = token.strip()
        if not (token.isascii() and token.isprintable()):
            raise CannotStart("The backend's token has characters that no header can carry.")
        self.url = str(parts.copy_with(query=None, fragment=None)).rstrip("/")
        self._token = token

    def forget(self) -> None:
        """Nobody lives there any more."""
        self.url = ""

    @property
    def token(self) -> str:
        """For whoever must take it out of a text."""
        return self._token

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"} if self._token else {}

    def is_origin_of(self, url: str) -> bool:
        try:
            here, there = httpx.URL(self.url), httpx.URL(url)
        except httpx.InvalidURL:
            return False
        return bool(self.url) and (here.scheme, here.host, here.port) == (
            there.scheme,
            there.host,
            there.port,
        )

    def strip_from(self, text: str) -> str:
        """Without the key, for a sentence that came from outside."""
        return text.replace(self._token, "…") if self._token else text

    def __repr__(self) -> str:
        return "Address(…)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes | None
    """None when it is longer than it may be."""


class Web:
    """Requests over one pool of connections; `transport` opens streams over the same.

    Without httpx's client above it: merging addresses and headers and looking for cookies took two fifths of
    what a poll costs.
    """

    def __init__(self, host: HostLimiter, *, ssl_context: ssl.SSLContext | None = None) -> None:
        self._host = host
        tls = ssl_context or httpx.create_ssl_context(trust_env=False)
        self.transport = Transport(tls=tls, keep_alive_s=KEEP_ALIVE_S)

    async def ask(self, method: str, url: str, *, within_s: float, most_bytes: int, **parts: Any) -> Answer:
        """One request; `within_s` begins with its turn at the host.

        Raises httpx.HTTPError, httpx.InvalidURL, TimeoutError.
        """
        turn = self._host.request() if method == "GET" else self._host.submit()
        async with turn:
            try:
                async with asyncio.timeout(within_s):
                    answer = await self._exchange(method, url, most_bytes, parts)
            except (httpx.HTTPError, TimeoutError):
                self._host.unanswered()
                raise
            self._host.answered()
            return answer

    async def _exchange(self, method: str, url: str, most_bytes: int, parts: dict[str, Any]) -> Answer:
        request = httpx.Request(method, url, extensions={"timeout": PATIENCE}, **parts)
        response = await self.transport.handle_async_request(request)
        try:
            body = await _read(response, most_bytes)
        finally:
            await response.aclose()
        return Answer(status=response.status_code, headers=response.headers, body=body)

    async def close(self) -> None:
        await self.transport.aclose()


async def _read(response: httpx.Response, most_bytes: int) -> bytes | None:
    body = bytearray()
    async with aclosing(cast(AsyncGenerator[bytes], response.aiter_bytes())) as chunks:
        async for chunk in chunks:
            body += chunk
            if len(body) > most_bytes:
                return None
    return bytes(body)
