from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import httpcore
import pytest

from services.core.errors import DeliveryFailed
from services.http.address_guard import AddressGuard
from services.media.download import Downloader
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


@pytest.fixture
def dialled(monkeypatch: pytest.MonkeyPatch, site: Any) -> list[tuple[str, int]]:
    """Which addresses are connected to; all but the first of them are really the site."""
    seen: list[tuple[str, int]] = []
    true = httpcore.AnyIOBackend.connect_tcp

    async def connect_tcp(
        self: httpcore.AnyIOBackend, host: str, port: int, *rest: Any
    ) -> httpcore.AsyncNetworkStream:
        seen.append((host, port))
        if len(seen) == 1:
            raise httpcore.ConnectError
        return await true(self, "127.0.0.1", site.port, *rest)

    monkeypatch.setattr(httpcore.AnyIOBackend, "connect_tcp", connect_tcp)
    return seen


@pytest.mark.asyncio
async def test_the_connection_goes_to_the_address_that_was_checked(
    site: Any, dialled: list[tuple[str, int]], tmp_path: Path
) -> None:
    site.says("/film", "200 OK", b"bytes")
    guard = ChangingGuard()
    downloader = Downloader(guard)
    await downloader.fetch("http://film.example/film", tmp_path / "part")
    await downloader.close()
    assert dialled == [("93.184.216.34", 80), ("93.184.216.35", 80)]
    assert guard.asked == 1
    assert "\r\nhost: film.example\r\n" in site.heads[0].lower()


@pytest.mark.asyncio
async def test_the_certificate_is_checked_for_the_name_and_not_the_address(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    names: list[str | None] = []

    class Stream(httpcore.AsyncNetworkStream):
        async def start_tls(self, *_: Any, server_hostname: str | None = None, **__: Any) -> Stream:
            names.append(server_hostname)
            raise httpcore.ConnectError

        async def aclose(self) -> None:
            await asyncio.sleep(0)

    async def connect_tcp(*_: Any) -> Stream:
        return Stream()

    monkeypatch.setattr(httpcore.AnyIOBackend, "connect_tcp", connect_tcp)
    downloader = Downloader(ChangingGuard())
    with pytest.raises(DeliveryFailed) as lost:
        await downloader.fetch("https://film.example/film", tmp_path / "part")
    await downloader.close()
    assert lost.value.reason == "network"
    assert names == ["film.example"]


@pytest.mark.asyncio
async def test_an_origin_that_was_forgotten_is_not_reached_over_an_open_connection(
    site: Any, tmp_path: Path
) -> None:
    url = site.says("/film", "200 OK", b"bytes")
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
async def test_a_name_whose_answer_changes_to_a_private_one_is_refused_from_then_on(
    site: Any, dialled: list[tuple[str, int]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.says("/film", "200 OK", b"bytes")
    answers = iter(["93.184.216.34", "93.184.216.34", "127.0.0.1", "10.0.0.7"])
    asked: list[str] = []

    async def changing(host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        asked.append(host)
        return [(2, 1, 6, "", (next(answers), port))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", changing)
    dialled.append(("", 0))  # else the first one is refused
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
    assert {host for host, _ in dialled if host} == {"93.184.216.34"}
    proven("bad input", cases=1, harmed=0)
