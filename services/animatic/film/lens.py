"""The canvas through the camera's window: sub-pixel crop and scale, vignette, grain."""

import numpy as np
from numpy.typing import NDArray

from services.animatic.film.camera import Moment
from services.animatic.film.planes import Bench, Bytes, Planes

GRAIN_TILE = 256


class Lens:
    """`vividness` scales the colours once more, whatever painted them: 0 is black and white."""

    def __init__(
        self, width: int, height: int, bench: Bench, *, vignette: float = 0.2, vividness: float = 1.0
    ) -> None:
        self._width, self._height = width, height
        self._bench = bench
        self._out = Planes(
            np.empty((height, width), np.uint8),
            np.empty((height // 2, width // 2), np.uint8),
            np.empty((height // 2, width // 2), np.uint8),
        )
        self._vignette = _vignette(width, height, vignette)
        self._grain = _grain(width, height)
        self._paler = None if vividness == 1 else _paler(vividness)

    def see(self, canvas: Planes, moment: Moment, number: int) -> Planes:
        x, y, width, height = moment.window
        for source, target, scale in zip(canvas.all(), self._out.all(), (1, 2, 2), strict=True):
            self._crop(source, target, (x / scale, y / scale, width / scale, height / scale))
        self._finish(number)
        return self._out

    def _crop(self, source: Bytes, target: Bytes, box: tuple[float, float, float, float]) -> None:
        x, y, width, height = box
        if source.shape == target.shape and not x and not y:
            np.copyto(target, source)
            return
        row, row_weight = _places(y, height, target.shape[0], source.shape[0])
        column, column_weight = _places(x, width, target.shape[1], source.shape[1])
        bench = self._bench
        tall = (target.shape[0], source.shape[1])
        upper, lower = bench.bytes(0, *tall), bench.bytes(1, *tall)
        np.take(source, row, 0, out=upper, mode="clip")
        np.take(source, row + 1, 0, out=lower, mode="clip")
        _weigh(upper, lower, row_weight[:, None], upper, bench)
        # The window is never smaller than the picture, so each source column serves one column at most:
        # the columns are mixed where they are, and gathered once.
        weights = np.zeros(source.shape[1] - 1, np.uint16)
        weights[column] = column_weight
        mixed = bench.bytes(1, tall[0], tall[1] - 1)
        _weigh(upper[:, :-1], upper[:, 1:], weights[None, :], mixed, bench)
        np.take(mixed, column, 1, out=target, mode="clip")

    def _finish(self, number: int) -> None:
        if self._paler is not None:
            for chroma in (self._out.u, self._out.v):
                chroma[...] = np.take(self._paler, chroma, mode="clip")
        luma = self._out.y
        words = self._bench.words(0, *luma.shape)
        np.multiply(luma, self._vignette, out=words, dtype=np.uint16)
        np.right_shift(words, 8, out=luma, casting="unsafe")
        down, across = number * 101 % GRAIN_TILE, number * 157 % GRAIN_TILE
        np.add(luma, self._grain[down : down + self._height, across : across + self._width], out=luma)


def _places(
    start: float, length: float, count: int, limit: int
) -> tuple[NDArray[np.int64], NDArray[np.uint16]]:
    """The pixel before each sampled place, and the share of the next one in 256ths."""
    step = length / count
    place = np.clip(start + (np.arange(count) + 0.5) * step - 0.5, 0, limit - 1.001)
    before = place.astype(np.int64)
    return before, ((place - before) * 256).astype(np.uint16)


def _weigh(one: Bytes, other: Bytes, weight: NDArray[np.uint16], out: Bytes, bench: Bench) -> None:
    a, b = bench.words(0, *one.shape), bench.words(1, *one.shape)
    np.multiply(one, 256 - weight, out=a, dtype=np.uint16)
    np.multiply(other, weight, out=b, dtype=np.uint16)
    np.add(a, b, out=a)
    np.right_shift(a, 8, out=out, casting="unsafe")


def _paler(vividness: float) -> Bytes:
    return np.asarray(np.rint(128 + (np.arange(256) - 128) * vividness), np.uint8)


def _vignette(width: int, height: int, depth: float) -> Bytes:
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    far = np.clip((x**2 + y**2) / 2, 0, 1)
    return np.rint(255 * (1 - depth * far**1.5)).astype(np.uint8)


def _grain(width: int, height: int) -> Bytes:
    random = np.random.default_rng(5)
    noise = random.random((height + GRAIN_TILE, width + GRAIN_TILE), dtype=np.float32)
    return (noise * 2.999).astype(np.uint8)
