"""The class of each connection failure: only "never connected" proves that nothing was taken."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import pytest

from services.http.transport import Transport

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


@asynccontextmanager
async def serving(handle: Handler) -> AsyncIterator[str]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handle(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


def a_client(*, connect_s: float = 5.0, read_s: float = 5.0) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=Transport(tls=PLAIN, keep_alive_s=3.0),
        trust_env=False,
        timeout=httpx.Timeout(read_s, connect=connect_s),
    )


def answering(raw: bytes) -> Handler:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(raw)
        await writer.drain()

    return handle


async def resetting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    linger = writer.get_extra_info("socket")
    linger.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    writer.transport.abort()


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


@pytest.mark.asyncio
async def test_a_port_where_nobody_listens_was_never_connected_to() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        async with a_client() as client:
            with pytest.raises(httpx.ConnectError):
                await client.post(f"http://127.0.0.1:{unused.getsockname()[1]}/", content=b"paid")


@pytest.mark.asyncio
async def test_a_name_that_nobody_has_was_never_connected_to() -> None:
    async with a_client() as client:
        with pytest.raises(httpx.ConnectError):
            await client.post("http://nobody.invalid/", content=b"paid")


@pytest.mark.asyncio
async def test_a_tls_handshake_that_fails_was_never_connected_to() -> None:
    async def no_tls(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(OK)
        await writer.drain()

    async with serving(no_tls) as url, a_client() as client:
        with pytest.raises(httpx.ConnectError):
            await client.post(url.replace("http:", "https:"), content=b"paid")


@pytest.mark.asyncio
async def test_a_connection_that_does_not_open_in_time_is_a_connect_timeout() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(address)
        async with a_client(connect_s=0.2) as client:
            with pytest.raises(httpx.ConnectTimeout):
                await client.post(f"http://127.0.0.1:{address[1]}/", content=b"paid")
        for filler in fillers:
            filler.close()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "handle",
    [resetting, answering(b""), answering(b"HTTP/1.1 2"), answering(b"nonsense\r\n\r\n")],
    ids=["reset", "closed without an answer", "half a status line", "no HTTP"],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_what_breaks_after_the_request_was_sent_is_never_a_connect_error(
    handle: Handler, method: str
) -> None:
    async with serving(handle) as url, a_client() as client:
        with pytest.raises(httpx.HTTPError) as raised:
            await client.request(method, url)
    assert isinstance(raised.value, httpx.NetworkError | httpx.RemoteProtocolError)
    assert not isinstance(raised.value, httpx.ConnectError | httpx.TimeoutException)


@pytest.mark.asyncio
async def test_an_answer_that_does_not_come_is_a_read_timeout() -> None:
    async with serving(silent) as url, a_client(read_s=0.1) as client:
        with pytest.raises(httpx.ReadTimeout):
            await client.post(url, content=b"paid")


@pytest.mark.asyncio
async def test_a_body_that_ends_early_is_a_broken_answer_not_a_short_one() -> None:
    half = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"
    async with serving(answering(half)) as url, a_client() as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get(url)


@pytest.mark.asyncio
async def test_a_post_that_was_taken_and_not_answered_is_never_sent_a_second_time() -> None:
    requests: list[bytes] = []

    async def taking(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not (request := await reader.readuntil(b"\r\n\r\n")).startswith(b"POST"):
            writer.write(OK)
        requests.append(request)

    async with serving(taking) as url, a_client() as client:
        await client.get(url)
        with pytest.raises(httpx.RemoteProtocolError):
            await client.post(url, content=b"")
    assert len(requests) == 1


@pytest.mark.asyncio
async def test_a_connection_is_used_again_after_its_body_was_read_and_closed_when_it_was_not() -> None:
    connections = 0

    async def many(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n" + b"x" * 9_000_000)

    async with serving(many) as url, a_client() as client:
        await client.get(url)
        await client.get(url)
        assert connections == 1
        async with client.stream("GET", url):
            pass
        await client.get(url)
        assert connections == 2


@pytest.mark.asyncio
async def test_headers_arrive_as_httpx_made_them_and_cookies_are_not_carried_along() -> None:
    heads: list[str] = []

    async def note(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            heads.append((await reader.readuntil(b"\r\n\r\n")).decode().lower())
            writer.write(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 2\r\n\r\nhi")

    async with serving(note) as url:
        transport = Transport(tls=PLAIN, keep_alive_s=3.0)
        request = httpx.Request("GET", url, headers={"X-One": "1", "Accept-Encoding": "identity"})
        request.extensions["timeout"] = {"connect": 5.0, "read": 5.0}
        for _ in range(2):
            answer = await transport.handle_async_request(request)
            assert await answer.aread() == b"hi"
        await transport.aclose()
    assert "x-one: 1\r\n" in heads[0] and "accept-encoding: identity\r\n" in heads[0]
    assert heads[0].count("\r\nhost:") == 1 and "user-agent: rushes\r\n" in heads[0]
    assert "cookie" not in heads[1]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "location", ["http://[::1/", "data:,x", "http:///film", "http://host:port/", "\\\\x"]
)
async def test_an_unreadable_location_is_an_answer_and_never_an_invalid_url(location: str) -> None:
    """InvalidURL means "not taken": httpx's own client raises it for such an answer to a submit."""
    answer = f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()
    async with serving(answering(answer)) as url, a_client() as client:
        assert (await client.post(url, content=b"paid")).status_code == 302


@pytest.mark.asyncio
@pytest.mark.parametrize("later_s", [0.0, 0.05])
async def test_what_is_left_over_of_one_answer_is_never_taken_for_the_next(later_s: float) -> None:
    async def doubling(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            path = (await reader.readuntil(b"\r\n\r\n")).split()[1]
            answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(path), path)
            writer.write(answer)
            await asyncio.sleep(later_s)
            writer.write(answer)

    async with serving(doubling) as url, a_client() as client:
        for name in ("one", "two", "three"):
            assert (await client.get(f"{url}{name}")).text == f"/{name}"
            await asyncio.sleep(2 * later_s)


@pytest.mark.asyncio
async def test_work_goes_over_a_line_of_its_own() -> None:
    lines: list[list[str]] = []

    async def counting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        mine: list[str] = []
        lines.append(mine)
        while True:
            mine.append((await reader.readuntil(b"\r\n\r\n")).split()[0].decode())
            writer.write(OK)

    async with serving(counting) as url, a_client() as client:
        for method in ("GET", "GET", "POST", "GET", "POST"):
            await client.request(method, url)
    assert sorted(lines) == [["GET", "GET", "GET"], ["POST"], ["POST"]]
