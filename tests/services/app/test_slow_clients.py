"""Clients that send slowly, or without end, hold no connection; patient ones are served."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from services.app import deadline_protocol
from services.app.deadline_protocol import DeadlineProtocol
from tests.services.api.stand_in import serving

pytestmark = pytest.mark.asyncio
WITHIN_S = 20.0


async def _count(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(len(await request.body())))


async def _echo(socket: WebSocket) -> None:
    await socket.accept()
    while True:
        await socket.send_text(await socket.receive_text())


@pytest_asyncio.fixture
async def port(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    monkeypatch.setattr(deadline_protocol, "HEAD_WITHIN_S", 0.5)
    monkeypatch.setattr(deadline_protocol, "BODY_WINDOW_S", 0.5)
    app = Starlette(routes=[Route("/", _count, methods=["GET", "POST"]), WebSocketRoute("/socket", _echo)])
    async with serving(app, http=DeadlineProtocol, log_level="critical") as (address, _):
        yield int(address.rsplit(":", 1)[1])


async def answer_to(port: int, *pieces: bytes, every_s: float = 0.0) -> bytes:
    """What comes until the connection is closed; the pieces are sent one by one, however long that takes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def send() -> None:
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(every_s)

    sending = asyncio.create_task(send())
    try:
        async with asyncio.timeout(WITHIN_S):
            return await reader.read(-1)
    except ConnectionResetError:
        return b""
    finally:
        sending.cancel()
        writer.close()


async def test_a_connection_that_says_nothing_is_closed(port: int) -> None:
    assert (await answer_to(port)).startswith(b"HTTP/1.1 408 ")


async def test_a_head_that_drips_is_refused(port: int) -> None:
    drips = [b"GET / HTTP/1.1\r\nHost: a\r\n", *[b"X: y\r\n"] * 1000]
    assert (await answer_to(port, *drips, every_s=0.05)).startswith(b"HTTP/1.1 408 ")


async def test_a_head_without_end_is_refused(port: int) -> None:
    lines = [b"X: " + b"y" * 8000 + b"\r\n"] * 20
    answer = await answer_to(port, b"GET / HTTP/1.1\r\n", *lines, every_s=0.001)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 431 ")


async def test_a_body_that_drips_is_refused(port: int) -> None:
    head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n"
    assert (await answer_to(port, head, *[b"x"] * 1000, every_s=0.05)).startswith(b"HTTP/1.1 408 ")


async def test_a_slow_upload_that_goes_on_is_taken(port: int) -> None:
    pieces = [bytes(16_384)] * 16
    head = b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % (16_384 * 16)
    assert (await answer_to(port, head, *pieces, every_s=0.1)).endswith(b"\r\n\r\n262144")


async def test_the_second_head_of_a_connection_has_a_deadline_too(port: int) -> None:
    answer = await answer_to(
        port, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", *[b"GET / HTTP/1.1\r\n"], every_s=0.2
    )
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"HTTP/1.1 408 " in answer


async def test_an_open_websocket_may_be_silent(port: int) -> None:
    from websockets.asyncio.client import connect

    async with connect(f"ws://127.0.0.1:{port}/socket", proxy=None) as socket:
        await asyncio.sleep(1.5)
        await socket.send("still here")
        assert await socket.recv() == "still here"
