from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import struct
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from services.core.errors import DeliveryFailed
from services.http.address_guard import AddressGuard
from services.media.download import Credentials, Downloader, Limits
from services.media.storage.part_file import PartFile

LIMITS = Limits(size_bytes=4_000_000, connect_s=1.0, read_s=0.3, grace_s=1.5, min_bytes_per_s=1e9)


@pytest_asyncio.fixture
async def downloader(site: Any) -> AsyncIterator[Downloader]:
    downloader = Downloader(AddressGuard([site.origin]), limits=LIMITS)
    yield downloader
    await downloader.close()


@pytest.fixture
def part(tmp_path: Path) -> Iterator[Path]:
    """Where the test downloads to; whatever happened, nothing else lies beside it."""
    (tmp_path / "parts").mkdir()
    yield tmp_path / "parts" / "part"


async def why(downloader: Downloader, url: str, part: Path, **more: Any) -> str:
    """The reason a download fails for, after which nothing is left of it."""
    with pytest.raises(DeliveryFailed) as failed:
        await downloader.fetch(url, part, **more)
    assert not list(part.parent.iterdir())
    assert url not in str(failed.value)
    assert "127.0.0.1" not in str(failed.value)
    return failed.value.reason


@pytest.mark.asyncio
@pytest.mark.parametrize("size", [1, 250_000, 1024 * 1024, 3_500_000])
async def test_the_bytes_are_those_that_were_sent(
    site: Any, downloader: Downloader, part: Path, size: int
) -> None:
    body = os.urandom(size)
    fetched = await downloader.fetch(site.respond("/film", "200 OK", body), part)
    assert part.read_bytes() == body
    assert fetched.size_bytes == size
    assert fetched.sha256 == hashlib.sha256(body).hexdigest()


