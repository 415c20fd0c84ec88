"""Unpacks bodies that came compressed although nobody asked for it, within bounds.

httpx's own decoders unpack a whole chunk at once: 2.6 KB of `gzip, gzip` become 3 GB.
"""

import zlib
from collections.abc import Iterator, Sequence

PIECE_BYTES = 256 * 1024
SLICE_BYTES = 16 * 1024
"""Of packed bytes at a time: zlib copies what it has not used yet for each piece and each gzip member."""
MAX_LAYERS = 3
FREE_BYTES, MAX_RATIO = 64 * 1024**2, 100
"""A black picture packs a thousandfold, but is small; a film does not pack at all."""
FREE_MEMBERS, MEMBER_BYTES = 1000, 512
"""One gzip member for each so many unpacked bytes; bgzip writes 64 KiB into each."""
TRIAL_BYTES = 512
"""Packed bytes after which a wrong label has shown: raw deflate has no magic number and no checksum."""

GZIP_MAGIC = b"\x1f\x8b\x08"
GZIP, ZLIB, RAW = 31, 15, -15
"""zlib's `wbits`."""
KNOWN = {"gzip": "gzip", "x-gzip": "gzip", "deflate": "deflate"}
UNSUPPORTED = frozenset({"br", "zstd", "dcb", "dcz", "compress", "x-compress", "exi", "pack200-gzip"})


class BadPacking(Exception):
    """The packed bytes are damaged, or unpack to too much."""


class PackingCutShort(Exception):
    """The packed bytes end before their own end."""


def packings(content_encoding: str) -> list[str]:
    """The encodings to undo, the outermost first.

    Labels that name no packing are ignored: `identity`, `utf-8`, `binary`, `aws-chunked`, empty text. What is
    packed in a way that cannot be undone here stays as it came.
    """
    found: list[str] = []
    for name in reversed([each.strip().lower() for each in content_encoding.split(",")]):
        if name in UNSUPPORTED:
            break
        if name in KNOWN:
            found.append(KNOWN[name])
    return found


class Unpacking:
    """One body's layers. Its pieces are small, and it does no more work than they are asked for."""

    def __init__(self, layers: Sequence[str]) -> None:
        self._layers = [_Layer(name) for name in layers[:MAX_LAYERS]]
        self._packed_bytes = 0
        self._too_deep = len(layers) > MAX_LAYERS

    def feed(self, packed: bytes) -> Iterator[bytes]:
        """Raises BadPacking."""
        if self._too_deep:
            raise BadPacking(f"It is packed more than {MAX_LAYERS} times.")
        self._packed_bytes += len(packed)
        for start in range(0, len(packed), SLICE_BYTES):
            yield from self._through(packed[start : start + SLICE_BYTES], 0)

    def finish(self) -> Iterator[bytes]:
        """What was held back until now. Raises BadPacking, PackingCutShort."""
        for index, layer in enumerate(self._layers):
            for piece in layer.finish():
                yield from self._through(piece, index + 1)
        if any(layer.cut_short for layer in self._layers):
            raise PackingCutShort("The packed bytes end too early.")

    def _through(self, piece: bytes, index: int) -> Iterator[bytes]:
        if index == len(self._layers):
            yield piece
            return
        layer = self._layers[index]
        for unpacked in layer.feed(piece):
            if layer.size_bytes > FREE_BYTES + MAX_RATIO * self._packed_bytes:
                raise BadPacking("It unpacks to more than any picture or film.")
            yield from self._through(unpacked, index + 1)


class _Layer:
    """One packing. Bytes that are not packed as their label says pass as they are."""

    def __init__(self, name: str) -> None:
        self.size_bytes = 0
        self._name = name
        self._held = b""
        """Packed bytes that do not show their format yet, or the first ones of a next gzip member."""
        self._plain = False
        self._members = 0
        self._decoder: "zlib._Decompress | None" = None  # noqa: UP037

    @property
    def cut_short(self) -> bool:
        return self._decoder is not None and not self._decoder.eof

    def feed(self, packed: bytes) -> Iterator[bytes]:
        packed, self._held = self._held + packed, b""
        if self._decoder is None and not self._plain and not self._recognise(packed, at_end=False):
            self._held = packed
            return
        yield from self._unpack(packed)

    def finish(self) -> Iterator[bytes]:
        packed, self._held = self._held, b""
        if packed and self._decoder is None:
            self._recognise(packed, at_end=True)
            yield from self._unpack(packed)

    def _recognise(self, start: bytes, *, at_end: bool) -> bool:
        """Returns whether the format is known now."""
        if len(start) < len(GZIP_MAGIC) and not at_end:
            return False
        if self._name == "gzip":
            self._begin(GZIP if start.startswith(GZIP_MAGIC) else None)
        elif _has_zlib_header(start):
            self._begin(ZLIB)
        elif len(start) < TRIAL_BYTES and not at_end:
            return False
        else:
            self._begin(RAW if _is_raw_deflate(start[:TRIAL_BYTES], whole=at_end) else None)
        return True

    def _begin(self, wbits: int | None) -> None:
        self._plain = wbits is None
        self._decoder = None if wbits is None else zlib.decompressobj(wbits)

    def _unpack(self, packed: bytes) -> Iterator[bytes]:
        if self._decoder is None:
            self.size_bytes += len(packed)
            yield packed
            return
        piece = b""
        while packed or len(piece) == PIECE_BYTES:
            if self._decoder.eof and not self._next_member(packed):
                return
            try:
                piece = self._decoder.decompress(packed, PIECE_BYTES)
            except zlib.error as error:
                raise BadPacking("The packed bytes are damaged.") from error
            packed = self._decoder.unused_data if self._decoder.eof else self._decoder.unconsumed_tail
            if piece:
                self.size_bytes += len(piece)
                yield piece

    def _next_member(self, packed: bytes) -> bool:
        """Begins the gzip member that follows the last one; anything else behind the end is ignored."""
        if self._name != "gzip" or not packed.startswith(GZIP_MAGIC[: len(packed)]):
            return False
        if len(packed) < len(GZIP_MAGIC):
            self._held = packed
            return False
        self._members += 1
        if self._members > FREE_MEMBERS + self.size_bytes // MEMBER_BYTES:
            raise BadPacking("It is packed in too many parts.")
        self._begin(GZIP)
        return True


def _has_zlib_header(start: bytes) -> bool:
    """RFC 1950, 2.2; a raw stream never has such a first byte."""
    return (
        len(start) >= 2 and start[0] & 15 == 8 and start[0] >> 4 <= 7 and int.from_bytes(start[:2]) % 31 == 0
    )


def _is_raw_deflate(start: bytes, *, whole: bool) -> bool:
    """Whether it can be unpacked; what is there as a `whole` must reach its end."""
    decoder = zlib.decompressobj(RAW)
    try:
        decoder.decompress(start, PIECE_BYTES)
    except zlib.error:
        return False
    return decoder.eof or bool(decoder.unconsumed_tail) or not whole
