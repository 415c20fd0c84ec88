"""Requests through an HTTP proxy: which ones take it, and what its failures prove (R6)."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from services.backends.base import Capabilities
from services.backends.superduperai import SuperDuperAI
from services.core.errors import BackendUnavailable, CannotStart, ChannelLost, DeliveryFailed
from services.http.address import Address
from services.http.address_guard import AddressGuard
from services.http.client import BackendClient, http_client
from services.http.event_stream import open_stream
from services.http.host_limiter import HostLimiter
from services.http.proxy import OutboundProxy
from services.http.transport import Transport
from services.media.download import Downloader
from tests.services.http.test_transport import OK, PLAIN, Handler, answering, resetting, serving
from tests.support.connect_proxy import ConnectProxy, connect_proxy
from tests.support.https_proxy import make_certificate

NAME = "backend.example"


def through(proxy: ConnectProxy) -> OutboundProxy:
    return OutboundProxy.configured(proxy.url)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificate")
    make_certificate(folder, (NAME,))
    return folder


@asynccontextmanager
async def serving_tls(handle: Handler, certificate: Path) -> AsyncIterator[int]:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate / "certificate.pem", certificate / "key.pem")

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handle(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield server.sockets[0].getsockname()[1]


def trusting(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certificate / "certificate.pem")


def client_through(
    proxy: OutboundProxy, tls: ssl.SSLContext = PLAIN, *, connect_s: float = 5.0
) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=Transport(tls=tls, keep_alive_s=3.0, proxy=proxy),
        trust_env=False,
        timeout=httpx.Timeout(5.0, connect=connect_s),
    )


# -- what goes through it --------------------------------------------------------------------------


@pytest.mark.asyncio
async def test_a_backend_s_calls_are_forwarded() -> None:
    async with connect_proxy() as proxy, serving(answering(OK)) as url:
        client = BackendClient(HostLimiter(), tls=PLAIN, proxy=through(proxy))
        for method in ("GET", "POST"):
            assert (await client.request(method, url, within_s=5.0, max_bytes=9)).body == b"hi"
        await client.close()
    assert proxy.asked == [f"GET {url}", f"POST {url}"]


@pytest.mark.asyncio
async def test_https_is_tunnelled_to_a_name_that_only_the_proxy_can_resolve(certificate: Path) -> None:
    async with (
        serving_tls(answering(OK), certificate) as port,
        connect_proxy({NAME: port}) as proxy,
        client_through(through(proxy), trusting(certificate)) as client,
    ):
        assert (await client.post(f"https://{NAME}:8443/", content=b"paid")).content == b"hi"
    assert proxy.asked == [f"CONNECT {NAME}:8443"]
    assert "paid" not in proxy.heads[0]


@pytest.mark.asyncio
async def test_an_event_stream_comes_through_as_it_is_sent() -> None:
    async def stream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: one\n\n")
        await reader.read()

    async with (
        connect_proxy() as proxy,
        serving(stream) as url,
        http_client(Transport(tls=PLAIN, proxy=through(proxy))) as client,
        open_stream(client, url, headers={}, silence_s=5.0) as events,
    ):
        assert (await anext(events)).data == "one"
    assert proxy.asked == [f"GET {url}"]


@pytest.mark.asyncio
async def test_a_result_on_a_public_host_is_fetched_where_only_the_proxy_knows_the_name(
    tmp_path: Path,
) -> None:
    async with serving(answering(OK)) as url:
        port = httpx.URL(url).port
        assert port
        async with connect_proxy({"films.example": port}) as proxy:
            downloader = Downloader(AddressGuard(), proxy=through(proxy))
            await downloader.fetch("http://films.example/film", tmp_path / "part")
            await downloader.close()
    assert (tmp_path / "part").read_bytes() == b"hi"
    assert proxy.asked == ["GET http://films.example/film"]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "host",
    ["10.1.2.3", "127.1:8080", "[::1]:8080", "169.254.169.254", "localhost", "metadata.google.internal"],
)
async def test_no_result_is_asked_of_a_private_host_through_the_proxy(host: str, tmp_path: Path) -> None:
    async with connect_proxy() as proxy:
        redirect = f"HTTP/1.1 302 Found\r\nLocation: http://{host}/film\r\nContent-Length: 0\r\n\r\n"
        async with serving(answering(redirect.encode())) as url:
            downloader = Downloader(AddressGuard([url]), proxy=through(proxy))
            for start in (f"http://{host}/film", url):
                with pytest.raises(DeliveryFailed) as refused:
                    await downloader.fetch(start, tmp_path / "part")
                assert refused.value.reason == "address"
            await downloader.close()
    assert proxy.asked == [f"GET {url}"]


@pytest.mark.asyncio
async def test_a_trusted_private_origin_is_fetched_through_the_proxy(tmp_path: Path) -> None:
    async with connect_proxy() as proxy, serving(answering(OK)) as url:
        downloader = Downloader(AddressGuard(trusted=[url]), proxy=through(proxy))
        await downloader.fetch(f"{url}film", tmp_path / "part")
        await downloader.close()
    assert proxy.asked == [f"GET {url}film"]


@pytest.mark.asyncio
async def test_the_embedded_backend_is_asked_directly_as_long_as_it_lives() -> None:
    async with connect_proxy() as proxy, serving(answering(OK)) as url:
        way = through(proxy)
        way.bypass(url)
        async with client_through(way) as client:
            await client.get(f"{url}one")
            way.forget(url)
            await client.get(f"{url}two")
    assert proxy.asked == [f"GET {url}two"]


@pytest.mark.asyncio
async def test_the_proxy_s_password_is_sent_to_it_and_shown_nowhere(certificate: Path) -> None:
    async with serving_tls(answering(OK), certificate) as port, connect_proxy({NAME: port}) as proxy:
        way = OutboundProxy.configured(proxy.url.replace("//", "//me:s%40cret@"))
        async with client_through(way, trusting(certificate)) as client:
            await client.get(f"https://{NAME}/")
            proxy.answer = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
            with pytest.raises(httpx.ConnectError) as refused:
                await client.post(f"https://{NAME}/", content=b"paid")
    assert "proxy-authorization: basic bwu6c0bjcmv0" in proxy.heads[0].lower()  # me:s@cret
    assert "cret" not in str(refused.value)


# -- what its failures prove -----------------------------------------------------------------------

REFUSALS = [
    b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno",
    b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 504 Gateway Timeout\r\nContent-Length: 0\r\n\r\n",
    b"nonsense\r\n\r\n",
    b"HTTP/1.1 2",
    b"HTTP/1.1 200 Connection established\r\n\r\n",
    b"",
]


@pytest.mark.asyncio
@pytest.mark.parametrize("answer", REFUSALS)
async def test_a_tunnel_that_never_opened_took_nothing(answer: bytes) -> None:
    async with connect_proxy() as proxy:
        proxy.answer = answer
        async with client_through(through(proxy)) as client:
            with pytest.raises(httpx.ConnectError):
                await client.post(f"https://{NAME}/", content=b"paid")
    assert proxy.asked == [f"CONNECT {NAME}:443"]


@pytest.mark.asyncio
async def test_a_tunnel_that_does_not_open_in_time_took_nothing() -> None:
    async with connect_proxy() as proxy:
        proxy.silent = True
        async with client_through(through(proxy), connect_s=0.2) as client:
            with pytest.raises(httpx.ConnectTimeout):
                await client.post(f"https://{NAME}/", content=b"paid")


@pytest.mark.asyncio
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_proxy_that_is_not_there_took_nothing(scheme: str) -> None:
    async with client_through(OutboundProxy.configured("http://127.0.0.1:9")) as client:
        with pytest.raises(httpx.ConnectError):
            await client.post(f"{scheme}://{NAME}/", content=b"paid")


@pytest.mark.asyncio
@pytest.mark.parametrize("handle", [resetting, answering(b""), answering(b"HTTP/1.1 2")])
async def test_what_breaks_inside_the_tunnel_may_have_been_taken(handle: Handler, certificate: Path) -> None:
    async with (
        serving_tls(handle, certificate) as port,
        connect_proxy({NAME: port}) as proxy,
        client_through(through(proxy), trusting(certificate)) as client,
    ):
        with pytest.raises(httpx.HTTPError) as broken:
            await client.post(f"https://{NAME}/", content=b"paid")
    assert not isinstance(broken.value, httpx.ConnectError | httpx.ConnectTimeout)


@pytest.mark.asyncio
@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 2"])
async def test_a_forwarded_submit_that_the_proxy_does_not_answer_may_have_been_taken(answer: bytes) -> None:
    async with connect_proxy() as proxy:
        proxy.answer = answer
        async with client_through(through(proxy)) as client:
            with pytest.raises(httpx.HTTPError) as broken:
                await client.post(f"http://{NAME}/", content=b"paid")
    assert not isinstance(broken.value, httpx.ConnectError | httpx.ConnectTimeout)


@pytest.mark.asyncio
async def test_a_backend_behind_a_proxy_that_refuses_is_a_lost_channel() -> None:
    async with connect_proxy() as proxy:
        proxy.answer = REFUSALS[0]
        backend = SuperDuperAI(
            name="superduperai",
            address=Address(f"https://{NAME}", "key"),
            capabilities=Capabilities(),
            ssl_context=PLAIN,
            proxy=through(proxy),
        )
        with pytest.raises(ChannelLost) as lost:
            await backend.poll("f1")
        with pytest.raises(BackendUnavailable):
            await backend.models()
        await backend.close()
    assert lost.value.reason == "refused"


# -- the setting -----------------------------------------------------------------------------------


def way(url: str, **environment: str) -> str | None:
    return OutboundProxy.configured("env", environment).url_for(httpx.URL(url))


def test_the_environment_counts_only_when_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    assert OutboundProxy.configured("").url_for(httpx.URL("http://b.example/")) is None
    monkeypatch.delenv("http_proxy", raising=False)
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.delenv("no_proxy", raising=False)
    assert (
        OutboundProxy.configured("env").url_for(httpx.URL("http://b.example/")) == "http://proxy.example:3128"
    )


def test_each_scheme_has_its_own_proxy_and_small_letters_count_first() -> None:
    names = {"HTTP_PROXY": "http://a:1", "http_proxy": "b:2", "HTTPS_PROXY": "http://c:3/"}
    assert way("http://x.example/", **names) == "http://b:2"
    assert way("https://x.example/", **names) == "http://c:3/"
    assert way("https://x.example/", HTTP_PROXY="http://a:1") is None


@pytest.mark.parametrize(
    ("exceptions", "direct", "proxied"),
    [
        ("*", ["http://x.example/"], []),
        ("example.com", ["http://example.com/", "http://EXAMPLE.com./", "http://a.example.com:81/"], ["http://notexample.com/"]),
        (".example.com, other", ["http://a.example.com/", "http://other/"], ["http://example.org/"]),
        ("*.example.com", ["http://a.example.com/"], ["http://a.example.org/"]),
        ("example.com:81", ["http://example.com:81/"], ["http://example.com/"]),
        ("10.0.0.0/8 192.168.1.1", ["http://10.9.9.9:8000/", "http://192.168.1.1/"], ["http://11.0.0.1/"]),
        ("::1,[fd00::1]:81", ["http://[::1]:8000/", "http://[fd00::1]:81/"], ["http://[fd00::1]/"]),
        ("fd00::/8", ["http://[fd12::1]/"], ["http://[2001:4860::1]/"]),
        (", ,", [], ["http://x.example/", "http://[::1]/"]),
    ],
)  # fmt: skip
def test_no_proxy_names_what_goes_directly(exceptions: str, direct: list[str], proxied: list[str]) -> None:
    found = {url: way(url, HTTP_PROXY="http://p:1", NO_PROXY=exceptions) for url in [*direct, *proxied]}
    assert [url for url, proxy in found.items() if proxy is None] == direct


@pytest.mark.parametrize(
    "setting", ["socks5://p:1", "ftp://p", "http://", "http://p/path", "http://p?x", "http://[::1"]
)
def test_what_is_no_http_proxy_stops_the_start_without_showing_a_password(setting: str) -> None:
    with pytest.raises(CannotStart) as refused:
        OutboundProxy.configured(setting.replace("//", "//me:secret@"))
    assert str(refused.value).startswith("RUSHES_OUTBOUND_PROXY must be the address of an HTTP proxy")
    assert "secret" not in str(refused.value)


def test_a_wrong_proxy_of_the_environment_is_named_by_its_variable() -> None:
    with pytest.raises(CannotStart, match=r"^https_proxy must be"):
        OutboundProxy.configured("env", {"https_proxy": "socks5h://p:1"})
