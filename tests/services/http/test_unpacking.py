"""Bodies that come packed although nobody asked: unpacked in small pieces, and never without a bound."""

from __future__ import annotations

import asyncio
import gzip
import os
import time
import tracemalloc
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from services.core.errors import ChannelLost
from services.http.client import BackendClient, http_client
from services.http.event_stream import open_stream
from services.http.host_limiter import HostLimiter
from services.http.unpacking import PIECE_BYTES, BadPacking, PackingCutShort, Unpacking, packings
from tests.services.http.test_transport import PLAIN, Transport, answering, serving

BODY = b'{"id": "f1", "url": null}' * 40
MIB = 1024**2


def raw_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(body) + packer.flush()


def unpacked(layers: list[str], packed: bytes, *, chunk: int = 7) -> bytes:
    unpacking = Unpacking(layers)
    pieces = [
        piece for at in range(0, len(packed), chunk) for piece in unpacking.feed(packed[at : at + chunk])
    ]
    return b"".join([*pieces, *unpacking.finish()])


@pytest.mark.parametrize("chunk", [1, 7, 100_000])
@pytest.mark.parametrize(
    ("layers", "packed"),
    [
        (["gzip"], gzip.compress(BODY, mtime=0)),
        (["gzip"], gzip.compress(BODY[:100], mtime=0) + gzip.compress(BODY[100:], mtime=0)),
        (["gzip"], gzip.compress(BODY, mtime=0) + bytes(512)),
        (["deflate"], zlib.compress(BODY)),
        (["deflate"], raw_deflate(BODY)),
        (["gzip", "deflate"], gzip.compress(zlib.compress(BODY), mtime=0)),
        (["gzip"], BODY),
        (["deflate"], BODY),
        (["gzip", "gzip"], gzip.compress(BODY, mtime=0)),
    ],
    ids=[
        "gzip",
        "two gzip members",
        "padding behind the end",
        "zlib",
        "raw deflate",
        "twice",
        "no gzip at all",
        "no deflate at all",
        "labelled once too often",
    ],
)
def test_whatever_the_label_means_the_same_bytes_come_out(
    layers: list[str], packed: bytes, chunk: int
) -> None:
    assert unpacked(layers, packed, chunk=chunk) == BODY


@pytest.mark.parametrize(
    "start",
    [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"\0\0\0 ftypisom", b"\x1aE\xdf\xa3", b"RIFF", b"BM", b"GIF89a",
     b"II*\0", b"MM\0*", b"OggS"],
)  # fmt: skip
@pytest.mark.parametrize("name", ["gzip", "deflate"])
def test_a_picture_or_film_that_only_claims_to_be_packed_passes_as_it_is(name: str, start: bytes) -> None:
    for body in (start + os.urandom(5000), start + bytes(5000), start):
        assert unpacked([name], body) == body


@pytest.mark.parametrize(
    ("label", "layers"),
    [
        ("gzip", ["gzip"]),
        ("x-gzip", ["gzip"]),
        (" GZip , Deflate ", ["deflate", "gzip"]),
        ("aws-chunked, gzip", ["gzip"]),
        ("gzip, br", []),
        ("br, gzip", ["gzip"]),
        *(
            (label, [])
            for label in ("", ",", "identity", "utf-8", "binary", "aws-chunked", "none", "br", "zstd")
        ),
    ],
)
def test_labels_that_name_no_packing_are_ignored(label: str, layers: list[str]) -> None:
    assert packings(label) == layers


@pytest.mark.parametrize(
    ("layers", "packed"),
    [
        (["gzip"], gzip.compress(BODY, mtime=0)),
        (["deflate"], zlib.compress(BODY)),
        (["deflate"], raw_deflate(os.urandom(2000))),
    ],
)
def test_packed_bytes_that_end_too_early_are_cut_short(layers: list[str], packed: bytes) -> None:
    with pytest.raises(PackingCutShort):
        unpacked(layers, packed[:-3])


def test_damaged_packed_bytes_are_no_result() -> None:
    packed = bytearray(gzip.compress(os.urandom(2000), mtime=0))
    packed[1000] ^= 255
    with pytest.raises(BadPacking):
        unpacked(["gzip"], bytes(packed))


