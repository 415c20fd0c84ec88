"""Writes title and comment of an MP4 where players and ffprobe read them: moov/udta/meta/ilst."""

import struct
from collections.abc import Iterator

TITLE, COMMENT, TOOL = b"\xa9nam", b"\xa9cmt", b"\xa9too"
_CONTAINERS = frozenset({b"trak", b"mdia", b"minf", b"stbl"})
_OFFSET_TABLES = {b"stco": (">I", 4), b"co64": (">Q", 8)}
_UNSUPPORTED = (b"mvex", b"saio")
"""Fragments and encryption: their offsets into the film are not corrected here."""


def tagged(moov: bytes, tags: dict[bytes, str], *, start: int) -> bytes | None:
    """Returns the film's index with `tags` in it; None where it is malformed or has unsupported boxes.

    `start` is its offset in the file: all that follows it moves.
    """
    try:
        if any(_contains(moov, 8, len(moov), name) for name in _UNSUPPORTED):
            return None
        boxes = list(_boxes(moov, 8, len(moov)))
        rest = b"".join(moov[at:end] for name, at, end in boxes if name != b"udta")
        udta = b"".join(
            moov[inner:last]
            for name, at, end in boxes
            if name == b"udta"
            for inner_name, inner, last in _boxes(moov, at + 8, end, zeros_may_end=True)
            if inner_name != b"meta"
        )
        new = bytearray(_box(b"moov", rest + _box(b"udta", udta + _meta(tags))))
        _shift_offsets(new, 8, len(new), behind=start, by=len(new) - len(moov))
    except (ValueError, struct.error, RecursionError):
        return None
    return bytes(new)


def _boxes(
    data: bytes | bytearray, at: int, end: int, *, zeros_may_end: bool = False
) -> Iterator[tuple[bytes, int, int]]:
    """Yields name, start and end of each box. Raises ValueError unless they fill the span.

    A QuickTime list may end in four zeros.
    """
    while at < end and not (zeros_may_end and end - at == 4):
        length = int.from_bytes(data[at : at + 4], "big")
        if length < 8 or at + length > end:
            raise ValueError("A box does not end where it should.")
        yield bytes(data[at + 4 : at + 8]), at, at + length
        at += length


def _contains(data: bytes, at: int, end: int, wanted: bytes) -> bool:
    return any(
        name == wanted or (name in _CONTAINERS and _contains(data, start + 8, last, wanted))
        for name, start, last in _boxes(data, at, end)
    )


def _shift_offsets(data: bytearray, at: int, end: int, *, behind: int, by: int) -> None:
    """Raises struct.error where an offset would exceed 4 GB."""
    for name, start, last in _boxes(data, at, end):
        if name in _CONTAINERS:
            _shift_offsets(data, start + 8, last, behind=behind, by=by)
        elif name in _OFFSET_TABLES:
            form, width = _OFFSET_TABLES[name]
            count = int.from_bytes(data[start + 12 : start + 16], "big")
            if start + 16 + count * width > last:
                raise ValueError("A table is longer than its box.")
            for entry in range(start + 16, start + 16 + count * width, width):
                (offset,) = struct.unpack_from(form, data, entry)
                if offset > behind:
                    struct.pack_into(form, data, entry, offset + by)


def _meta(tags: dict[bytes, str]) -> bytes:
    items = b"".join(
        _box(name, _box(b"data", b"\0\0\0\x01\0\0\0\0" + text.encode())) for name, text in tags.items()
    )
    handler = _box(b"hdlr", b"\0" * 8 + b"mdirappl" + b"\0" * 9)
    return _box(b"meta", b"\0" * 4 + handler + _box(b"ilst", items))


def _box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content) + 8) + name + content
