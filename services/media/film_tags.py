"""Writes title and comment of an MP4 where players and ffprobe read them: moov/udta/meta/ilst."""

import struct
from collections.abc import Iterator

TITLE, COMMENT, TOOL = b"\xa9nam", b"\xa9cmt", b"\xa9too"
_CONTAINERS = frozenset({b"trak", b"mdia", b"minf", b"stbl"})
_OFFSET_TABLES = {b"stco": (">I", 4), b"co64": (">Q", 8)}
_UNSUPPORTED = (b"mvex", b"saio", b"cmov")
"""Fragments, encryption, a compressed index: their offsets into the film are not corrected here."""


def tagged(moov: bytes, tags: dict[bytes, str], *, start: int, again: bool = False) -> bytes:
    """Returns the film's index with `tags` beside the maker's; as it is, where it has unsupported boxes.

    `start` is its offset in the file: all that follows it moves. With `again` the file is a copy of ours,
    whose comment is replaced. Raises ValueError where the index is malformed.
    """
    children = list(_boxes(moov, 8, len(moov)))
    if any(_contains(moov, 8, len(moov), name) for name in _UNSUPPORTED):
        return moov
    if any(name == b"meta" and b"iloc" in moov[at:end] for name, at, end in children):
        return moov
    rest = b"".join(moov[at:end] for name, at, end in children if name != b"udta")
    users = [
        (name, moov[inner:last])
        for box, at, end in children
        if box == b"udta"
        for name, inner, last in _boxes(moov, at + 8, end, zeros_may_end=True)
    ]
    metas = [content for name, content in users if name == b"meta"]
    meta = _meta(tags) if not metas else _merged(metas[0], tags, again=again) if len(metas) == 1 else None
    if meta is None:
        return moov
    udta = b"".join(content for name, content in users if name != b"meta")
    new = bytearray(_box(b"moov", rest + _box(b"udta", udta + meta)))
    try:
        _shift_offsets(new, 8, len(new), behind=start, by=len(new) - len(moov))
    except struct.error:  # an offset would exceed 4 GB
        return moov
    return bytes(new)


def _merged(meta: bytes, tags: dict[bytes, str], *, again: bool) -> bytes | None:
    """The maker's list with ours in it: the title is the prompt, another title stays beside it.

    Their comment stays: some put the whole workflow there. None for a list of another kind.
    """
    at = 8 if meta[12:16] == b"hdlr" else 12
    boxes = list(_boxes(meta, at, len(meta)))
    lists = [(inner, last) for name, inner, last in boxes if name == b"ilst"]
    is_itunes = any(name == b"hdlr" and meta[inner + 16 : inner + 20] == b"mdir" for name, inner, _ in boxes)
    if not is_itunes or len(lists) != 1:
        return None
    start, end = lists[0]
    theirs = [(name, meta[inner:last]) for name, inner, last in _boxes(meta, start + 8, end)]
    replaced = {TITLE, COMMENT} if again else {TITLE}
    named = {name for name, _ in theirs} - replaced
    items = [content for name, content in theirs if name not in replaced]
    if not again:
        items += [_freeform(b"maker title", each[8:]) for name, each in theirs if name == TITLE]
    items += [_item(name, text) for name, text in tags.items() if name not in named]
    content = meta[8:start] + _box(b"ilst", b"".join(items)) + meta[end:]
    return _box(b"meta", content)


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
    items = b"".join(_item(name, text) for name, text in tags.items())
    handler = _box(b"hdlr", b"\0" * 8 + b"mdirappl" + b"\0" * 9)
    return _box(b"meta", b"\0" * 4 + handler + _box(b"ilst", items))


def _item(name: bytes, text: str) -> bytes:
    return _box(name, _box(b"data", b"\0\0\0\x01\0\0\0\0" + text.encode()))


def _freeform(name: bytes, data: bytes) -> bytes:
    """`data` are an item's data boxes."""
    return _box(b"----", _box(b"mean", b"\0" * 4 + b"rushes") + _box(b"name", b"\0" * 4 + name) + data)


def _box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content) + 8) + name + content
