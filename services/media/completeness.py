"""Finds truncated files: a film with its index in front decodes its first frame even when it is cut."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from services.core.errors import Words
from services.media.formats import AVIF, GIF, JPEG, MOV, MP4, PNG, WEBM, WEBP, Format
from services.media.probed import Truncated

_EBML_HEADER = 0x1A45DFA3
_SEGMENT = 0x18538067
_CLUSTER = 0x1F43B675
_LOOK_BACK_BYTES = 64 * 1024


def check_structure(path: Path, found: Format) -> None:
    """Raises Truncated."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        complete = {
            MP4: _film_boxes,
            MOV: _film_boxes,
            AVIF: _picture_boxes,
            WEBM: _ebml,
            PNG: _png,
            JPEG: _jpeg,
            WEBP: _riff,
            GIF: _gif,
        }[found](file, size)
    if not complete:
        raise Truncated(Words("The file is cut off: its end is missing."))


def _film_boxes(file: BinaryIO, size: int) -> bool:
    """ISO 14496-12, 4.2: the boxes must fill the file exactly; `moof` is the fragmented kind."""
    kinds = set(_boxes(file, size))
    return b"" not in kinds and b"moov" in kinds and bool(kinds & {b"mdat", b"moof"})


def _picture_boxes(file: BinaryIO, size: int) -> bool:
    kinds = set(_boxes(file, size))
    return b"" not in kinds and b"meta" in kinds


def _boxes(file: BinaryIO, size: int) -> Iterator[bytes]:
    """Types of the top-level boxes; an empty one stands for a box that does not end in the file."""
    at = 0
    while at < size:
        file.seek(at)
        header = file.read(16)
        length = int.from_bytes(header[:4], "big")
        if length == 1:
            length = int.from_bytes(header[8:16], "big")
        elif length == 0:
            length = size - at
        if len(header) < 8 or length < 8 or at + length > size:
            yield b""
            return
        yield header[4:8]
        at += length


def _ebml(file: BinaryIO, size: int) -> bool:
    """RFC 8794. A live recording leaves lengths unknown: then the elements inside are walked instead."""
    at, seen = 0, set()
    while at < size:
        file.seek(at)
        header = file.read(12)
        name, name_bytes = _vint(header, marked=True)
        length, length_bytes = _vint(header[name_bytes:], marked=False)
        if not name_bytes or not length_bytes:
            return False
        seen.add(name)
        at += name_bytes + length_bytes
        if length is None:
            if name not in (_SEGMENT, _CLUSTER):
                return False
        else:
            at += length
    return at == size and {_EBML_HEADER, _SEGMENT} <= seen


def _vint(data: bytes, *, marked: bool) -> tuple[int | None, int]:
    """A variable-length number and how many bytes it took (0: not there); None is "unknown"."""
    if not data or not data[0]:
        return 0, 0
    width = 9 - data[0].bit_length()
    if len(data) < width:
        return 0, 0
    value = int.from_bytes(data[:width], "big")
    if marked:
        return value, width
    ones = (1 << (7 * width)) - 1
    value &= ones
    return (None if value == ones else value), width


def _png(file: BinaryIO, size: int) -> bool:
    at = 8
    while at + 12 <= size:
        file.seek(at)
        header = file.read(8)
        if header[4:] == b"IEND":
            return True
        at += 12 + int.from_bytes(header[:4], "big")
    return False


def _jpeg(file: BinaryIO, size: int) -> bool:
    """Its end marker, with whatever some cameras and tools append after it."""
    file.seek(max(0, size - _LOOK_BACK_BYTES))
    return b"\xff\xd9" in file.read()


def _riff(file: BinaryIO, size: int) -> bool:
    return 8 + int.from_bytes(file.read(8)[4:], "little") <= size


def _gif(file: BinaryIO, size: int) -> bool:
    file.seek(max(0, size - _LOOK_BACK_BYTES))
    return file.read().rstrip(b"\0").endswith(b"\x3b")
