"""Finds truncated films: one that starts with its index decodes its first frame even when it is cut.

Bytes behind the end are no fault: cameras, tools and storage services append some, and players skip them.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from services.core.errors import Words
from services.media.formats import MKV, MOV, MP4, WEBM, Format, Truncated

CUT_OFF = Words("The file is incomplete: its end is missing.")
_EBML_HEADER, _SEGMENT, _CLUSTER = 0x1A45DFA3, 0x18538067, 0x1F43B675
_IN_SEGMENT = frozenset(
    {_CLUSTER, 0x114D9B74, 0x1549A966, 0x1654AE6B, 0x1C53BB6B, 0x1254C367, 0x1941A469, 0x1043A770, 0xEC, 0xBF}
    | {0xE7, 0xA3, 0xA0, 0xA7, 0xAB, 0xAF, 0x5854}
)
"""Elements of a segment and, since unknown lengths hide where it ends, of a cluster (RFC 9559, 5.1)."""
_BOXES = frozenset(
    {b"ftyp", b"styp", b"moov", b"moof", b"mdat", b"mfra", b"free", b"skip", b"wide", b"meta", b"uuid"}
    | {b"udta", b"sidx", b"ssix", b"prft", b"emsg", b"pdin", b"pnot"}
)


def check_film(path: Path, found: Format) -> None:
    """Raises Truncated. Whether the samples are all there, the film's index tells (`probe`)."""
    with path.open("rb") as file:
        if not _CHECKS[found](file, os.fstat(file.fileno()).st_size):
            raise Truncated(CUT_OFF)


def boxes(file: BinaryIO, size: int, *, open_end: bool = True) -> Iterator[tuple[bytes, int, int]]:
    """Yields type, start and size of each top-level box (ISO 14496-12, 4.2).

    Raises Truncated unless they fill the file; with `open_end`, a length of 0 means "to its end".
    """
    for box_type, at, length in _headers(file, size, open_end=open_end):
        if not 8 <= length <= size - at:
            raise Truncated(CUT_OFF)
        yield box_type, at, length


def _headers(file: BinaryIO, size: int, *, open_end: bool) -> Iterator[tuple[bytes, int, int]]:
    """Like `boxes`, but the last one may have a wrong length: below 8, or more than is left of the file."""
    at = 0
    while at < size:
        file.seek(at)
        header = file.read(16)
        length = int.from_bytes(header[:4], "big")
        if length == 1:
            length = int.from_bytes(header[8:16], "big")
        elif length == 0 and open_end:
            length = size - at
        yield header[4:8], at, length if len(header) >= 8 else 0
        if not 8 <= length <= size - at:
            return
        at += length


def has_boxes(file: BinaryIO, size: int, needed: frozenset[bytes]) -> bool:
    """Whether they are there, and no known box ends behind the file's end.

    An `mdat` behind its index may: the index then tells whether a sample is missing.
    """
    seen: set[bytes] = set()
    for box_type, at, length in _headers(file, size, open_end=True):
        if 8 <= length <= size - at:
            seen.add(box_type)
        elif box_type in _BOXES:
            return box_type == b"mdat" and b"moov" in seen and b"moof" not in seen
    return needed <= seen


def _film(file: BinaryIO, size: int) -> bool:
    return has_boxes(file, size, frozenset({b"moov", b"mdat"}))


def _ebml(file: BinaryIO, size: int) -> bool:
    """RFC 8794. A live recording leaves lengths unknown: then the elements inside are walked instead."""
    at, seen = 0, set()
    while at < size:
        file.seek(at)
        header = file.read(12)
        name, name_bytes = _vint(header, marked=True)
        length, length_bytes = _vint(header[name_bytes:], marked=False)
        if _SEGMENT in seen and name not in _IN_SEGMENT:
            return True
        if not name_bytes or not length_bytes:
            return False
        seen.add(name)
        if length is None and name not in (_SEGMENT, _CLUSTER):
            return False
        at += name_bytes + length_bytes + (length or 0)
        if name == _SEGMENT and length is not None:
            return at <= size
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


_CHECKS = {MP4: _film, MOV: _film, WEBM: _ebml, MKV: _ebml}
