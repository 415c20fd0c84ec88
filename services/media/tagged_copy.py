"""Copies that carry metadata: the kept bytes with an XMP packet inserted, never encoded again.

A copy is a list of pieces: its size is known before a byte is read, and it is never held in memory.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from services.media.formats import HEAD_BYTES, JPEG, MOV, MP4, PNG, WEBP, sniff
from services.media.pieces import Piece, Span
from services.media.tagged_film import film
from services.media.tagged_picture import jpeg, png, webp
from services.media.xmp import Packet

CHUNK_BYTES = 256 * 1024
_INSERTERS = {PNG: png, JPEG: jpeg, WEBP: webp, MP4: film, MOV: film}


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    path: Path
    content: str
    """The kept file's hash."""
    pieces: tuple[Piece, ...]
    shortened: tuple[str, ...] = ()
    """Names of the facts that the container had no room for in full."""

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
    """Puts the packet into a PNG, JPEG, WebP, MP4 or MOV, beside what its maker wrote there.

    Other files, and those that are built in another way, stay as they are, byte for byte. Raises OSError.
    """
    with path.open("rb") as file:
        found = sniff(file.read(HEAD_BYTES))
        size = file.seek(0, 2)
        insert = _INSERTERS.get(found) if found is not None else None
        pieces, fitting = (insert(file, size, packet) if insert is not None else None) or (None, packet)
    shortened = fitting.shortened if pieces is not None else ()
    whole = (Span(start=0, size=size),)
    return Copy(path=path, content=content, pieces=pieces or whole, shortened=shortened)


def _read(file: BinaryIO, span: Span) -> Iterator[bytes]:
    file.seek(span.start)
    left = span.size
    while left:
        chunk = file.read(min(CHUNK_BYTES, left))
        if not chunk:
            raise OSError("The kept file has become shorter.")
        left -= len(chunk)
        yield chunk
