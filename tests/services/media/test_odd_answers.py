"""Whole files that come in unusual ways: each is handed over byte for byte."""

from __future__ import annotations

import asyncio
import base64
import gzip
import hashlib
import os
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote_from_bytes

import pytest
import pytest_asyncio

from services.core.errors import DeliveryFailed
from services.http.address_guard import AddressGuard
from services.media.download import Downloader, Limits

FILM = b"\0\0\0 ftypisom" + os.urandom(300_000)
SIZE = len(FILM)
LIMITS = Limits(size_bytes=2_000_000, connect_s=2.0, read_s=2.0, grace_s=20.0)


@pytest_asyncio.fixture
async def downloader(site: Any) -> AsyncIterator[Downloader]:
    downloader = Downloader(AddressGuard([site.origin]), limits=LIMITS)
    yield downloader
    await downloader.close()


@pytest.fixture
def part(tmp_path: Path) -> Path:
    return tmp_path / "part"


async def is_handed_over(downloader: Downloader, url: str, part: Path) -> None:
    fetched = await downloader.fetch(url, part)
    assert part.read_bytes() == FILM
    assert fetched == (SIZE, hashlib.sha256(FILM).hexdigest())


async def failure(downloader: Downloader, url: str, part: Path) -> DeliveryFailed:
    with pytest.raises(DeliveryFailed) as failed:
        await downloader.fetch(url, part)
    assert not part.exists()
    assert url not in str(failed.value) and "127.0.0.1" not in str(failed.value)
    return failed.value


def raw_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(body) + packer.flush()


@pytest.mark.asyncio
@pytest.mark.parametrize("lengthy", [True, False])
@pytest.mark.parametrize(
    ("label", "body"),
    [
        ("gzip", gzip.compress(FILM, mtime=0)),
        ("x-gzip", gzip.compress(FILM, mtime=0)),
        ("deflate", zlib.compress(FILM)),
        ("deflate", raw_deflate(FILM)),
        ("gzip, gzip", gzip.compress(gzip.compress(FILM), mtime=0)),
        ("aws-chunked,gzip", gzip.compress(FILM, mtime=0)),
        *((label, FILM) for label in ("utf-8", "binary", "aws-chunked", "", "identity", "gzip", "deflate", "br")),
    ],
)  # fmt: skip
async def test_a_content_encoding_that_nobody_asked_for_does_no_harm(
    site: Any, downloader: Downloader, part: Path, label: str, body: bytes, lengthy: bool
) -> None:
    head = f"200 OK\nContent-Encoding: {label}"
    await is_handed_over(downloader, site.respond("/film", head, body, lengthy=lengthy), part)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "head",
    [
        "203 Non-Authoritative",
        "201 Created",
        f"206 Partial Content\nContent-Range: bytes 0-{SIZE - 1}/{SIZE}",
        f"206 Partial Content\nContent-Range: bytes 0-{SIZE - 1}/*",
        "200 OK\nContent-Type: text/plain",
        "200 OK\nContent-Type: application/x-bogus; charset=utf-8",
        "200 OK\nContent-Type:",
        f"200 OK\nContent-Range: bytes 0-{SIZE - 1}/{SIZE}",
    ],
)
@pytest.mark.parametrize("lengthy", [True, False])
async def test_a_whole_file_is_taken_whatever_its_headers_call_it(
    site: Any, downloader: Downloader, part: Path, head: str, lengthy: bool
) -> None:
    await is_handed_over(downloader, site.respond("/film", head, FILM, lengthy=lengthy), part)


