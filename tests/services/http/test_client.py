"""One backend's requests through the client: what it sends, keeps and tells the host limiter."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from services.http.address import Address
from services.http.client import BackendClient
from services.http.host_limiter import HostLimiter

PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
OK = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 2\r\n\r\nhi"


@asynccontextmanager
async def serving(answer: bytes) -> AsyncIterator[tuple[str, list[str]]]:
    heads: list[str] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                heads.append(head.decode())
                writer.write(answer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", heads


@asynccontextmanager
async def a_client() -> AsyncIterator[BackendClient]:
    client = BackendClient(HostLimiter(), tls=PLAIN)
    try:
        yield client
    finally:
        await client.close()


@pytest.mark.asyncio
async def test_cookies_are_neither_stored_nor_sent() -> None:
    async with serving(OK) as (url, heads), a_client() as client:
        for method in ("GET", "GET", "POST"):
            await client.request(method, url, within_s=5.0, max_bytes=10)
        assert not client.http.cookies
    assert len(heads) == 3
    assert "cookie" not in "".join(heads).lower()


@pytest.mark.asyncio
async def test_no_header_is_sent_that_was_not_asked_for() -> None:
    async with serving(OK) as (url, heads), a_client() as client:
        await client.request("GET", url, within_s=5.0, max_bytes=10, headers={"X-One": "1"})
    names = {line.partition(":")[0].lower() for line in heads[0].split("\r\n")[1:] if line}
    assert names == {"host", "user-agent", "x-one"} | ({"accept-encoding"} & names)
    assert "user-agent: rushes\r\n" in heads[0].lower()


@pytest.mark.asyncio
async def test_the_environment_s_proxies_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with serving(OK) as (url, _), a_client() as client:
        assert (await client.request("GET", url, within_s=5.0, max_bytes=10)).body == b"hi"


@pytest.mark.asyncio
async def test_no_url_reaches_a_log(caplog: pytest.LogCaptureFixture) -> None:
    async with serving(OK) as (url, _), a_client() as client:
        with caplog.at_level(logging.INFO):
            await client.request("GET", f"{url}film?signature=secret", within_s=5.0, max_bytes=10)
    assert "secret" not in caplog.text


@pytest.mark.asyncio
@pytest.mark.parametrize(("max_bytes", "body"), [(2, b"hi"), (1, None)])
async def test_a_body_over_its_limit_is_none(max_bytes: int, body: bytes | None) -> None:
    async with serving(OK) as (url, _), a_client() as client:
        answer = await client.request("GET", url, within_s=5.0, max_bytes=max_bytes)
    assert (answer.status, answer.body) == (200, body)


@pytest.mark.asyncio
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_server_that_closes_before_it_answers_was_connected_to(method: str) -> None:
    async def close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.close()

    server = await asyncio.start_server(close, "127.0.0.1", 0)
    async with server, a_client() as client:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        with pytest.raises(httpx.HTTPError) as raised:
            await client.request(method, url, within_s=5.0, max_bytes=10)
    assert not isinstance(raised.value, httpx.ConnectError | httpx.ConnectTimeout)


@pytest.mark.parametrize(
    ("url", "owned"),
    [
        ("https://HOST.example:443/film", True),
        ("https://host.example/", True),
        ("http://host.example/", False),
        ("https://host.example:444/", False),
        ("https://host.example.evil.test/", False),
        ("https://[::1/", False),
        ("", False),
    ],
)
def test_an_address_is_the_origin_of_its_own_urls(url: str, owned: bool) -> None:
    assert Address("https://host.example/base", "key").is_origin_of(url) is owned
    assert not Address().is_origin_of(url)
