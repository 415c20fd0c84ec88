"""Copies that carry metadata: the kept bytes with an XMP packet inserted, never encoded again.

A copy is a list of pieces: its size is known before a byte is read, and it is never held in memory.
"""

import hashlib
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from services.media.completeness import boxes
from services.media.film_tags import COMMENT, TITLE, TOOL, tagged
from services.media.formats import HEAD_BYTES, JPEG, MOV, MP4, PNG, WEBP, Truncated, sniff
from services.media.xmp import Packet

CHUNK_BYTES = 256 * 1024
XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
"""Type of the XMP box in films (XMP specification, part 3, 1.2.7)."""
_JPEG_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_MAX_JPEG_XMP_BYTES = 65_533 - len(_JPEG_XMP)
_MAX_CHUNKS = 100_000
_MAX_INDEX_BYTES = 32 * 1024**2


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Bytes of the kept file."""

    start: int
    size: int


Piece = bytes | Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    path: Path
    content: str
    """The kept file's hash."""
    pieces: tuple[Piece, ...]

    @property
    def size_bytes(self) -> int:
        return sum(piece.size if isinstance(piece, Span) else len(piece) for piece in self.pieces)

    @property
    def etag(self) -> str:
        """Names these bytes: the kept file by its content, and each byte that is put in."""
        found = hashlib.sha256(self.content.encode())
        for piece in self.pieces:
            place = f"{piece.start}+{piece.size}" if isinstance(piece, Span) else f"={len(piece)}:"
            found.update(place.encode())
            if isinstance(piece, bytes):
                found.update(piece)
        return found.hexdigest()

    def chunks(self, wanted: range | None = None) -> Iterator[bytes]:
        """All bytes, or those `wanted`. Raises OSError, also when the file has become shorter."""
        with self.path.open("rb") as file:
            at = 0
            for piece in self.pieces:
                size = piece.size if isinstance(piece, Span) else len(piece)
                first = 0 if wanted is None else max(0, wanted.start - at)
                last = size if wanted is None else min(size, wanted.stop - at)
                at += size
                if first >= last:
                    continue
                if isinstance(piece, Span):
                    yield from _read(file, Span(start=piece.start + first, size=last - first))
                else:
                    yield piece[first:last]


def plain_copy(path: Path, content: str) -> Copy:
    """The bytes as they are. Raises OSError."""
    return Copy(path=path, content=content, pieces=(Span(start=0, size=path.stat().st_size),))


def copy_of(path: Path, content: str, packet: Packet) -> Copy:
    """Puts the packet into a PNG, JPEG, WebP, MP4 or MOV; other and malformed files stay as they are.

    Raises OSError.
    """
    with path.open("rb") as file:
        found = sniff(file.read(HEAD_BYTES))
        size = file.seek(0, 2)
        insert = _INSERTERS.get(found) if found is not None else None
        pieces = insert(file, size, packet) if insert is not None else None
    return Copy(path=path, content=content, pieces=pieces or (Span(start=0, size=size),))


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
    """Inserts an iTXt chunk right after the header, where XMP belongs (PNG, 11.3.3.4)."""
    file.seek(8)
    header = file.read(8)
    if header[4:] != b"IHDR":
        return None
    body = b"XML:com.adobe.xmp\0\0\0\0\0" + packet.xmp
    chunk = struct.pack(">I", len(body)) + b"iTXt" + body
    chunk += struct.pack(">I", zlib.crc32(chunk[4:]))
    return _around(8 + 12 + int.from_bytes(header[:4], "big"), size, chunk)


def _jpeg(file: BinaryIO, size: int, packet: Packet) -> tuple[Piece, ...] | None:
    """Inserts an APP1 segment behind the APP0 and APP1 ones that must come first."""
    if len(packet.xmp) > _MAX_JPEG_XMP_BYTES:
        return None
    at = file.seek(2)
    while (marker := file.read(4))[:2] in (b"\xff\xe0", b"\xff\xe1"):
        at = file.seek(at + 2 + int.from_bytes(marker[2:], "big"))
        if at >= size:
            return None
    body = _JPEG_XMP + packet.xmp
    return _around(at, size, b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body)


