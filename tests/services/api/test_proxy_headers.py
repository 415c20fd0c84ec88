"""What a trusted proxy says of a request, and what nobody else may say."""

from __future__ import annotations

import pytest
from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from services.api.proxy_headers import ProxyHeaders, forwarded_host_of
from tests.services.api.raw_headers import status_of


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([("Host", "rushes.example"), ("Origin", "http://rushes.example")], 403),
        ([("Host", "rushes.example"), ("Origin", "http://rushes.example:443")], 403),
        ([("Host", "rushes.example"), ("Origin", "https://rushes.example")], 200),
        ([("Host", "localhost:8443"), ("Origin", "https://localhost:8443")], 403),
    ],
)
async def test_schemes_are_compared(public: FastAPI, headers: list[tuple[str, str]], status: int) -> None:
    assert await status_of(public, headers) == status


@pytest.mark.asyncio
async def test_a_trusted_proxy_says_the_scheme(app: FastAPI) -> None:
    headers = [("Host", "localhost:8443"), ("Origin", "https://localhost:8443")]
    assert await status_of(app, headers) == 403
    assert await status_of(app, [*headers, ("X-Forwarded-Proto", "https")]) == 200


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("host", "forwarded", "status"),
    [
        ("127.0.0.1:8080", "rushes.example", 200),
        ("127.0.0.1:8080", "rushes.example:443", 200),
        ("127.0.0.1:8080", "evil.example, rushes.example", 200),
        ("127.0.0.1:8080", "rushes.example, evil.example", 403),
        ("127.0.0.1:8080", "evil.example", 403),
        ("evil.example", "rushes.example", 403),  # DNS rebinding: the page chooses all but the Host
        ("evil.example", "localhost:8080", 403),
    ],
)
async def test_both_hosts_must_be_served_here(
    public: FastAPI, host: str, forwarded: str, status: int
) -> None:
    assert await status_of(public, [("Host", host), ("X-Forwarded-Host", forwarded)]) == status


async def passed_on(headers: list[tuple[str, str]], client: str, trusted: str) -> Scope:
    """The scope as it leaves the middleware."""
    seen: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)

    raw = [(name.lower().encode(), value.encode()) for name, value in headers]
    scope = {"type": "http", "client": (client, 1), "scheme": "http", "headers": raw}
    await ProxyHeaders(app, trusted=trusted)(scope, None, None)  # type: ignore[arg-type]
    return seen[0]


FORWARDED = [
    ("X-Forwarded-For", "203.0.113.7, 10.0.0.9"),
    ("X-Forwarded-Proto", "https"),
    ("X-Forwarded-Host", "a"),
]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("peer", "trusted", "client"),
    [
        ("127.0.0.1", "127.0.0.0/8,::1/128", "10.0.0.9"),
        ("::1", "127.0.0.0/8,::1/128", "10.0.0.9"),
        ("127.0.0.1", "127.0.0.0/8,10.0.0.0/8", "203.0.113.7"),
    ],
)
async def test_a_trusted_proxy_says_who_asks(peer: str, trusted: str, client: str) -> None:
    scope = await passed_on(FORWARDED, peer, trusted)
    assert scope["client"][0] == client
    assert scope["scheme"] == "https"
    assert forwarded_host_of(scope) is not None


@pytest.mark.asyncio
@pytest.mark.parametrize(("peer", "trusted"), [("192.0.2.1", "127.0.0.0/8,::1/128"), ("127.0.0.1", "")])
async def test_nobody_else_says_who_asks(peer: str, trusted: str) -> None:
    scope = await passed_on(FORWARDED, peer, trusted)
    assert scope["client"][0] == peer
    assert scope["scheme"] == "http"
    assert forwarded_host_of(scope) is None


@pytest.mark.asyncio
@pytest.mark.parametrize("peer", ["127.0.0.1", "192.0.2.1"])
async def test_no_request_brings_a_prefix_into_the_pages(peer: str) -> None:
    scope = await passed_on([("X-Forwarded-Prefix", "//evil.example")], peer, "127.0.0.0/8")
    assert scope["headers"] == []
