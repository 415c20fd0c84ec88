"""Who may ask: the Host, the Origin, the fetch metadata; and the headers on all answers."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
import websockets
from fastapi import FastAPI, WebSocket
from websockets.exceptions import InvalidStatus

from services.api import Metrics
from services.api.origin_guard import Guard
from tests.services.api.stand_in import StandIn, application, client_of, serving

CSP = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self' data:; connect-src 'self'; "
    "worker-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


async def status_of(app: FastAPI, headers: list[tuple[str, str]], method: str = "GET") -> int:
    async with client_of(app) as client:
        request = client.build_request(method, "/api/files", headers=headers)
        if not any(name == "Host" for name, _ in headers):
            request.headers["Host"] = "localhost:8080"
        return (await client.send(request)).status_code


@pytest.fixture
def public(stand_in: StandIn) -> FastAPI:
    stand_in.settings = stand_in.settings.model_copy(update={"public_url": "https://rushes.example"})
    return application(stand_in, stand_in.media(""))[0]


@pytest.mark.asyncio
@pytest.mark.parametrize("host", ["localhost", "localhost:9", "127.0.0.1:8080", "[::1]:8080", "LOCALHOST:80"])
async def test_loopback_names_are_served_on_any_port(app: FastAPI, host: str) -> None:
    assert await status_of(app, [("Host", host)]) == 200


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8080",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "localhost.",
        "rushes.example",
        "192.168.1.5:8080",
    ],
)
async def test_a_foreign_host_is_refused(app: FastAPI, host: str) -> None:
    assert await status_of(app, [("Host", host)]) == 403


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "host",
    ["", "user@localhost", "localhost/evil", "localhost:port", "localhost:99999", "[::1", "localhost?x"],
)
async def test_an_unreadable_host_is_a_400(app: FastAPI, host: str) -> None:
    assert await status_of(app, [("Host", host)]) == 400


@pytest.mark.asyncio
async def test_two_hosts_are_a_400(app: FastAPI) -> None:
    assert await status_of(app, [("Host", "localhost"), ("Host", "localhost")]) == 400


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("host", "status"),
    [("localhost:8080", 200), ("rushes.example:443", 200), ("rushes.example:8443", 403), ("a.example", 403)],
)
async def test_the_public_host_is_served_too(public: FastAPI, host: str, status: int) -> None:
    assert await status_of(public, [("Host", host)]) == status


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("host", "origin", "status"),
    [
        ("localhost:8080", "http://localhost:8080", 200),
        ("localhost:8080", "https://rushes.example", 200),
        ("localhost:8080", "http://rushes.example", 403),
        ("localhost:8080", "http://localhost:3000", 403),
        ("localhost:8080", "http://127.0.0.1:8080", 403),
        ("localhost:8080", "http://evil.example", 403),
        ("localhost:8080", "null", 403),
        ("localhost:8080", "", 403),
        ("localhost:8080", "http://localhost:8080@evil.example", 403),
        ("localhost:8080", "http://localhost:8080.evil.example", 403),
        ("localhost:8080", "file://localhost:8080", 403),
    ],
)
async def test_only_our_own_origin_may_ask(public: FastAPI, host: str, origin: str, status: int) -> None:
    assert await status_of(public, [("Host", host), ("Origin", origin)]) == status


@pytest.mark.asyncio
async def test_two_origins_are_refused(app: FastAPI) -> None:
    ours = ("Origin", "http://localhost:8080")
    assert await status_of(app, [ours, ours]) == 403


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("site", "method", "status"),
    [
        ("cross-site", "GET", 200),
        ("cross-site", "POST", 403),
        ("cross-site", "DELETE", 403),
        ("same-origin", "POST", 405),
        ("none", "POST", 405),
    ],
)
async def test_other_sites_may_link_here_and_change_nothing(
    app: FastAPI, site: str, method: str, status: int
) -> None:
    assert await status_of(app, [("Sec-Fetch-Site", site)], method) == status


@pytest.mark.asyncio
async def test_a_refusal_is_json_with_the_headers(client: httpx.AsyncClient) -> None:
    answer = await client.get("/health", headers={"Origin": "http://evil.example"})
    assert answer.json() == {
        "success": False,
        "error": "Requests from other websites are refused.",
        "field": None,
    }
    assert answer.headers["Content-Security-Policy"] == CSP


@pytest.mark.asyncio
@pytest.mark.parametrize("path", ["/api/files", "/api/nowhere", "/health", "/docs", "/not-of-the-api"])
async def test_every_answer_carries_the_headers(client: httpx.AsyncClient, path: str) -> None:
    headers = (await client.get(path)).headers
    assert headers["Content-Security-Policy"] == CSP
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert (headers.get("Cache-Control") == "no-store") == path.startswith(("/api/", "/health"))


@pytest.fixture(scope="module")
def talking(made: tuple[StandIn, FastAPI, Metrics]) -> FastAPI:
    async def talk(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text("welcome")
        await websocket.close()

    made[1].add_api_websocket_route("/talk", talk)
    return made[1]


@pytest.mark.asyncio
async def test_a_websocket_of_our_own_pages_is_opened(talking: FastAPI) -> None:
    async with serving(talking) as (address, _):
        url = f"ws://{address}/talk"
        async with websockets.connect(url, origin=f"http://{address}", proxy=None) as socket:
            assert await socket.recv() == "welcome"


@pytest.mark.asyncio
@pytest.mark.parametrize("origin", [None, "http://evil.example", "null", "http://localhost:1"])
async def test_a_foreign_websocket_is_refused_before_it_opens(talking: FastAPI, origin: Any) -> None:
    async with serving(talking) as (address, _):
        with pytest.raises(InvalidStatus) as refused:
            async with websockets.connect(f"ws://{address}/talk", origin=origin, proxy=None):
                pass
    assert refused.value.response.status_code == 403


@pytest.mark.asyncio
async def test_the_lifespan_passes_the_guard() -> None:
    seen = []

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["type"])

    await Guard(inner)({"type": "lifespan"}, None, None)  # type: ignore[arg-type]
    assert seen == ["lifespan"]