def _webp(file: BinaryIO, size: int, packet: Packet) -> tuple[Piece, ...] | None:
    """Makes it the one XMP chunk, at the end; a simple file becomes an extended one (RFC 9649, 2.7)."""
    file.seek(4)
    end = min(size, 8 + int.from_bytes(file.read(4), "little"))
    spans = _webp_chunks(file, end)
    extended = _webp_header(file, *spans[0]) if spans else None
    if extended is None:
        return None
    kept = [span for name, span in spans if name not in (b"VP8X", b"XMP ")]
    xmp = struct.pack("<4sI", b"XMP ", len(packet.xmp)) + packet.xmp + b"\0" * (len(packet.xmp) % 2)
    length = 4 + len(extended) + sum(span.size for span in kept) + len(xmp)
    return (struct.pack("<4sI4s", b"RIFF", length, b"WEBP") + extended, *kept, xmp)


def _webp_chunks(file: BinaryIO, end: int) -> list[tuple[bytes, Span]]:
    """Returns names and spans, headers and padding included; none unless they fill the file."""
    at = 12
    spans: list[tuple[bytes, Span]] = []
    while at + 8 <= end and len(spans) < _MAX_CHUNKS:
        file.seek(at)
        name, length = struct.unpack("<4sI", file.read(8))
        spans.append((name, Span(start=at, size=8 + length + length % 2)))
        at += 8 + length + length % 2
    return spans if at == end else []


def _webp_header(file: BinaryIO, name: bytes, span: Span) -> bytes | None:
    """Returns the VP8X chunk with the flag for XMP set, made from the file's first chunk."""
    file.seek(span.start + 8)
    first = file.read(10)
    if name == b"VP8X":
        return b"VP8X\x0a\0\0\0" + bytes([first[0] | 0x04]) + first[1:]
    if name == b"VP8L" and first[0] == 0x2F:
        bits = int.from_bytes(first[1:5], "little")
        width, height, alpha = bits & 0x3FFF, bits >> 14 & 0x3FFF, bits >> 28 & 1
    elif name == b"VP8 " and first[3:6] == b"\x9d\x01\x2a":
        width, height = ((number & 0x3FFF) - 1 for number in struct.unpack("<HH", first[6:]))
        alpha = 0
    else:
        return None
    size = width.to_bytes(3, "little") + height.to_bytes(3, "little")
    return b"VP8X\x0a\0\0\0" + bytes([0x04 | alpha << 4, 0, 0, 0]) + size


def _film(file: BinaryIO, size: int, packet: Packet) -> tuple[Piece, ...] | None:
    """Appends a box, which moves nothing that the index points at; tags the index itself where it can.

    An index of fragments is looked for at the very end, and stays there.
    """
    try:
        found = list(islice(boxes(file, size, open_end=False), _MAX_CHUNKS + 1))
    except Truncated:
        return None
    if not 0 < len(found) <= _MAX_CHUNKS:
        return None
    types = [box_type for box_type, _, _ in found]
    pieces: list[Piece] = [Span(start=at, size=length) for _, at, length in found]
    if types.count(b"moov") == 1 and b"moof" not in types:
        place = types.index(b"moov")
        _, start, length = found[place]
        if length <= _MAX_INDEX_BYTES:
            file.seek(start)
            tags = {TITLE: packet.description, COMMENT: packet.facts, TOOL: "Rushes"}
            pieces[place] = tagged(file.read(length), tags, start=start) or pieces[place]
    xmp = struct.pack(">I", len(packet.xmp) + 24) + b"uuid" + XMP_UUID + packet.xmp
    pieces.insert(len(found) - (types[-1] == b"mfra"), xmp)
    return tuple(pieces)


_INSERTERS = {PNG: _png, JPEG: _jpeg, WEBP: _webp, MP4: _film, MOV: _film}
