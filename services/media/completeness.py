"""Finds truncated files: a film that starts with its index decodes its first frame even when it is cut."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from services.core.errors import Words
from services.media.formats import AVIF, GIF, JPEG, MOV, MP4, PNG, WEBM, WEBP, Format, Truncated

CUT_OFF = Words("The file is cut off: its end is missing.")
_EBML_HEADER, _SEGMENT, _CLUSTER = 0x1A45DFA3, 0x18538067, 0x1F43B675
_TAIL_BYTES = 64 * 1024


def check_structure(path: Path, found: Format) -> None:
    """Raises Truncated."""
    with path.open("rb") as file:
        if not _CHECKS[found](file, os.fstat(file.fileno()).st_size):
            raise Truncated(CUT_OFF)


def boxes(file: BinaryIO, size: int, *, open_end: bool = True) -> Iterator[tuple[bytes, int, int]]:
    """Yields type, start and size of each top-level box (ISO 14496-12, 4.2).

    Raises Truncated unless they fill the file; with `open_end`, a length of 0 means "to its end".
    """
    at = 0
    while at < size:
        file.seek(at)
        header = file.read(16)
        length = int.from_bytes(header[:4], "big")
        if length == 1:
            length = int.from_bytes(header[8:16], "big")
        elif length == 0 and open_end:
            length = size - at
        if len(header) < 8 or not 8 <= length <= size - at:
            raise Truncated(CUT_OFF)
        yield header[4:8], at, length
        at += length


def _film(file: BinaryIO, size: int) -> bool:
    types = {box for box, _, _ in boxes(file, size)}
    return b"moov" in types and bool(types & {b"mdat", b"moof"})


def _avif(file: BinaryIO, size: int) -> bool:
    return b"meta" in {box for box, _, _ in boxes(file, size)}


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
        if length is None and name not in (_SEGMENT, _CLUSTER):
            return False
        at += name_bytes + length_bytes + (length or 0)
    return at == size and {_EBML_HEADER, _SEGMENT} <= seen


def _vint(data: bytes, *, marked: bool) -> tuple[int | None, int]:
    """Returns a variable-length number, None for "unknown", and its width in bytes, 0 where there is none."""
    if not data or not data[0]:
        return 0, 0
    width = 9 - data[0].bit_length()
    if len(data) < width:
        return 0, 0
    value = int.from_bytes(data[:width], "big")
    if marked:
        return value, width
    mask = (1 << (7 * width)) - 1
    value &= mask
    return (None if value == mask else value), width


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
    """Some cameras and tools append bytes after the end marker."""
    file.seek(max(0, size - _TAIL_BYTES))
    return b"\xff\xd9" in file.read()


def _riff(file: BinaryIO, size: int) -> bool:
    return 8 + int.from_bytes(file.read(8)[4:], "little") <= size


def _gif(file: BinaryIO, size: int) -> bool:
    file.seek(max(0, size - _TAIL_BYTES))
    return file.read().rstrip(b"\0").endswith(b"\x3b")


_CHECKS = {MP4: _film, MOV: _film, AVIF: _avif, WEBM: _ebml, PNG: _png, JPEG: _jpeg, WEBP: _riff, GIF: _gif}