@pytest.mark.asyncio
async def test_what_is_left_over_of_one_answer_is_never_taken_for_the_next(
    site: Any, downloader: Downloader, part: Path
) -> None:
    async def doubled(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(2 * b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none")

    await downloader.fetch(site.handle("/one", doubled), part)
    assert part.read_bytes() == b"one"
    part.unlink()
    await downloader.fetch(site.respond("/two", "200 OK", b"two"), part)
    assert part.read_bytes() == b"two"


@pytest.mark.asyncio
async def test_nothing_packed_is_asked_for(site: Any, downloader: Downloader, part: Path) -> None:
    await downloader.fetch(site.respond("/film", "200 OK", b"bytes"), part)
    assert "accept-encoding: identity" in site.heads[0].lower()


@pytest.mark.asyncio
async def test_the_environment_s_proxies_are_not_used(
    site: Any, downloader: Downloader, part: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    await downloader.fetch(site.respond("/film", "200 OK", b"bytes"), part)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("401 Unauthorized", "refused"),
        ("403 Forbidden", "refused"),
        ("404 Not Found", "refused"),
        ("410 Gone", "refused"),
        ("202 Accepted", "not_ready"),
        ("206 Partial Content", "truncated"),
        ("300 Multiple Choices", "refused"),
        ("429 Too Many Requests", "network"),
        ("500 Oh", "network"),
        ("503 Busy", "network"),
    ],
)
async def test_every_answer_without_the_whole_file_has_its_reason(
    site: Any, downloader: Downloader, part: Path, status: str, reason: str
) -> None:
    assert await why(downloader, site.respond("/film", status, b"no"), part) == reason


@pytest.mark.asyncio
async def test_an_empty_answer_is_no_file(site: Any, downloader: Downloader, part: Path) -> None:
    assert await why(downloader, site.respond("/film", "200 OK"), part) == "empty"


@pytest.mark.asyncio
async def test_fewer_bytes_than_announced_are_a_truncated_file(
    site: Any, downloader: Downloader, part: Path
) -> None:
    url = site.respond("/film", "200 OK\nContent-Length: 1000", b"short", lengthy=False)
    assert await why(downloader, url, part) == "truncated"


@pytest.mark.asyncio
async def test_a_reset_half_way_is_a_truncated_file(site: Any, downloader: Downloader, part: Path) -> None:
    async def reset(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n" + bytes(1_500_000))
        await writer.drain()
        writer.get_extra_info("socket").setsockopt(6, 1, 1)
        writer.get_extra_info("socket").setsockopt(1, 13, struct.pack("ii", 1, 0))  # SO_LINGER: RST
        writer.transport.abort()

    assert await why(downloader, site.handle("/film", reset), part) == "truncated"


@pytest.mark.asyncio
async def test_an_announced_size_over_the_limit_is_not_even_begun(
    site: Any, downloader: Downloader, part: Path
) -> None:
    url = site.respond("/film", "200 OK\nContent-Length: 4000001", b"x", lengthy=False)
    assert await why(downloader, url, part) == "too_large"


async def endless(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while not writer.is_closing():
        writer.write(b"10000\r\n" + bytes(0x10000) + b"\r\n")
        await writer.drain()


@pytest.mark.asyncio
@pytest.mark.parametrize("limit_bytes", [None, 100_000])
async def test_endless_chunks_are_cut_at_the_limit(
    site: Any, downloader: Downloader, part: Path, limit_bytes: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    received = 0
    true = PartFile.add

    def add(self: PartFile, chunk: bytes) -> None:
        nonlocal received
        received += len(chunk)
        true(self, chunk)

    monkeypatch.setattr(PartFile, "add", add)
    limit = limit_bytes or LIMITS.size_bytes
    monkeypatch.setattr(downloader, "_limits", replace(LIMITS, size_bytes=limit))
    url = site.handle("/film", endless)
    assert await why(downloader, url, part) == "too_large"
    assert limit < received < limit + 100_000


@pytest.mark.asyncio
async def test_a_server_that_falls_silent_is_given_up(site: Any, downloader: Downloader, part: Path) -> None:
    async def silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nsome")
        await asyncio.sleep(10)

    with pytest.raises(DeliveryFailed, match="stopped answering") as failed:  # and not: came too slowly
        await downloader.fetch(site.handle("/film", silent), part)
    assert failed.value.reason == "timeout"


@pytest.mark.asyncio
async def test_a_trickle_that_never_falls_silent_ends_too(
    site: Any, downloader: Downloader, part: Path
) -> None:
    async def trickle(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _second in range(1000):
            writer.write(b"x")
            await asyncio.sleep(0.05)

    assert await why(downloader, site.handle("/film", trickle), part) == "timeout"


@pytest.mark.asyncio
async def test_a_large_file_earns_the_time_it_needs(site: Any, part: Path) -> None:
    async def steady(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6000000\r\n\r\n")
        for _piece in range(60):
            writer.write(bytes(100_000))
            await asyncio.sleep(0.02)

    limits = Limits(grace_s=0.6, min_bytes_per_s=2_000_000)
    downloader = Downloader(AddressGuard([site.origin]), limits=limits)
    fetched = await downloader.fetch(site.handle("/film", steady), part)
    await downloader.close()
    assert fetched.size_bytes == 6_000_000


@pytest.mark.asyncio
async def test_nobody_listening_is_a_matter_of_the_network(
    site: Any, downloader: Downloader, part: Path
) -> None:
    await site.close()
    assert await why(downloader, f"{site.origin}/film", part) == "network"


@pytest.mark.asyncio
async def test_redirects_within_the_origin_are_followed_five_times(
    site: Any, downloader: Downloader, part: Path
) -> None:
    site.respond("/film", "200 OK", b"bytes")
    site.respond("/1", "302 Found\nLocation: /film")
    site.respond("/2", f"301 Moved\nLocation: {site.origin}/1")
    site.respond("/3", "307 Moved\nLocation: 2")
    site.respond("/4", "308 Moved\nLocation: /3")
    site.respond("/5", "303 See Other\nLocation: ?5")
    site.respond("/5?5", "302 Found\nLocation: /4")
    await downloader.fetch(f"{site.origin}/5?5", part)
    part.unlink()
    assert await why(downloader, f"{site.origin}/5", part) == "refused"


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("http://127.0.0.1:1/film", "address"),
        ("http://localhost:8080/film", "address"),
        ("http://169.254.169.254/latest/meta-data", "address"),
        ("http://[::1]:8080/", "address"),
        ("http://2130706433:8080/", "address"),
        ("file:///etc/passwd", "address"),
        ("http://someone@127.0.0.1/", "address"),
        ("http://[::1/", "refused"),
    ],
)
async def test_a_redirect_into_a_private_network_is_refused(
    site: Any, downloader: Downloader, part: Path, location: str, reason: str
) -> None:
    url = site.respond("/film", f"302 Found\nLocation: {location}")
    assert await why(downloader, url, part) == reason


@pytest.mark.asyncio
async def test_a_redirect_to_another_port_of_the_own_host_is_refused(
    site: Any, other_site: Any, downloader: Downloader, part: Path
) -> None:
    target = other_site.respond("/film", "200 OK", b"bytes")
    url = site.respond("/film", f"302 Found\nLocation: {target}")
    assert await why(downloader, url, part) == "address"
    assert not other_site.heads


@pytest.mark.asyncio
async def test_a_redirect_without_a_target_is_refused(site: Any, downloader: Downloader, part: Path) -> None:
    assert await why(downloader, site.respond("/film", "302 Found"), part) == "refused"


@pytest.mark.asyncio
async def test_credentials_go_to_their_own_origin_only(site: Any, other_site: Any, part: Path) -> None:
    """Not along a redirect to another origin, even where both are a backend's own."""
    downloader = Downloader(AddressGuard([site.origin, other_site.origin]))
    other_site.respond("/film", "200 OK", b"bytes")
    other_site.respond("/back", f"302 Found\nLocation: {site.origin}/film")
    site.respond("/film", "200 OK", b"bytes")
    site.respond("/away", f"302 Found\nLocation: {other_site.origin}/back")
    credentials: Credentials = {f"{site.origin}/": {"Authorization": "Bearer key"}}
    for url in (f"{site.origin}/film", f"{site.origin}/away", f"{other_site.origin}/film"):
        await downloader.fetch(url, part, credentials=credentials)
        part.unlink()
    await downloader.close()
    assert ["Bearer key" in head for head in site.heads] == [True, True, False]
    assert not any("Bearer" in head for head in other_site.heads)


@pytest.mark.asyncio
async def test_a_key_for_an_origin_that_is_not_allowed_is_never_sent(
    site: Any, downloader: Downloader, part: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = asyncio.get_running_loop()
    true = loop.sock_connect

    async def sock_connect(sock: Any, _: Any) -> None:
        await true(sock, ("127.0.0.1", site.port))

    async def resolve(*_: Any) -> list[str]:
        return ["93.184.216.34"]

    monkeypatch.setattr(loop, "sock_connect", sock_connect)
    monkeypatch.setattr(AddressGuard, "resolve", resolve)
    site.respond("/film", "200 OK", b"bytes")
    await downloader.fetch(
        "http://film.example/film", part, credentials={"http://film.example": {"Authorization": "Bearer key"}}
    )
    assert "Bearer" not in site.heads[0]


@pytest.mark.asyncio
async def test_an_own_origin_cannot_be_entered_from_outside(
    site: Any, part: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A public host's redirect to the backend on our loopback."""
    downloader = Downloader(AddressGuard([site.origin]))
    outside = downloader._own

    site.respond("/start", f"302 Found\nLocation: {site.origin}/film")
    site.respond("/film", "200 OK", b"bytes")
    monkeypatch.setattr(AddressGuard, "owns", lambda _self, url: url.path == "/film")
    monkeypatch.setattr(downloader, "_public", outside)
    asked: list[bool] = []
    true = downloader._send

    def send(*args: Any, own: bool) -> Any:
        asked.append(own)
        return true(*args, own=own)

    monkeypatch.setattr(downloader, "_send", send)
    await downloader.fetch(f"{site.origin}/start", part)
    await downloader.close()
    assert asked == [False, False]


@pytest.mark.asyncio
async def test_a_full_disk_is_said_plainly(
    site: Any, downloader: Downloader, part: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device", str(part))

    monkeypatch.setattr("services.media.storage.part_file.os.write", write)
    url = site.respond("/film", "200 OK", b"bytes")
    with pytest.raises(DeliveryFailed, match="disk is full") as failed:
        await downloader.fetch(url, part)
    assert failed.value.reason == "disk_full"
    assert str(part) not in str(failed.value)
    assert not part.exists()


@pytest.mark.asyncio
@pytest.mark.parametrize("after_s", [0.0, 0.02, 0.1])
async def test_a_cancelled_download_leaves_nothing(
    site: Any, downloader: Downloader, part: Path, after_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = site.handle("/film", endless)
    with monkeypatch.context() as patch:
        patch.setattr(downloader, "_limits", replace(LIMITS, size_bytes=10**10))
        fetching = asyncio.create_task(downloader.fetch(url, part))
        await asyncio.sleep(after_s)
        fetching.cancel()
        with pytest.raises(asyncio.CancelledError):
            await fetching
    assert not list(part.parent.iterdir())
    assert await why(downloader, url, part) == "too_large"  # and the next one works


@pytest.mark.asyncio
async def test_the_loop_stays_free_while_a_large_file_is_written(
    site: Any, downloader: Downloader, part: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import time

    true = os.write

    def write(handle: int, batch: Any) -> int:
        time.sleep(0.2)
        return true(handle, batch)

    url = site.respond("/film", "200 OK", bytes(1_500_000))
    monkeypatch.setattr("services.media.storage.part_file.os.write", write)
    fetching = asyncio.create_task(downloader.fetch(url, part))
    longest = 0.0
    while not fetching.done():
        before = time.monotonic()
        await asyncio.sleep(0.005)
        longest = max(longest, time.monotonic() - before)
    await fetching
    assert longest < 0.15


@pytest.mark.asyncio
async def test_an_origin_that_hangs_does_not_hold_up_another(site: Any, other_site: Any, part: Path) -> None:
    async def hang(*_: object) -> None:
        await asyncio.sleep(10)

    downloader = Downloader(AddressGuard([site.origin, other_site.origin]), limits=Limits(at_once=2))
    url = site.handle("/film", hang)
    hanging = [asyncio.create_task(downloader.fetch(url, part.with_name(f"{n}"))) for n in range(3)]
    await asyncio.sleep(0.05)
    async with asyncio.timeout(1):
        await downloader.fetch(other_site.respond("/film", "200 OK", b"bytes"), part)
    assert len(site.heads) == 2
    for task in hanging:
        task.cancel()
    await asyncio.gather(*hanging, return_exceptions=True)
    await downloader.close()
