"""httpx over aiohttp's connections: the same client, with a third of the CPU for each poll and each event.

httpcore looks at all connections of its pool, and at their sockets, for every request (2.1 ms a poll with 32
at once, 0.14 ms an event; here 0.7 and 0.05). What a failure means for the money hangs on its class (R6), so
each of aiohttp's gets the name httpcore would have given it: only what never connected is a ConnectError.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from socket import SO_KEEPALIVE, SOL_SOCKET, socket

import aiohttp
import httpx
from aiohappyeyeballs import AddrInfoType
from aiohttp.connector import Connection
from aiohttp.tracing import Trace
from yarl import URL


class Transport(httpx.AsyncBaseTransport):
    """No limit of connections, no cookies, no proxy; opened with the first request.

    What only reads may go over a line that was used before. Work never does: an answer that was left over on
    it would be taken for the submit's own, and a line that was just given up would leave one unconfirmed.
    """

    def __init__(self, *, tls: ssl.SSLContext, keep_alive_s: float) -> None:
        self._tls = tls
        self._keep_alive_s = keep_alive_s
        self._sessions: dict[bool, aiohttp.ClientSession] = {}
        """By whether it reads."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        reads = request.method == "GET"
        if reads not in self._sessions:
            self._sessions[reads] = self._open(reads)
        timeout = request.extensions["timeout"]
        with _errors_as_httpx(request):
            answer = await self._sessions[reads].request(
                request.method,
                URL(str(request.url), encoded=True),
                headers=request.headers.multi_items(),
                data=_body_of(request),
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(sock_connect=timeout["connect"], sock_read=timeout["read"]),
            )
        return httpx.Response(
            answer.status, headers=answer.raw_headers, stream=_Body(answer, request), request=request
        )

    async def aclose(self) -> None:
        for session in self._sessions.values():
            await session.close()

    def _open(self, reads: bool) -> aiohttp.ClientSession:
        lasting = {"keepalive_timeout": self._keep_alive_s} if reads else {"force_close": True}
        connector = _Connector(limit=0, ssl=self._tls, socket_factory=_a_socket, **lasting)
        return aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": "Rushes"},
            auto_decompress=False,
            skip_auto_headers=("Accept", "Content-Type"),
        )


class _Connector(aiohttp.TCPConnector):
    async def connect(
        self, req: aiohttp.ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout
    ) -> Connection:
        """Of the lines that wait none on which something lies that nobody asked for: aiohttp looks only when
        a line comes back, and the next answer would be that.
        """
        while True:
            connection = await super().connect(req, traces, timeout)
            if connection.protocol is None or not connection.protocol.should_close:
                return connection
            connection.close()


class _Body(httpx.AsyncByteStream):
    def __init__(self, answer: aiohttp.ClientResponse, request: httpx.Request) -> None:
        self._answer = answer
        self._request = request

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _errors_as_httpx(self._request):
            async for chunk in self._answer.content.iter_any():
                yield chunk

    async def aclose(self) -> None:
        if self._answer.content.at_eof():
            self._answer.release()
        else:
            self._answer.close()


def _body_of(request: httpx.Request) -> bytes | httpx.AsyncByteStream | None:
    try:
        return request.content or None
    except httpx.RequestNotRead:
        assert isinstance(request.stream, httpx.AsyncByteStream)
        return request.stream


def _a_socket(address: AddrInfoType) -> socket:
    family, kind, protocol, *_ = address
    made = socket(family, kind, protocol)
    made.setsockopt(SOL_SOCKET, SO_KEEPALIVE, 1)
    return made


_NAMES: tuple[tuple[type[Exception], type[httpx.TransportError]], ...] = (
    (aiohttp.ConnectionTimeoutError, httpx.ConnectTimeout),
    (aiohttp.ServerTimeoutError, httpx.ReadTimeout),
    (aiohttp.ClientConnectorError, httpx.ConnectError),
    (aiohttp.InvalidURL, httpx.UnsupportedProtocol),
    (aiohttp.NonHttpUrlClientError, httpx.UnsupportedProtocol),
    (aiohttp.ClientOSError, httpx.ReadError),
    (aiohttp.ClientConnectionResetError, httpx.WriteError),
    (aiohttp.ClientError, httpx.RemoteProtocolError),
)
"""The first that fits, so the narrow ones come first."""


@contextmanager
def _errors_as_httpx(request: httpx.Request) -> Iterator[None]:
    try:
        yield
    except (aiohttp.ClientError, aiohttp.ServerTimeoutError) as error:
        name = next(ours for theirs, ours in _NAMES if isinstance(error, theirs))
        raise name(str(error), request=request) from error