@pytest.mark.parametrize(
    ("layers", "packed"),
    [
        (["gzip"], gzip.compress(bytes(100 * MIB), mtime=0)),
        (["gzip", "gzip"], gzip.compress(gzip.compress(bytes(100 * MIB), mtime=0))),
        (["gzip"], 100_000 * gzip.compress(b"", mtime=0)),
        (["gzip"] * 4, gzip.compress(BODY, mtime=0)),
    ],
    ids=["a thousandfold", "twice a thousandfold", "nothing but members", "too deep"],
)
def test_a_bomb_is_defused_before_it_costs_memory_or_time(layers: list[str], packed: bytes) -> None:
    unpacking, longest, size = Unpacking(layers), 0, 0
    tracemalloc.start()
    began = time.process_time()
    with pytest.raises(BadPacking):
        for piece in unpacking.feed(packed):
            longest, size = max(longest, len(piece)), size + len(piece)
    took_s, (_, peak) = time.process_time() - began, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert longest <= PIECE_BYTES and size <= 100 * MIB
    assert peak < 8 * MIB and took_s < 5.0


def test_a_large_flat_picture_is_no_bomb() -> None:
    picture = b"BM" + bytes(30 * MIB)
    assert unpacked(["gzip"], gzip.compress(picture, mtime=0), chunk=64 * 1024) == picture


def packed_answer(body: bytes, label: str) -> bytes:
    return (
        f"HTTP/1.1 200 OK\r\nContent-Encoding: {label}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    )


@asynccontextmanager
async def asked(answer: bytes, *, max_bytes: int = 8 * MIB) -> AsyncIterator[bytes | None]:
    client = BackendClient(HostLimiter(), tls=PLAIN)
    async with serving(answering(answer)) as url:
        yield (await client.request("GET", url, within_s=20.0, max_bytes=max_bytes)).body
    await client.close()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("packed", "label"),
    [
        (gzip.compress(BODY, mtime=0), "gzip"),
        (zlib.compress(BODY), "deflate"),
        (raw_deflate(BODY), "deflate"),
        (BODY, "utf-8"),
        (BODY, "gzip"),
        (BODY, "br"),
        (BODY, ""),
    ],
)
async def test_an_answer_that_nobody_asked_to_pack_is_read(packed: bytes, label: str) -> None:
    async with asked(packed_answer(packed, label)) as body:
        assert body == BODY


@pytest.mark.asyncio
async def test_a_small_answer_that_unpacks_to_gigabytes_costs_megabytes() -> None:
    inner = zlib.compressobj(9, wbits=31)
    once = b"".join([inner.compress(bytes(MIB)) for _ in range(1024)]) + inner.flush()
    bomb = gzip.compress(once, mtime=0)
    assert len(bomb) < 10_000
    tracemalloc.start()
    async with asked(packed_answer(bomb, "gzip, gzip")) as body:
        assert body is None
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 40 * MIB


@pytest.mark.asyncio
async def test_the_loop_goes_on_while_an_answer_is_unpacked() -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0)

    ticking = asyncio.create_task(tick())
    packed = gzip.compress(bytes(7 * MIB), mtime=0)
    async with asked(packed_answer(packed, "gzip")) as body:
        assert body is not None
        during = ticks
    ticking.cancel()
    assert during > 7 * MIB // PIECE_BYTES


@pytest.mark.asyncio
@pytest.mark.parametrize("wbits", [31, 15, -15], ids=["gzip", "zlib", "raw deflate"])
async def test_each_event_of_a_packed_stream_comes_when_it_is_sent(wbits: int) -> None:
    read = asyncio.Event()
    padding = b": " + os.urandom(600).hex().encode() + b"\n\n"  # raw deflate shows itself after 512 bytes

    async def stream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        label = b"gzip" if wbits == 31 else b"deflate"
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: " + label + b"\r\n\r\n"
        )
        packer = zlib.compressobj(wbits=wbits)
        for event in (padding + b"data: one\n\n", b"data: two\n\n"):
            writer.write(packer.compress(event) + packer.flush(zlib.Z_SYNC_FLUSH))
            await asyncio.wait_for(read.wait(), 5.0)
            read.clear()

    heard = []
    async with serving(stream) as url, http_client(Transport(tls=PLAIN)) as client:
        with pytest.raises(ChannelLost) as lost:
            async with open_stream(client, url, headers={}, silence_s=5.0) as events:
                async for event in events:
                    heard.append(event.data)
                    read.set()
    assert heard == ["one", "two"] and lost.value.reason in ("ended", "reset")


@pytest.mark.asyncio
async def test_a_packed_answer_that_is_cut_is_a_broken_connection_and_never_a_short_answer() -> None:
    client = BackendClient(HostLimiter(), tls=PLAIN)
    async with serving(answering(packed_answer(gzip.compress(BODY, mtime=0)[:-4], "gzip"))) as url:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.request("POST", url, within_s=5.0, max_bytes=MIB)
    await client.close()
