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
from tests.services.api.raw_headers import status_of
from tests.services.api.stand_in import StandIn, application, client_of, serving

CSP = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self' data:; connect-src 'self'; "
    "worker-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


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
    [
        ("localhost:8080", 200),
        ("rushes.example", 200),
        ("RUSHES.example", 200),
        ("rushes.example:443", 200),
        ("rushes.example:80", 403),
        ("rushes.example:8443", 403),
        ("rushes.example.", 403),
        ("a.example", 403),
    ],
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
        ("cross-site", "GET", 403),
        ("cross-site", "POST", 403),
        ("cross-site", "DELETE", 403),
        ("same-origin", "POST", 405),
        ("none", "POST", 405),
    ],
)
async def test_other_sites_may_not_fetch_from_here_nor_change_anything(
    app: FastAPI, site: str, method: str, status: int
) -> None:
    assert await status_of(app, [("Sec-Fetch-Site", site)], method) == status


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("mode", "dest", "method", "status"),
    [
        ("navigate", "document", "GET", 200),
        ("navigate", "document", "POST", 403),
        ("navigate", "iframe", "GET", 403),
        ("navigate", "object", "GET", 403),
        ("no-cors", "image", "GET", 403),
        ("no-cors", "script", "GET", 403),
        ("cors", "empty", "GET", 403),
        ("cors", "empty", "OPTIONS", 403),
    ],
)
async def test_other_sites_may_link_here_and_embed_nothing(
    app: FastAPI, mode: str, dest: str, method: str, status: int
) -> None:
    headers = [("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", mode), ("Sec-Fetch-Dest", dest)]
    assert await status_of(app, headers, method) == status


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("public_url", "spelling"),
    [
        ("https://кино.example", "xn--h1adke.example"),
        ("https://xn--h1adke.example", "кино.example"),
        ("https://КИНО.example/", "xn--h1adke.example:443"),
        ("https://straße.example", "xn--strae-oqa.example"),
        ("https://🎬.example", "xn--dl8h.example"),
    ],
)
async def test_a_name_in_another_script_matches_in_both_spellings(
    stand_in: StandIn, public_url: str, spelling: str
) -> None:
    stand_in.settings = stand_in.settings.model_copy(update={"public_url": public_url})
    app = application(stand_in, stand_in.media(""))[0]
    assert await status_of(app, [("Host", spelling), ("Origin", f"https://{spelling}")]) == 200
    assert await status_of(app, [("Host", "xn--a-ecp.example")]) == 403


@pytest.mark.asyncio
@pytest.mark.parametrize("host", ["10.1.2.3:8080", "any.example", ""])
async def test_a_health_check_needs_no_known_host(app: FastAPI, host: str) -> None:
    async with client_of(app) as client:
        assert (await client.get("/alive", headers={"Host": host})).status_code == 200


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("host", "told"),
    [("rushes.example", "max-age=31536000"), ("localhost:8080", None), ("evil.example", None)],
)
async def test_the_public_host_is_for_https_only(public: FastAPI, host: str, told: str | None) -> None:
    async with client_of(public) as client:
        answer = await client.get("/api/files", headers={"Host": host})
    assert answer.headers.get("Strict-Transport-Security") == told


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