@pytest.mark.asyncio
async def test_http_1_0_without_a_length_ends_with_its_connection(
    site: Any, downloader: Downloader, part: Path
) -> None:
    async def old(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.0 200 OK\r\nServer: SimpleHTTP\r\n\r\n" + FILM)
        await writer.drain()
        writer.close()

    await is_handed_over(downloader, site.handle("/film", old), part)


@pytest.mark.asyncio
async def test_a_packed_whole_range_is_measured_by_its_packed_bytes(
    site: Any, downloader: Downloader, part: Path
) -> None:
    packed = gzip.compress(FILM, mtime=0)
    length = len(packed)
    head = f"206 Partial Content\nContent-Encoding: gzip\nContent-Range: bytes 0-{length - 1}/{length}"
    await is_handed_over(downloader, site.respond("/film", head, packed, lengthy=False), part)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "content_range",
    [
        f"bytes 0-{SIZE - 1}/{SIZE + 1}",
        f"bytes 1-{SIZE - 1}/{SIZE}",
        f"bytes 1-{SIZE}/*",
        "bytes */5",
        "bytes 0-",
        "x",
        "",
    ],
)
async def test_a_part_of_the_file_is_never_taken_for_the_whole(
    site: Any, downloader: Downloader, part: Path, content_range: str
) -> None:
    url = site.respond("/film", f"206 Partial Content\nContent-Range: {content_range}", FILM)
    assert (await failure(downloader, url, part)).reason == "truncated"


@pytest.mark.asyncio
async def test_fewer_bytes_than_the_range_covers_are_cut_short(
    site: Any, downloader: Downloader, part: Path
) -> None:
    head = f"206 Partial Content\nContent-Range: bytes 0-{SIZE - 1}/{SIZE}"
    url = site.respond("/film", head, FILM[:-1], lengthy=False)
    assert (await failure(downloader, url, part)).reason == "truncated"


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("label", "body", "reason"),
    [
        ("gzip", gzip.compress(FILM, mtime=0)[:-9], "truncated"),
        ("gzip", gzip.compress(bytes(3_000_000), mtime=0), "too_large"),
        ("gzip, gzip", gzip.compress(gzip.compress(bytes(500_000_000), 1, mtime=0)), "too_large"),
        ("gzip", gzip.compress(b"", mtime=0), "empty"),
    ],
)
async def test_packed_bytes_that_are_cut_or_burst_are_refused(
    site: Any, downloader: Downloader, part: Path, label: str, body: bytes, reason: str
) -> None:
    url = site.respond("/film", f"200 OK\nContent-Encoding: {label}", body)
    assert (await failure(downloader, url, part)).reason == reason


# -- redirects that need a cookie ------------------------------------------------------------------


def wants_cookie(site: Any, path: str, *, cookie: str = "pass=1") -> str:
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        told = f"\r\ncookie: {cookie}\r\n" in site.heads[-1].lower()
        head = b"200 OK" if told else b"403 Forbidden"
        writer.write(b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n%b" % (head, SIZE, FILM))

    return site.handle(path, answer)


@pytest.mark.asyncio
async def test_a_redirect_s_cookie_goes_to_its_target_and_ends_with_the_fetch(
    site: Any, downloader: Downloader, part: Path
) -> None:
    film = wants_cookie(site, "/film")
    url = site.respond("/start", "302 Found\nLocation: /film\nSet-Cookie: pass=1; Path=/; HttpOnly")
    await is_handed_over(downloader, url, part)
    part.unlink()
    assert (await failure(downloader, film, part)).reason == "refused"


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "attributes", ["; Path=/elsewhere", "; Secure", "; Max-Age=0", "; Domain=example.com", "; Path=/film/x"]
)
async def test_a_cookie_goes_only_where_it_is_meant_for(
    site: Any, downloader: Downloader, part: Path, attributes: str
) -> None:
    wants_cookie(site, "/film")
    url = site.respond("/start", f"302 Found\nLocation: /film\nSet-Cookie: pass=1{attributes}")
    assert (await failure(downloader, url, part)).reason == "refused"


