"""One address cannot keep connections open without end, and locks nobody else out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI, WebSocket
from fastapi.responses import StreamingResponse
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from services.api.proxy_headers import ProxyHeaders
from services.api.stream_limit import TOO_MANY, StreamLimit
from services.http.client_address import household
from tests.services.api.stand_in import serving

pytestmark = pytest.mark.asyncio
MOST = 2


@pytest_asyncio.fixture
async def url() -> AsyncIterator[str]:
    app = FastAPI()

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b": still here\n\n"
            await asyncio.sleep(0.05)

    @app.get("/api/events/file.x")
    async def events() -> StreamingResponse:
        return StreamingResponse(endless())

    @app.get("/api/files")
    async def files() -> str:
        return "files"

    @app.websocket("/socket")
    async def socket(socket: WebSocket) -> None:
        await socket.accept()
        await socket.receive()

    app.add_middleware(StreamLimit, streams=MOST, sockets=MOST)
    app.add_middleware(ProxyHeaders)
    async with serving(app, timeout_graceful_shutdown=1, log_level="critical") as (address, _):
        yield address


async def opened(stack: AsyncExitStack, url: str, client: str) -> httpx.Response:
    http = await stack.enter_async_context(httpx.AsyncClient(trust_env=False))
    headers = {"X-Forwarded-For": client}
    stream = http.stream("GET", f"http://{url}/api/events/file.x", headers=headers)
    return await stack.enter_async_context(stream)


async def test_one_address_has_so_many_streams_and_no_more(url: str) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(MOST):
            assert (await opened(stack, url, "203.0.113.7")).status_code == 200
        refusal = await opened(stack, url, "203.0.113.7")
        assert refusal.status_code == 429
        assert TOO_MANY[1].encode() in await refusal.aread()
        assert (await opened(stack, url, "203.0.113.8")).status_code == 200
        async with httpx.AsyncClient(trust_env=False) as http:
            headers = {"X-Forwarded-For": "203.0.113.7"}
            assert (await http.get(f"http://{url}/api/files", headers=headers)).status_code == 200


async def test_a_stream_that_is_closed_makes_room(url: str) -> None:
    for _ in range(MOST * 3):
        async with AsyncExitStack() as stack:
            answer = await opened(stack, url, "203.0.113.7")
            for _ in range(100):
                if answer.status_code == 200:
                    break
                await asyncio.sleep(0.05)
                answer = await opened(stack, url, "203.0.113.7")
            assert answer.status_code == 200


async def test_one_address_has_so_many_pages_and_no_more(url: str) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(MOST):
            await stack.enter_async_context(connect(f"ws://{url}/socket", proxy=None))
        with pytest.raises(InvalidStatus) as refusal:
            await stack.enter_async_context(connect(f"ws://{url}/socket", proxy=None))
        assert refusal.value.response.status_code == 429


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("unix", "unix"),
    ],
)
async def test_one_ipv6_connection_is_one_address(address: str, counted: str) -> None:
    assert household(address) == counted
