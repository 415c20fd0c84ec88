"""Title and comment of an MP4, where players and ffprobe read them: moov/udta/meta/ilst."""

import struct
from collections.abc import Iterator

TITLE, COMMENT, TOOL = b"\xa9nam", b"\xa9cmt", b"\xa9too"
_ON_THE_WAY = frozenset({b"trak", b"mdia", b"minf", b"stbl"})
_TABLES = {b"stco": (">I", 4), b"co64": (">Q", 8)}
_POINTS_ELSEWHERE = (b"mvex", b"saio")


def tagged(moov: bytes, tags: dict[bytes, str], *, start: int) -> bytes | None:
    """The film's index with `tags` in it; `start` is its place in the file, which everything behind it moves
    away from. None where it points at the film's bytes in a way that we do not follow (fragments,
    encryption), or is not built as it says.
    """
    try:
        if any(_holds(moov, 8, len(moov), name) for name in _POINTS_ELSEWHERE):
            return None
        rest = b"".join(moov[at:end] for name, at, end in _boxes(moov, 8, len(moov)) if name != b"udta")
        udta = b"".join(
            moov[inner:last]
            for name, at, end in _boxes(moov, 8, len(moov))
            if name == b"udta"
            for inner_name, inner, last in _boxes(moov, at + 8, end, loose=True)
            if inner_name != b"meta"
        )
        new = bytearray(_box(b"moov", rest + _box(b"udta", udta + _meta(tags))))
        _move(new, 8, len(new), behind=start, by=len(new) - len(moov))
    except (ValueError, struct.error, RecursionError):
        return None
    return bytes(new)


def _boxes(
    data: bytes | bytearray, at: int, end: int, *, loose: bool = False
) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and end of each. Raises ValueError when they do not fill the span (`loose`: a QuickTime
    list may close with four zeros).
    """
    while at < end:
        if loose and end - at == 4:
            return
        length = int.from_bytes(data[at : at + 4], "big")
        if length < 8 or at + length > end:
            raise ValueError("A box does not end where it should.")
        yield bytes(data[at + 4 : at + 8]), at, at + length
        at += length


def _holds(data: bytes, at: int, end: int, wanted: bytes) -> bool:
    return any(
        name == wanted or (name in _ON_THE_WAY and _holds(data, start + 8, last, wanted))
        for name, start, last in _boxes(data, at, end)
    )


def _move(data: bytearray, at: int, end: int, *, behind: int, by: int) -> None:
    """Every chunk that lies behind that place lies `by` bytes further on. Raises struct.error above 4 GB."""
    for name, start, last in _boxes(data, at, end):
        if name in _ON_THE_WAY:
            _move(data, start + 8, last, behind=behind, by=by)
        elif name in _TABLES:
            form, width = _TABLES[name]
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
