"""A copy in pieces: stretches of the kept file, and bytes that are put in between."""

from dataclasses import dataclass

from services.media.xmp import Packet

MAX_PIECES = 100_000
MAX_XMP_BYTES = 1024**2
"""Of a maker's packet that is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Bytes of the kept file."""

    start: int
    size: int


Piece = bytes | Span
Made = tuple[tuple[Piece, ...], Packet]
"""The pieces, and the packet as it fits into them."""


def replaced(size: int, *cuts: tuple[int, int, bytes]) -> tuple[Piece, ...]:
    """The file with stretches replaced: start, end, new bytes; in order."""
    pieces: list[Piece] = []
    at = 0
    for start, end, inserted in sorted(cuts):
        pieces += [Span(start=at, size=start - at), inserted]
        at = end
    return tuple(each for each in (*pieces, Span(start=at, size=size - at)) if each != b"")
