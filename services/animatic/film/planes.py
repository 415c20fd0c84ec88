"""A picture as video keeps it: full-size luma, chroma at half the width and height, 8 bits each."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Words = NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class Planes:
    y: Bytes
    u: Bytes
    v: Bytes

    @property
    def width(self) -> int:
        return int(self.y.shape[1])

    @property
    def height(self) -> int:
        return int(self.y.shape[0])

    def all(self) -> tuple[Bytes, Bytes, Bytes]:
        return self.y, self.u, self.v


def blank(width: int, height: int) -> Planes:
    half = (height // 2, width // 2)
    return Planes(
        np.full((height, width), 16, np.uint8), np.full(half, 128, np.uint8), np.full(half, 128, np.uint8)
    )


class Bench:
    """Scratch memory: fresh arrays of this size would cost more in page faults than the sums done in them."""

    def __init__(self, width: int, height: int) -> None:
        pixels = (width + 64) * (height + 64)
        self._bytes = [np.empty(pixels, np.uint8) for _ in range(4)]
        self._words = [np.empty(pixels, np.uint16) for _ in range(2)]

    def bytes(self, number: int, height: int, width: int) -> Bytes:
        if height * width > self._bytes[number].size:
            self._bytes[number] = np.empty(height * width, np.uint8)
        return self._bytes[number][: height * width].reshape(height, width)

    def words(self, number: int, height: int, width: int) -> Words:
        if height * width > self._words[number].size:
            self._words[number] = np.empty(height * width, np.uint16)
        return self._words[number][: height * width].reshape(height, width)


def blend(target: Bytes, cover: Bytes, rest: Bytes, bench: Bench) -> None:
    """target = cover + target * rest / 255, where cover is premultiplied; exact where rest is 0 or 255."""
    words = bench.words(0, *target.shape)
    np.multiply(target, rest, out=words, dtype=np.uint16)
    np.add(words, 255, out=words)
    np.right_shift(words, 8, out=target, casting="unsafe")
    np.add(target, cover, out=target)


def fade(source: Bytes, weight: int, out: Bytes, bench: Bench) -> None:
    """out = source * weight / 256."""
    words = bench.words(0, *source.shape)
    np.multiply(source, weight, out=words, dtype=np.uint16)
    np.right_shift(words, 8, out=out, casting="unsafe")


def fade_by(target: Bytes, weights: Bytes, bench: Bench) -> None:
    """target = target * weights / 256."""
    words = bench.words(0, *target.shape)
    np.multiply(target, weights, out=words, dtype=np.uint16)
    np.right_shift(words, 8, out=target, casting="unsafe")


def between(one: Bytes, other: Bytes, weight: int, out: Bytes, bench: Bench) -> None:
    """out = one * (256 - weight) / 256 + other * weight / 256."""
    a, b = bench.words(0, *one.shape), bench.words(1, *one.shape)
    np.multiply(one, 256 - weight, out=a, dtype=np.uint16)
    np.multiply(other, weight, out=b, dtype=np.uint16)
    np.add(a, b, out=a)
    np.right_shift(a, 8, out=out, casting="unsafe")


def slid(source: Bytes, right: float, down: float, bench: Bench) -> Bytes:
    """A copy moved right and down by less than a pixel; the first column and row stay."""
    out = source.copy()
    if right:
        between(source[:, 1:], source[:, :-1], int(right * 256), out[:, 1:], bench)
    if down:
        between(out[1:].copy(), out[:-1].copy(), int(down * 256), out[1:], bench)
    return out