@pytest.mark.asyncio
async def test_another_origin_never_gets_the_cookie(site: Any, other_site: Any, part: Path) -> None:
    downloader = Downloader(AddressGuard([site.origin, other_site.origin]), limits=LIMITS)
    target = wants_cookie(other_site, "/film")
    url = site.respond("/start", f"302 Found\nLocation: {target}\nSet-Cookie: pass=1; Path=/")
    assert (await failure(downloader, url, part)).reason == "refused"
    assert "cookie" not in other_site.heads[0].lower()
    await downloader.close()


# -- results inside their address ------------------------------------------------------------------


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "address",
    [
        "data:video/mp4;base64," + base64.b64encode(FILM).decode(),
        "DATA:;BASE64," + base64.b64encode(FILM).decode().rstrip("="),
        "data:video/mp4;name=a;base64," + quote_from_bytes(base64.b64encode(FILM)),
        "data:video/mp4;base64," + base64.encodebytes(FILM).decode(),
        "data:," + quote_from_bytes(FILM),
        "data:video/mp4;base64," + base64.b64encode(FILM).decode() + "#t=1",
    ],
    ids=["base64", "upper case without padding", "escaped", "wrapped", "percent", "with a fragment"],
)
async def test_a_data_address_carries_its_file(downloader: Downloader, part: Path, address: str) -> None:
    await is_handed_over(downloader, address, part)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("data:video/mp4;base64,AAA!AAAA", "undecodable"),
        ("data:video/mp4;base64,AAAAA", "undecodable"),
        ("data:video/mp4;base64,AA=AAAAA", "undecodable"),
        ("data:video/mp4;base64,AA-_", "undecodable"),
        ("data:video/mp4;base64,\u0430\u0430\u0430\u0430", "undecodable"),
        ("data:video/mp4;base64,AA%4", "undecodable"),
        ("data:,%zz", "undecodable"),
        ("data:,a b", "undecodable"),
        ("data:video/mp4;base64", "undecodable"),
        ("data:,", "empty"),
        ("data:;base64,", "empty"),
        ("data:;base64," + "A" * 4_000_000, "too_large"),
        ("data:," + "%00" * 2_000_001, "too_large"),
    ],
)
async def test_a_data_address_that_is_not_exact_is_refused(
    downloader: Downloader, part: Path, address: str, reason: str
) -> None:
    assert (await failure(downloader, address, part)).reason == reason


@pytest.mark.asyncio
async def test_a_redirect_never_leads_into_a_data_address(
    site: Any, downloader: Downloader, part: Path
) -> None:
    url = site.respond("/film", "302 Found\nLocation: data:,bytes")
    assert (await failure(downloader, url, part)).reason in ("address", "refused")


# -- origins that the admin trusts -----------------------------------------------------------------


@pytest.mark.asyncio
async def test_a_private_host_is_opened_only_when_the_admin_trusts_it(
    site: Any, other_site: Any, part: Path
) -> None:
    url = other_site.respond("/film", "200 OK", FILM)
    strict = Downloader(AddressGuard([site.origin]), limits=LIMITS)
    refused = await failure(strict, url, part)
    assert refused.reason == "address" and "RUSHES_RESULT_ORIGINS" in str(refused)
    await strict.close()
    trusting = Downloader(AddressGuard([site.origin], trusted=[other_site.origin]), limits=LIMITS)
    await is_handed_over(trusting, url, part)
    part.unlink()
    await is_handed_over(trusting, site.respond("/start", f"302 Found\nLocation: {url}"), part)
    await trusting.close()


@pytest.mark.asyncio
async def test_a_trusted_origin_gets_no_key(site: Any, other_site: Any, part: Path) -> None:
    downloader = Downloader(AddressGuard([site.origin], trusted=[other_site.origin]), limits=LIMITS)
    url = site.respond("/start", f"302 Found\nLocation: {other_site.respond('/film', '200 OK', FILM)}")
    await downloader.fetch(url, part, credentials={site.origin: {"Authorization": "Bearer key"}})
    await downloader.close()
    assert "Bearer key" in site.heads[0] and "Bearer" not in other_site.heads[0]
