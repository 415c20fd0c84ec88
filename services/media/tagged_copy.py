"""Copies that carry metadata: the kept bytes with a packet put in between, never encoded again.

A copy is a list of pieces, so its size is known before a byte is read and nothing of it is held in memory.
"""

import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from services.media.film_tags import COMMENT, TITLE, TOOL, tagged
from services.media.formats import JPEG, MOV, MP4, PNG, WEBP, sniff
from services.media.xmp import Packet

CHUNK_BYTES = 256 * 1024
XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
"""Of the box for XMP in films (XMP specification, part 3, 1.2.7)."""
_JPEG_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_JPEG_MOST_BYTES = 65_533 - len(_JPEG_XMP)
_MOST_CHUNKS = 100_000
_LARGEST_INDEX_BYTES = 32 * 1024**2


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Bytes of the kept file."""

    start: int
    size: int


Piece = bytes | Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    path: Path
    pieces: tuple[Piece, ...]

    @property
    def size_bytes(self) -> int:
        return sum(piece.size if isinstance(piece, Span) else len(piece) for piece in self.pieces)

    def chunks(self) -> Iterator[bytes]:
        """All bytes in order. Raises OSError, also when the file has become shorter."""
        with self.path.open("rb") as file:
            for piece in self.pieces:
                if isinstance(piece, Span):
                    yield from _read(file, piece)
                else:
                    yield piece


def copy_of(path: Path, packet: Packet) -> Copy:
    """With the packet in a PNG, JPEG, WebP or MP4; any other file, or one that is not built as its kind
    says, is handed out as it is. Raises OSError.
    """
    with path.open("rb") as file:
        head = file.read(4096)
        size = file.seek(0, 2)
        found = sniff(head)
        put_in: dict[object, Callable[[BinaryIO, int, Packet], tuple[Piece, ...] | None]] = {
            PNG: _png,
            JPEG: _jpeg,
            WEBP: _webp,
            MP4: _film,
            MOV: _film,
        }
        pieces = put_in[found](file, size, packet) if found in put_in else None
    return Copy(path=path, pieces=pieces or (Span(start=0, size=size),))


def _read(file: BinaryIO, span: Span) -> Iterator[bytes]:
    file.seek(span.start)
    left = span.size
    while left:
        chunk = file.read(min(CHUNK_BYTES, left))
        if not chunk:
            raise OSError("The kept file has become shorter.")
        left -= len(chunk)
        yield chunk


def _around(at: int, size: int, *inserted: bytes) -> tuple[Piece, ...]:
    return (Span(start=0, size=at), *inserted, Span(start=at, size=size - at))


def _png(file: BinaryIO, size: int, packet: Packet) -> tuple[Piece, ...] | None:
    """As an iTXt chunk right after the header, where XMP belongs (PNG, 11.3.3.4)."""
    file.seek(8)
    header = file.read(8)
    if header[4:] != b"IHDR":
        return None
    body = b"XML:com.adobe.xmp\0\0\0\0\0" + packet.xmp
    chunk = len(body).to_bytes(4, "big") + b"iTXt" + body
    return _around(
        8 + 12 + int.from_bytes(header[:4], "big"), size, chunk + zlib.crc32(chunk[4:]).to_bytes(4, "big")
    )


def _jpeg(file: BinaryIO, size: int, packet: Packet) -> tuple[Piece, ...] | None:
    """As an APP1 segment behind the APP0 and APP1 ones that must come first."""
    if len(packet.xmp) > _JPEG_MOST_BYTES:
        return None
    at = 2
    while True:
        file.seek(at)
        marker = file.read(4)
        if marker[:2] not in (b"\xff\xe0", b"\xff\xe1"):
            break
        at += 2 + int.from_bytes(marker[2:], "big")
        if at >= size:
            return None
    body = _JPEG_XMP + packet.xmp
    return _around(at, size, b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body)


def _webp(file: BinaryIO, size: int, packet: Packet) -> tuple[Piece, ...] | None:
    """As the one XMP chunk at the end; a simple file becomes an extended one (RFC 9649, 2.7)."""
    file.seek(4)
    end = min(size, 8 + int.from_bytes(file.read(4), "little"))
    spans = _webp_chunks(file, end)
    if not spans:
        return None
    extended = _webp_header(file, spans)
    if extended is None:
        return None
    kept = [span for name, span in spans if name not in (b"VP8X", b"XMP ")]
    xmp = b"XMP " + len(packet.xmp).to_bytes(4, "little") + packet.xmp + b"\0" * (len(packet.xmp) % 2)
    length = 4 + len(extended) + sum(span.size for span in kept) + len(xmp)
    return (b"RIFF" + length.to_bytes(4, "little") + b"WEBP" + extended, *kept, xmp)


def _webp_chunks(file: BinaryIO, end: int) -> list[tuple[bytes, Span]]:
    """Names and spans, each with its head and its padding; nothing when they do not fill the file."""
    at = 12
    spans: list[tuple[bytes, Span]] = []
    while at + 8 <= end and len(spans) < _MOST_CHUNKS:
        file.seek(at)
        head = file.read(8)
        length = int.from_bytes(head[4:], "little")
        span = Span(start=at, size=8 + length + length % 2)
        spans.append((head[:4], span))
        at += span.size
    return spans if at == end else []


def _webp_header(file: BinaryIO, spans: list[tuple[bytes, Span]]) -> bytes | None:
    """The VP8X chunk, with the flag for XMP set."""
    name, span = spans[0]
    file.seek(span.start + 8)
    first = file.read(10)
    if name == b"VP8X":
        return b"VP8X\x0a\0\0\0" + bytes([first[0] | 0x04]) + first[1:]
    if name == b"VP8L" and first[0] == 0x2F:
        bits = int.from_bytes(first[1:5], "little")
        wide, high, alpha = bits & 0x3FFF, bits >> 14 & 0x3FFF, bits >> 28 & 1
    elif name == b"VP8 " and first[3:6] == b"\x9d\x01\x2a":
        wide, high = (int.from_bytes(first[at : at + 2], "little") & 0x3FFF for at in (6, 8))
        wide, high, alpha = wide - 1, high - 1, 0
    else:
        return None
    size = wide.to_bytes(3, "little") + high.to_bytes(3, "little")
    return b"VP8X\x0a\0\0\0" + bytes([0x04 | alpha << 4, 0, 0, 0]) + size


def _film(file: BinaryIO, size: int, packet: Packet) -> tuple[Piece, ...] | None:
    """The packet as a box at the end, where it moves nothing that the index points at (an index of fragments
    is looked for at the very end, and stays there); title and comment in the index, where it can be done.
    """
    boxes = _film_boxes(file, size)
    if not boxes:
        return None
    xmp = struct.pack(">I", len(packet.xmp) + 24) + b"uuid" + XMP_UUID + packet.xmp
    pieces: list[Piece] = [span for _, span in boxes]
    places = [at for at, (name, _) in enumerate(boxes) if name == b"moov"]
    if len(places) == 1 and not any(name == b"moof" for name, _ in boxes):
        span = boxes[places[0]][1]
        pieces[places[0]] = _tagged(file, span, packet) or span
    pieces.insert(len(boxes) - 1 if boxes[-1][0] == b"mfra" else len(boxes), xmp)
    return tuple(pieces)


def _tagged(file: BinaryIO, span: Span, packet: Packet) -> bytes | None:
    if span.size > _LARGEST_INDEX_BYTES:
        return None
    file.seek(span.start)
    words = {TITLE: packet.description, COMMENT: packet.facts, TOOL: "Rushes"}
    return tagged(file.read(span.size), words, start=span.start)


def _film_boxes(file: BinaryIO, size: int) -> list[tuple[bytes, Span]]:
    """Nothing when they do not fill the file, or when the last has no length of its own."""
    at = 0
    boxes: list[tuple[bytes, Span]] = []
    while at < size and len(boxes) < _MOST_CHUNKS:
        file.seek(at)
        head = file.read(16)
        length = int.from_bytes(head[:4], "big")
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        if length < 8:
            return []
        boxes.append((head[4:8], Span(start=at, size=length)))
        at += length
    return boxes if at == size else []
