"""Puts an XMP packet into a PNG, JPEG or WebP, beside what its maker wrote there."""

import struct
import zlib
from collections.abc import Iterator
from itertools import islice, takewhile
from typing import BinaryIO

from services.media.pieces import MAX_PIECES, MAX_XMP_BYTES, Made, Span, replaced
from services.media.xmp import Packet

_PNG_XMP = b"XML:com.adobe.xmp\0\0\0\0\0"
_JPEG_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_MAX_JPEG_XMP_BYTES = 65_533 - len(_JPEG_XMP)


def png(file: BinaryIO, size: int, packet: Packet) -> Made | None:
    """Inserts an iTXt chunk right after the header, where XMP belongs (PNG, 11.3.3.4)."""
    chunks = list(islice(_png_chunks(file, size), MAX_PIECES))
    if not chunks or chunks[0][0] != b"IHDR":
        return None
    after_header = chunks[0][2]
    for name, start, end in chunks:
        if name == b"iTXt" and end - start <= MAX_XMP_BYTES:
            file.seek(start + 8)
            body = file.read(end - start - 12)
            maker = body.removeprefix(_PNG_XMP)
            merged = packet.beside(maker) if len(maker) < len(body) else None
            if merged is not None:
                return replaced(
                    size, (after_header, after_header, _png_xmp(merged)), (start, end, b"")
                ), packet
    return replaced(size, (after_header, after_header, _png_xmp(packet.xmp))), packet


def _png_chunks(file: BinaryIO, size: int) -> Iterator[tuple[bytes, int, int]]:
    """Yields type, start and end as far as the chunks are whole."""
    at = 8
    while at + 12 <= size:
        file.seek(at)
        header = file.read(8)
        end = at + 12 + int.from_bytes(header[:4], "big")
        if end > size:
            return
        yield header[4:], at, end
        at = end


def _png_xmp(xmp: bytes) -> bytes:
    chunk = struct.pack(">I", len(_PNG_XMP) + len(xmp)) + b"iTXt" + _PNG_XMP + xmp
    return chunk + struct.pack(">I", zlib.crc32(chunk[4:]))


def jpeg(file: BinaryIO, size: int, packet: Packet) -> Made | None:
    """Inserts an APP1 segment behind the APP0 and APP1 ones that must come first; its length is limited."""
    segments = list(_jpeg_segments(file, size))
    leading = takewhile(lambda each: each[0] in (0xE0, 0xE1), segments)
    at = max((end for _, _, end in leading), default=2)
    for marker, start, end in segments:
        file.seek(start + 4)
        maker = file.read(end - start - 4) if marker == 0xE1 else b""
        if maker.startswith(_JPEG_XMP):
            found, fitting = packet.within(_MAX_JPEG_XMP_BYTES, maker.removeprefix(_JPEG_XMP))
            return None if found is None else (replaced(size, (start, end, _jpeg_xmp(found))), fitting)
    if not segments:
        return None
    found, fitting = packet.within(_MAX_JPEG_XMP_BYTES)
    return None if found is None else (replaced(size, (at, at, _jpeg_xmp(found))), fitting)


def _jpeg_segments(file: BinaryIO, size: int) -> Iterator[tuple[int, int, int]]:
    """Yields marker, start and end of each segment before the picture's data."""
    at = 2
    while at + 4 <= size:
        file.seek(at)
        first, marker, length = struct.unpack(">BBH", file.read(4))
        end = at + 2 + length
        if first != 0xFF or marker in (0xDA, 0xFF) or length < 2 or end > size:
            return
        yield marker, at, end
        at = end


def _jpeg_xmp(xmp: bytes) -> bytes:
    body = _JPEG_XMP + xmp
    return b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body


def webp(file: BinaryIO, size: int, packet: Packet) -> Made | None:
    """Makes it the one XMP chunk, at the end; a simple file becomes an extended one (RFC 9649, 2.7)."""
    file.seek(4)
    end = min(size, 8 + int.from_bytes(file.read(4), "little"))
    spans = _webp_chunks(file, end)
    extended = _webp_header(file, *spans[0]) if spans else None
    if extended is None:
        return None
    found: bytes | None = packet.xmp
    for maker in (span for name, span in spans if name == b"XMP "):
        file.seek(maker.start + 4)
        length = int.from_bytes(file.read(4), "little")
        found = packet.beside(file.read(length)) if length <= MAX_XMP_BYTES else None
    if found is None:
        return None
    kept = [span for name, span in spans if name not in (b"VP8X", b"XMP ")]
    xmp = struct.pack("<4sI", b"XMP ", len(found)) + found + b"\0" * (len(found) % 2)
    length = 4 + len(extended) + sum(span.size for span in kept) + len(xmp)
    head = struct.pack("<4sI4s", b"RIFF", length, b"WEBP") + extended
    tail = [Span(start=end, size=size - end)] if end < size else []
    return (head, *kept, xmp, *tail), packet


def _webp_chunks(file: BinaryIO, end: int) -> list[tuple[bytes, Span]]:
    """Returns names and spans, headers and padding included; none unless they fill the file."""
    at = 12
    spans: list[tuple[bytes, Span]] = []
    while at + 8 <= end and len(spans) < MAX_PIECES:
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
