"""One stream over a real loopback connection: what each answer, silence and break is called."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from email.utils import formatdate

import httpx
import pytest

from services.core.errors import ChannelLost
from services.http.client import http_client
from services.http.event_stream import StreamEvent, open_stream
from services.http.retry_after import retry_after_s
from services.http.transport import Transport

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
OPEN = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"


def a_client() -> httpx.AsyncClient:
    return http_client(Transport(tls=PLAIN, keep_alive_s=3.0))


@asynccontextmanager
async def serving(*answers: bytes | Handler) -> AsyncIterator[tuple[str, list[str]]]:
    """Answers each request with the next of `answers` (the last again and again), then closes."""
    requests: list[str] = []
    tasks: set[asyncio.Task[None]] = set()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            requests.append((await reader.readuntil(b"\r\n\r\n")).decode())
            what = answers[min(len(requests), len(answers)) - 1]
            if isinstance(what, bytes):
                writer.write(what)
                await writer.drain()
            else:
                await what(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(answer(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/events", requests
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)


async def received(
    url: str, *, silence_s: float = 2.0, **options: object
) -> tuple[list[StreamEvent], ChannelLost]:
    events: list[StreamEvent] = []
    async with a_client() as client:
        try:
            async with open_stream(
                client,
                url,
                headers={"Authorization": "Bearer secret"},
                silence_s=silence_s,
                **options,  # type: ignore[arg-type]
            ) as stream:
                async for event in stream:
                    events.append(event)  # noqa: PERF401
        except ChannelLost as lost:
            return events, lost
    raise AssertionError("a stream never just ends")


def status(line: str, *headers: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {line}", "Content-Length: 0", *headers, "", ""]).encode()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("204 No Content", "no_content"),
        ("401 Unauthorized", "unauthorized"),
        ("403 Forbidden", "unauthorized"),
        ("404 Not Found", "gone"),
        ("410 Gone", "gone"),
        ("429 Too Many Requests", "busy"),
        ("503 Service Unavailable", "busy"),
        ("500 Internal Server Error", "server_error"),
        ("502 Bad Gateway", "server_error"),
        ("524 A Timeout Occurred", "server_error"),
        ("400 Bad Request", "refused"),
        ("418 I'm a teapot", "refused"),
        ("206 Partial Content", "refused"),
        ("304 Not Modified", "refused"),
    ],
)
async def test_each_status_is_a_reason_of_its_own(line: str, reason: str) -> None:
    async with serving(status(line)) as (url, _):
        _, lost = await received(url)
    assert (lost.reason, lost.retry_after_s) == (reason, None)
    assert "secret" not in str(lost) and url not in str(lost)


@pytest.mark.asyncio
@pytest.mark.parametrize("line", ["429 Slow Down", "503 Away"])
async def test_a_busy_backend_says_how_long_to_wait(line: str) -> None:
    async with serving(status(line, "Retry-After: 7")) as (url, _):
        _, lost = await received(url)
    assert (lost.reason, lost.retry_after_s) == ("busy", 7.0)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        ("99999", 600.0),
        ("9" * 5000, 600.0),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        ("٣", None),
        (formatdate(1_800_000_090, usegmt=True), 90.0),
        (formatdate(1_800_009_000, usegmt=True), 600.0),
        (formatdate(1_700_000_000, usegmt=True), 0.0),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_ten_minutes_at_most(value: str, seconds: float | None) -> None:
    assert retry_after_s({"Retry-After": value, "Date": formatdate(1_800_000_000, usegmt=True)}) == seconds


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("head", "reason"),
    [
        ("Content-Type: text/event-stream", "ended"),
        ("Content-Type: text/event-stream;charset=utf-8", "ended"),
        ("Content-Type: Text/Event-Stream ; x=y", "ended"),
        ("Content-Type: text/event-stream;charset=windows-1251", "ended"),
        ("Content-Type: text/x-bogus", "malformed"),
        ("Content-Type: application/x-text/event-stream", "malformed"),
        ("Content-Type: text/html", "malformed"),
        ("X-Nothing: said", "malformed"),
        ("Content-Type: text/event-stream\r\nContent-Encoding: gzip", "ended"),
    ],
)
async def test_only_an_event_stream_is_listened_to(head: str, reason: str) -> None:
    async with serving(f"HTTP/1.1 200 OK\r\n{head}\r\n\r\ndata:x\n\n".encode()) as (url, _):
        events, lost = await received(url)
    assert lost.reason == reason
    assert [event.data for event in events] == (["x"] if reason == "ended" else [])


@pytest.mark.asyncio
async def test_it_asks_as_an_event_source_does() -> None:
    async with serving(OPEN) as (url, requests):
        await received(url, last_event_id="12")
    asked = requests[0].lower()
    for line in (
        "accept: text/event-stream",
        "cache-control: no-store",
        "accept-encoding: identity",
        "authorization: bearer secret",
        "last-event-id: 12",
    ):
        assert f"\r\n{line}\r\n" in asked


@pytest.mark.asyncio
async def test_a_redirect_within_the_origin_is_followed() -> None:
    async with serving(status("307 T", "Location: /elsewhere"), OPEN + b"data:x\n\n") as (url, requests):
        events, lost = await received(url)
    assert ([event.data for event in events], lost.reason) == (["x"], "ended")
    assert requests[1].startswith("GET /elsewhere ")


@pytest.mark.asyncio
async def test_a_redirect_to_another_origin_is_refused_and_the_key_stays_here() -> None:
    async with (
        serving(OPEN) as (other, asked_there),
        serving(status("302 F", f"Location: {other}")) as (url, _),
    ):
        _, lost = await received(url)
    assert (lost.reason, asked_there) == ("refused", [])


@pytest.mark.asyncio
@pytest.mark.parametrize("location", ["Location: /events", "X-Nothing: said", "Location: ftp://127.0.0.1/"])
async def test_a_redirect_that_leads_nowhere_is_refused(location: str) -> None:
    async with serving(status("302 Found", location)) as (url, requests):
        _, lost = await received(url)
    assert lost.reason == "refused" and len(requests) <= 4


@pytest.mark.asyncio
async def test_nobody_at_the_address_is_a_refusal() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        _, lost = await received(f"http://127.0.0.1:{unused.getsockname()[1]}/events")
    assert lost.reason == "refused"


@pytest.mark.asyncio
async def test_an_address_that_cannot_be_read_is_a_refusal() -> None:
    assert (await received("http://[/events"))[1].reason == "refused"
    assert (await received("gopher://127.0.0.1/events"))[1].reason == "refused"


@pytest.mark.asyncio
async def test_a_backend_that_never_answers_is_a_timeout() -> None:
    async def never(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with serving(never) as (url, _):
        assert (await received(url, silence_s=0.1))[1].reason == "timeout"


@pytest.mark.asyncio
async def test_a_stream_without_a_byte_is_silent() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(OPEN + b"retry:2000\n\n")
        await reader.read()

    async with serving(silent) as (url, _), asyncio.timeout(5.0):
        _, lost = await received(url, silence_s=0.1)
    assert (lost.reason, lost.retry_after_s) == ("silent", 2.0)


@pytest.mark.asyncio
async def test_comments_and_even_half_lines_keep_a_stream_alive() -> None:
    async def dripping(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(OPEN)
        for byte in b": ping\n\ndata:x\n\n":
            await asyncio.sleep(0.05)
            writer.write(bytes([byte]))

    async with serving(dripping) as (url, _):
        events, lost = await received(url, silence_s=0.4)
    assert lost.reason == "ended"
    assert [event.data for event in events] == ["x"]


@pytest.mark.asyncio
async def test_a_connection_that_breaks_is_a_reset() -> None:
    async with serving(OPEN.replace(b"\r\n\r\n", b"\r\nContent-Length: 999\r\n\r\n") + b"data:x\n\n") as (
        url,
        _,
    ):
        events, lost = await received(url)
    assert ([event.data for event in events], lost.reason) == (["x"], "reset")


@pytest.mark.asyncio
@pytest.mark.parametrize("nonsense", [b"", b"\x00\xff garbage\r\n\r\n", b"HTTP/1.1 2000 OK\r\n\r\n"])
async def test_a_broken_answer_is_a_reset(nonsense: bytes) -> None:
    async with serving(nonsense) as (url, _):
        assert (await received(url))[1].reason == "reset"


@pytest.mark.asyncio
async def test_a_clean_end_is_a_lost_channel_too() -> None:
    async with serving(OPEN + b"data:x\n\nretry:1500\ndata:unfinished") as (url, _):
        events, lost = await received(url)
    assert [event.data for event in events] == ["x"]
    assert (lost.reason, lost.retry_after_s) == ("ended", 1.5)


@pytest.mark.asyncio
async def test_an_endless_line_is_cut_off_early() -> None:
    sent = 0

    async def endless(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(OPEN + b"data:")
        while True:
            writer.write(b"x" * 65_536)
            sent += 65_536
            await writer.drain()

    async with serving(endless) as (url, _):
        events, lost = await received(url)
    assert (lost.reason, events) == ("oversize", [])
    assert sent < 16 * 1024 * 1024  # 1 MiB taken, the rest is what the sockets hold


@pytest.mark.asyncio
async def test_a_cancelled_listener_closes_its_connection() -> None:
    closed = asyncio.Event()

    async def waiting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(OPEN + b"data:x\n\n")
        await reader.read()
        closed.set()

    async with serving(waiting) as (url, _), a_client() as client:
        listening = asyncio.Event()

        async def listen() -> None:
            async with open_stream(client, url, headers={}, silence_s=30) as stream:
                async for _ in stream:
                    listening.set()

        task = asyncio.create_task(listen())
        await listening.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with asyncio.timeout(2):
            await closed.wait()


@pytest.mark.asyncio
async def test_what_the_listener_itself_raises_passes_through_unchanged() -> None:
    async with (
        serving(OPEN + b"data:x\n\n") as (url, _),
        a_client() as client,
    ):
        with pytest.raises(httpx.ReadTimeout):
            async with open_stream(client, url, headers={}, silence_s=1):
                raise httpx.ReadTimeout("the listener's own")
