"""Downloads from public hosts: only checked addresses are connected to."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from services.core.errors import DeliveryFailed
from services.http.address_guard import AddressGuard
from services.media.download import Downloader, Limits
from tests.support.names import PRIVATE_LITERALS, resolve_to
from tests.support.proof_counts import proven


class ChangingGuard(AddressGuard):
    """Its names lead to a public address the first time and into the private network later (rebinding)."""

    def __init__(self, origins: Iterable[str] = ()) -> None:
        super().__init__(origins)
        self.asked = 0

    async def resolve(self, host: str, port: int) -> list[str]:
        self.asked += 1
        if self.asked > 1:
            raise DeliveryFailed("Private.", reason="address")
        return ["93.184.216.34", "93.184.216.35"]


Addresses = list[tuple[str, int]]


@pytest.fixture
def refused_first() -> bool:
    """Whether the first connection is refused."""
    return True


@pytest_asyncio.fixture
async def dialled(monkeypatch: pytest.MonkeyPatch, site: Any, refused_first: bool) -> Addresses:
    """The addresses that are connected to; all of them but a refused one are really the site."""
    seen: Addresses = []
    loop = asyncio.get_running_loop()
    true = loop.sock_connect

    async def sock_connect(sock: socket.socket, address: tuple[str, int]) -> None:
        seen.append(address[:2])
        if refused_first and len(seen) == 1:
            raise ConnectionRefusedError
        await true(sock, ("127.0.0.1", site.port))

    monkeypatch.setattr(loop, "sock_connect", sock_connect)
    return seen


@pytest.mark.asyncio
async def test_the_connection_goes_to_the_address_that_was_checked(
    site: Any, dialled: Addresses, tmp_path: Path
) -> None:
    site.respond("/film", "200 OK", b"bytes")
    guard = ChangingGuard()
    downloader = Downloader(guard)
    await downloader.fetch("http://film.example/film", tmp_path / "part")
    await downloader.close()
    assert dialled == [("93.184.216.34", 80), ("93.184.216.35", 80)]
    assert guard.asked == 1
    assert "\r\nhost: film.example\r\n" in site.heads[0].lower()


@pytest.mark.asyncio
@pytest.mark.parametrize("refused_first", [False])
async def test_the_certificate_is_checked_for_the_name_and_not_the_address(
    site: Any, dialled: Addresses, tmp_path: Path
) -> None:
    names: list[str | None] = []

    class Tls(ssl.SSLContext):
        def wrap_bio(self, *args: Any, server_hostname: str | None = None, **more: Any) -> Any:
            names.append(server_hostname)
            return super().wrap_bio(*args, server_hostname=server_hostname, **more)

    limits = Limits(connect_s=0.2)  # the site answers no handshake
    downloader = Downloader(ChangingGuard(), limits=limits, tls=Tls(ssl.PROTOCOL_TLS_CLIENT))
    with pytest.raises(DeliveryFailed) as lost:
        await downloader.fetch("https://film.example/film", tmp_path / "part")
    await downloader.close()
    assert lost.value.reason == "timeout"
    assert set(names) == {"film.example"}
    assert dialled[0] == ("93.184.216.34", 443)


@pytest.mark.asyncio
@pytest.mark.parametrize("host", PRIVATE_LITERALS)
async def test_a_literal_address_is_checked_although_nothing_is_resolved(
    dialled: Addresses, tmp_path: Path, host: str
) -> None:
    downloader = Downloader(AddressGuard())
    with pytest.raises(DeliveryFailed) as refused:
        await downloader.fetch(f"http://{host}:8080/film", tmp_path / "part")
    await downloader.close()
    assert (refused.value.reason, dialled) == ("address", [])


@pytest.mark.asyncio
@pytest.mark.parametrize("refused_first", [False])
async def test_a_public_literal_address_is_connected_to(
    site: Any, dialled: Addresses, tmp_path: Path
) -> None:
    site.respond("/film", "200 OK", b"bytes")
    downloader = Downloader(AddressGuard())
    await downloader.fetch("http://93.184.216.34/film", tmp_path / "part")
    await downloader.close()
    assert dialled == [("93.184.216.34", 80)]


@pytest.mark.asyncio
@pytest.mark.parametrize("refused_first", [False])
async def test_each_download_from_a_public_host_resolves_and_connects_anew(
    site: Any, dialled: Addresses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = resolve_to(monkeypatch, ["93.184.216.34"])
    site.respond("/film", "200 OK", b"bytes")
    downloader = Downloader(AddressGuard())
    for number in range(2):
        await downloader.fetch("http://film.example/film", tmp_path / f"part{number}")
    await downloader.close()
    assert (len(asked), len(dialled)) == (2, 2)


@pytest.mark.asyncio
async def test_an_origin_that_was_forgotten_is_not_reached_over_an_open_connection(
    site: Any, tmp_path: Path
) -> None:
    url = site.respond("/film", "200 OK", b"bytes")
    guard = AddressGuard([site.origin])
    downloader = Downloader(guard)
    await downloader.fetch(url, tmp_path / "part")
    guard.forget(site.origin)
    with pytest.raises(DeliveryFailed) as refused:
        await downloader.fetch(url, tmp_path / "other")
    await downloader.close()
    assert refused.value.reason == "address"
    assert len(site.heads) == 1


@pytest.mark.asyncio
@pytest.mark.parametrize("refused_first", [False])
async def test_a_name_whose_answer_changes_to_a_private_one_is_refused_from_then_on(
    site: Any, dialled: Addresses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.respond("/film", "200 OK", b"bytes")
    resolve_to(monkeypatch, *([each] for each in ("93.184.216.34", "93.184.216.34", "127.0.0.1", "10.0.0.7")))
    downloader = Downloader(AddressGuard())
    await downloader.fetch("http://film.example/film", tmp_path / "first")
    for number in range(3):
        before = list(dialled)
        try:
            await downloader.fetch("http://film.example/film", tmp_path / f"part{number}")
        except DeliveryFailed as refused:
            assert refused.reason == "address"
            assert dialled == before, "nothing was connected to"
    await downloader.close()
    assert {host for host, _ in dialled} == {"93.184.216.34"}
    proven("bad input", cases=1, harmed=0)
