"""Reads how long each frame of a picture that moves is shown, and whether its end marker is there."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from services.media.formats import GIF, PNG, WEBP, Format

_PNG_HEADER_BYTES, _GIF_HEADER_BYTES = 8, 13
_SHORTEST_MS, INSTEAD_MS = 10, 100
"""Browsers show a frame of at most 10 ms for 100 ms."""


@dataclass(slots=True)
class Frames:
    delays_ms: list[float] = field(default_factory=list)
    ended: bool = False
    """Whether the end marker is there."""

    @property
    def duration_s(self) -> float:
        return sum(INSTEAD_MS if each <= _SHORTEST_MS else each for each in self.delays_ms) / 1000


def frames_of(path: Path, found: Format) -> Frames:
    """Of any other format: none, and the end is taken for granted."""
    if found not in _READERS:
        return Frames(ended=True)
    with path.open("rb") as file:
        return _READERS[found](file, os.fstat(file.fileno()).st_size)


def _png(file: BinaryIO, size: int) -> Frames:
    """PNG, 11.3.6.2: the delay is a fraction of a second, and a denominator of 0 stands for 100."""
    frames, at = Frames(), _PNG_HEADER_BYTES
    while at + 12 <= size:
        file.seek(at)
        header = file.read(8)
        if header[4:] == b"IEND":
            frames.ended = True
            break
        if header[4:] == b"fcTL":
            control = file.read(24)
            number, unit = int.from_bytes(control[20:22], "big"), int.from_bytes(control[22:24], "big")
            frames.delays_ms.append(1000 * number / (unit or 100))
        at += 12 + int.from_bytes(header[:4], "big")
    return frames


def _webp(file: BinaryIO, size: int) -> Frames:
    """RFC 9649, 2.7.1.1. Without its end Pillow does not open it at all."""
    frames, at = Frames(ended=True), 12
    while at + 8 <= size:
        file.seek(at)
        header = file.read(24)
        length = int.from_bytes(header[4:8], "little")
        if header[:4] == b"ANMF":
            frames.delays_ms.append(int.from_bytes(header[20:23], "little"))
        at += 8 + length + length % 2
    return frames


def _gif(file: BinaryIO, size: int) -> Frames:
    """GIF89a, 23: the delay is in hundredths of a second."""
    frames, delay_ms = Frames(), 0.0
    file.seek(10)
    file.seek(_GIF_HEADER_BYTES + _table_bytes(file.read(1)))
    while introducer := file.read(1):
        if introducer == b",":
            file.seek(file.tell() + 8)
            table_bytes = _table_bytes(file.read(1))
            file.seek(file.tell() + table_bytes + 1)
            frames.delays_ms.append(delay_ms)
            delay_ms = 0.0
        elif introducer == b"!":
            if file.read(1) == b"\xf9":
                control = file.read(4)
                delay_ms = 10.0 * int.from_bytes(control[2:4], "little")
                file.seek(file.tell() - 4)
        else:  # the trailer, or bytes behind the end
            frames.ended = True
            break
        if not all(_sub_blocks(file)):
            break
    return frames


def _sub_blocks(file: BinaryIO) -> Iterator[bool]:
    """Passes over them; False where the file ends inside."""
    while length := file.read(1):
        if length == b"\0":
            return
        file.seek(file.tell() + length[0])
    yield False


def _table_bytes(flags: bytes) -> int:
    return 3 << ((flags[0] & 7) + 1) if flags and flags[0] & 0x80 else 0


_READERS = {PNG: _png, WEBP: _webp, GIF: _gif}
