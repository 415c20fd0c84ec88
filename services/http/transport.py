"""httpx transport over aiohttp's connections.

httpcore inspects every connection of its pool, and each one's socket, for every request: 2.1 ms a poll with
32 at once and 0.14 ms an event, here 0.7 and 0.05. R6 depends on the class of an error, so each of aiohttp's
maps to the one that httpcore would raise: only a connection that never opened is a ConnectError or a
ConnectTimeout.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from socket import SO_KEEPALIVE, SOL_SOCKET, socket

import aiohttp
import httpx
from aiohttp.abc import AbstractResolver
from aiohttp.connector import Connection
from aiohttp.tracing import Trace
from yarl import URL

from services.http.proxy import OutboundProxy
from services.http.unpacking import BadPacking, PackingCutShort, Unpacking, packings

READ_BYTES = 64 * 1024
MAX_HEADER_BYTES = 64 * 1024
"""A signed Location can be longer than aiohttp's default of 8 KiB."""
UNPACKED = "unpacked"
"""A response's extension: its length and range were those of the packed body."""


class Transport(httpx.AsyncBaseTransport):
    """Without a limit of connections or cookies; its sessions open with the first request.

    Bodies come unpacked, in small pieces: its responses have no Content-Encoding left that httpx would undo.

    Only a GET may reuse a connection, and only where `keep_alive_s` is set. A submit never does: bytes left
    over from another response would be read as its own, and a connection that the server is about to close
    would leave it unconfirmed.
    """

    def __init__(
        self,
        *,
        tls: ssl.SSLContext | None = None,
        keep_alive_s: float | None = None,
        proxy: OutboundProxy | None = None,
        resolver: AbstractResolver | None = None,
        socket_factory: aiohttp.SocketFactoryType | None = None,
    ) -> None:
        """`resolver` is asked for each connection; nothing it returned before is cached."""
        self._tls = tls or default_tls()
        self._keep_alive_s = keep_alive_s
        self._proxy = proxy or OutboundProxy()
        self._resolver = resolver
        self._socket_factory = socket_factory or open_socket
        self._sessions: dict[bool, aiohttp.ClientSession] = {}
        """By whether a connection may be reused."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        session = self._session(reuse=request.method == "GET" and self._keep_alive_s is not None)
        timeout = request.extensions["timeout"]
        with _errors_as_httpx(request):
            response = await session.request(
                request.method,
                URL(str(request.url), encoded=True),
                headers=request.headers.multi_items(),
                data=(request.content or None)
                if isinstance(request.stream, httpx.ByteStream)
                else request.stream,
                allow_redirects=False,
                proxy=self._proxy.url_for(request.url),
                timeout=aiohttp.ClientTimeout(
                    connect=timeout.get("pool"), sock_connect=timeout["connect"], sock_read=timeout["read"]
                ),
            )
        layers = packings(", ".join(response.headers.getall("Content-Encoding", [])))
        gone = {b"content-encoding"} | ({b"content-length"} if layers else set())
        headers = [(name, value) for name, value in response.raw_headers if name.lower() not in gone]
        stream = _Body(response, request, Unpacking(layers) if layers else None)
        unpacked = {UNPACKED: bool(layers)}
        return _Response(
            response.status, headers=headers, stream=stream, request=request, extensions=unpacked
        )

    async def aclose(self) -> None:
        for session in self._sessions.values():
            await session.close()

    def _session(self, *, reuse: bool) -> aiohttp.ClientSession:
        if reuse in self._sessions:
            return self._sessions[reuse]
        connector = _Connector(
            limit=0,
            ssl=self._tls,
            resolver=self._resolver,
            use_dns_cache=self._resolver is None,
            socket_factory=self._socket_factory,
            **({"keepalive_timeout": self._keep_alive_s} if reuse else {"force_close": True}),
        )
        self._sessions[reuse] = aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": "Rushes"},
            auto_decompress=False,
            skip_auto_headers=("Accept", "Content-Type"),
            max_field_size=MAX_HEADER_BYTES,
        )
        return self._sessions[reuse]


def default_tls() -> ssl.SSLContext:
    """Trusts the system's certificate authorities and certifi's."""
    tls = httpx.create_ssl_context(trust_env=False)
    tls.load_default_certs()
    tls.set_alpn_protocols(["http/1.1"])
    return tls


def open_socket(address: aiohttp.AddrInfoType) -> socket:
    family, kind, protocol, *_ = address
    opened = socket(family, kind, protocol)
    opened.setsockopt(SOL_SOCKET, SO_KEEPALIVE, 1)
    return opened


class _NeverConnected(aiohttp.ClientConnectionError):
    """The way through the proxy never opened."""


class _Connector(aiohttp.TCPConnector):
    async def connect(
        self, req: aiohttp.ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout
    ) -> Connection:
        """Skips idle connections that hold unrequested bytes: the next response would begin with them.

        aiohttp checks for them only when a connection returns to its pool.
        """
        while True:
            connection = await self._connect(req, traces, timeout)
            if connection.protocol is None or not connection.protocol.should_close:
                return connection
            connection.close()

    async def _connect(
        self, req: aiohttp.ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout
    ) -> Connection:
        """Nothing of a request is sent before its connection is open, through a proxy's tunnel too: whatever
        the proxy answers to CONNECT, and when it does not answer, the backend took nothing.
        """
        if not req.proxy:
            return await super().connect(req, traces, timeout)
        try:
            async with asyncio.timeout(timeout.sock_connect):
                return await super().connect(req, traces, timeout)
        except (aiohttp.ClientConnectorError, TimeoutError):
            raise
        except (aiohttp.ClientError, OSError) as error:
            raise _NeverConnected("The proxy opens no connection.") from error


class _Response(httpx.Response):
    @property
    def has_redirect_location(self) -> bool:
        """Leaves redirects to `follow_redirects`.

        httpx's client builds the next request even when it does not follow, and raises InvalidURL for a
        Location it cannot read: R6 would take a submit that was sent for one that was not.
        """
        return False

    async def aclose(self) -> None:
        """Drops httpx's bound stream, which refers back to the response: each poll left a cycle of 35 objects
        to the garbage collector, 11 MB of them at 1,000 open jobs.
        """
        await super().aclose()
        self.stream = httpx.ByteStream(b"")


class _Body(httpx.AsyncByteStream):
    def __init__(
        self, response: aiohttp.ClientResponse, request: httpx.Request, unpacking: Unpacking | None
    ) -> None:
        self._response, self._request, self._unpacking = response, request, unpacking

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _errors_as_httpx(self._request):
            if self._unpacking is None:
                async for chunk in self._response.content.iter_chunked(READ_BYTES):
                    yield chunk
                return
            async for packed in self._response.content.iter_chunked(READ_BYTES):
                for piece in self._unpacking.feed(packed):
                    yield piece
                    await asyncio.sleep(0)
            for piece in self._unpacking.finish():
                yield piece

    async def aclose(self) -> None:
        if self._response.content.at_eof():
            self._response.release()
        else:
            self._response.close()


_HTTPX_ERRORS: tuple[tuple[type[Exception], type[httpx.TransportError]], ...] = (
    (_NeverConnected, httpx.ConnectError),
    (aiohttp.ConnectionTimeoutError, httpx.ConnectTimeout),
    (aiohttp.ServerTimeoutError, httpx.ReadTimeout),
    (aiohttp.ClientConnectorError, httpx.ConnectError),
    (aiohttp.InvalidURL, httpx.UnsupportedProtocol),
    (aiohttp.NonHttpUrlClientError, httpx.UnsupportedProtocol),
    (aiohttp.ClientOSError, httpx.ReadError),
    (aiohttp.ClientConnectionResetError, httpx.WriteError),
    (aiohttp.ClientError, httpx.RemoteProtocolError),
)
"""The first match counts, so the narrow ones come first."""


@contextmanager
def _errors_as_httpx(request: httpx.Request) -> Iterator[None]:
    try:
        yield
    except (aiohttp.ClientError, aiohttp.ServerTimeoutError) as error:
        httpx_error = next(equivalent for kind, equivalent in _HTTPX_ERRORS if isinstance(error, kind))
        raise httpx_error(str(error), request=request) from error
    except PackingCutShort as error:
        raise httpx.RemoteProtocolError(str(error), request=request) from error
    except BadPacking as error:
        raise httpx.DecodingError(str(error), request=request) from error
