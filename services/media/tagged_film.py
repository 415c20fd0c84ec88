"""Puts an XMP packet into an MP4 or MOV, and title and comment where players read them."""

import struct
from itertools import islice
from typing import BinaryIO

from services.media.completeness import boxes
from services.media.film_tags import COMMENT, TITLE, TOOL, tagged
from services.media.formats import Truncated
from services.media.pieces import MAX_PIECES, MAX_XMP_BYTES, Made, Piece, Span
from services.media.xmp import Packet, is_ours

XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
"""Type of the XMP box in films (XMP specification, part 3, 1.2.7)."""
_MAX_INDEX_BYTES = 32 * 1024**2


def film(file: BinaryIO, size: int, packet: Packet) -> Made | None:
    """Appends a box, which moves nothing that the index points at; tags the index itself where it can.

    An index of fragments is looked for at the very end, and stays there.
    """
    try:
        found = list(islice(boxes(file, size, open_end=False), MAX_PIECES + 1))
    except Truncated:
        return None
    if not 0 < len(found) <= MAX_PIECES:
        return None
    pieces: list[Piece] = [Span(start=at, size=length) for _, at, length in found]
    xmp, again = packet.xmp, False
    for place, (box_type, at, length) in enumerate(found):
        maker = _film_xmp(file, box_type, at, length)
        merged = None if maker is None else packet.beside(maker)
        if maker is not None and merged is not None:
            xmp, again = merged, is_ours(maker)
            pieces[place] = struct.pack(">I", length) + b"free" + b"\0" * (length - 8)  # nothing moves
            break
    try:
        _tag_index(file, found, pieces, packet, again=again)
    except (ValueError, RecursionError):
        return None
    box = struct.pack(">I", len(xmp) + 24) + b"uuid" + XMP_UUID + xmp
    pieces.insert(len(found) - (found[-1][0] == b"mfra"), box)
    return tuple(pieces), packet


def _film_xmp(file: BinaryIO, box_type: bytes, at: int, length: int) -> bytes | None:
    if box_type != b"uuid" or not 24 <= length <= MAX_XMP_BYTES:
        return None
    file.seek(at + 8)
    body = file.read(length - 8)
    return body[16:] if body.startswith(XMP_UUID) else None


def _tag_index(
    file: BinaryIO, found: list[tuple[bytes, int, int]], pieces: list[Piece], packet: Packet, *, again: bool
) -> None:
    """Raises ValueError where the index is malformed."""
    types = [box_type for box_type, _, _ in found]
    if types.count(b"moov") != 1 or types.count(b"moof") or types.count(b"meta"):
        return
    place = types.index(b"moov")
    _, start, length = found[place]
    if length <= _MAX_INDEX_BYTES:
        file.seek(start)
        moov = file.read(length)
        tags = {TITLE: packet.description, COMMENT: packet.facts, TOOL: "Rushes"}
        new = tagged(moov, tags, start=start, again=again)
        pieces[place] = pieces[place] if new == moov else new
