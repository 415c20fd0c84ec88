"""The install's backends as the environment configures them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from services.app.backends import InstalledBackends
from services.core.errors import CannotStart
from services.core.settings import Settings, read_settings
from services.http.address_guard import AddressGuard
from tests.services.http.test_transport import answering, serving
from tests.support.connect_proxy import connect_proxy

LISTED = b'[{"name": "m", "type": "text_to_video"}]'
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(LISTED), LISTED)


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await answering(ANSWER)(reader, writer)
    writer.close()


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RUSHES_ANIMATIC", "false")
    monkeypatch.setenv("SUPERDUPERAI_TOKEN", "key")
    return read_settings()


@pytest.mark.asyncio
async def test_a_backend_at_an_ipv6_address_is_asked_and_owns_its_results(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await asyncio.start_server(answer, "::1", 0)
    url = f"http://[::1]:{server.sockets[0].getsockname()[1]}"
    monkeypatch.setenv("SUPERDUPERAI_URL", url)
    guard = AddressGuard()
    installed = InstalledBackends.configured(settings, guard)
    backend = installed.backends["superduperai"]
    assert [model.name for model in await backend.models()] == ["m"]
    assert guard.owns(guard.admit(f"{url}/film"))
    assert backend.headers_for(f"{url}/film")
    await backend.close()
    server.close()


@pytest.mark.parametrize("url", ["http://[::1]:8000", "http://[::1]", "https://[2001:db8::1]:8443/base"])
def test_an_ipv6_address_does_not_stop_the_start(
    url: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUPERDUPERAI_URL", url)
    assert InstalledBackends.configured(settings, AddressGuard()).url_of("superduperai") == url


@pytest.mark.asyncio
@pytest.mark.parametrize("setting", ["url", "env"])
async def test_a_configured_backend_is_asked_through_the_proxy(
    setting: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    async with connect_proxy() as proxy, serving(answering(ANSWER)) as address:
        url = address.rstrip("/")
        monkeypatch.setenv("SUPERDUPERAI_URL", url)
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("RUSHES_OUTBOUND_PROXY", proxy.url if setting == "url" else "env")
        backend = InstalledBackends.configured(read_settings(), AddressGuard()).backends["superduperai"]
        await backend.models()
        await backend.close()
    assert proxy.asked and all(each.startswith(f"GET {url}/api/") for each in proxy.asked)


def test_a_proxy_that_is_none_stops_the_start(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUSHES_OUTBOUND_PROXY", "socks5://me:secret@proxy.example")
    with pytest.raises(
        CannotStart, match="RUSHES_OUTBOUND_PROXY must be the address of an HTTP proxy"
    ) as refused:
        InstalledBackends.configured(read_settings(), AddressGuard())
    assert "secret" not in str(refused.value)
    assert "secret" not in repr(read_settings())
