"""A prerendered cut-out that is laid over the frame at any sub-pixel place."""

import math

import numpy as np

from services.animatic.film.colour import OFFSET, TO_YUV, Triples, to_yuv
from services.animatic.film.noise import Field, dither_of
from services.animatic.film.planes import Bench, Bytes, Planes, blend, fade, slid

FINE, COARSE = 8, 4
KEPT_PHASES = 16


class Layer:
    """`cover` is premultiplied, `rest` is 255 - alpha (luma, chroma). Rows from `solid` on are opaque."""

    def __init__(self, cover: Planes, rest: tuple[Bytes, Bytes], *, x: int, y: int, solid: int) -> None:
        self._x, self._y = x, y
        self._solid = solid
        self._luma = _Plate(cover.y, rest[0])
        self._chroma = _Plate(cover.u, cover.v, rest[1])

    def draw(self, frame: Planes, dx: float, dy: float, bench: Bench, opacity: float = 1.0) -> None:
        steps = FINE if dx == int(dx) or dy == int(dy) else COARSE
        for plate, targets, scale in (
            (self._luma, (frame.y,), 1),
            (self._chroma, (frame.u, frame.v), 2),
        ):
            x = round((self._x + dx) / scale * steps) / steps
            y = round((self._y + dy) / scale * steps) / steps
            left, over = math.floor(x), math.floor(y)
            *covers, rest = plate.at(x - left, y - over, bench)
            height = rest.shape[0]
            solid = self._solid // scale + 1 if opacity >= 1 else height
            for target, cover in zip(targets, covers, strict=True):
                _lay(target, cover, rest, (left, over), min(solid, height), opacity, bench)


class _Plate:
    """Planes that move together.

    A layer creeps along one axis by eighths of a pixel (along both by quarters), so its few sub-pixel
    phases are made once each and kept: 15 times less work than anew for every frame.
    """

    def __init__(self, *planes: Bytes) -> None:
        self._phases: dict[tuple[float, float], list[Bytes]] = {(0.0, 0.0): list(planes)}

    def at(self, right: float, down: float, bench: Bench) -> list[Bytes]:
        phase = self._phases.get((right, down))
        if phase is None:
            if len(self._phases) > KEPT_PHASES:
                del self._phases[list(self._phases)[1]]
            phase = [slid(plane, right, down, bench) for plane in self._phases[0.0, 0.0]]
            self._phases[right, down] = phase
        return phase


def _lay(
    target: Bytes,
    cover: Bytes,
    rest: Bytes,
    corner: tuple[int, int],
    blended: int,
    opacity: float,
    bench: Bench,
) -> None:
    left, over = corner
    columns = slice(max(0, -left), min(cover.shape[1], target.shape[1] - left))
    if columns.stop <= columns.start:
        return
    for first, last, opaque in ((0, blended, False), (blended, cover.shape[0], True)):
        rows = slice(max(first, -over), min(last, target.shape[0] - over))
        if rows.stop <= rows.start:
            continue
        spot = target[rows.start + over : rows.stop + over, columns.start + left : columns.stop + left]
        if opaque:
            spot[...] = cover[rows, columns]
        elif opacity >= 1:
            blend(spot, cover[rows, columns], rest[rows, columns], bench)
        else:
            _lay_faintly(spot, cover[rows, columns], rest[rows, columns], int(opacity * 256), bench)


def _lay_faintly(spot: Bytes, cover: Bytes, rest: Bytes, weight: int, bench: Bench) -> None:
    faded, thinned = bench.bytes(0, *spot.shape), bench.bytes(1, *spot.shape)
    fade(cover, weight, faded, bench)
    np.subtract(255, rest, out=thinned)
    fade(thinned, weight, thinned, bench)
    np.subtract(255, thinned, out=thinned)
    blend(spot, faded, thinned, bench)


def from_ramp(field: Field, colours: Triples, alpha: Field | None, *, x: int = 0, y: int = 0) -> Layer:
    """`field` in 0..1 picks from the colours (n x 3 RGB); both sides even."""
    height, width = field.shape
    index = np.clip(field * (len(colours) - 1), 0, len(colours) - 1).astype(np.int64)
    yuv = to_yuv(colours)
    return _layer(
        np.take(yuv[:, 0], index, mode="clip"),
        np.take(yuv[:, 1], index[::2, ::2], mode="clip"),
        np.take(yuv[:, 2], index[::2, ::2], mode="clip"),
        np.ones((height, width), np.float32) if alpha is None else alpha,
        x,
        y,
    )


def from_rgb(picture: Triples, alpha: Field | None = None, *, x: int = 0, y: int = 0) -> Layer:
    height, width = picture.shape[:2]
    luma = picture @ TO_YUV[0] + OFFSET[0]
    chroma = halved(picture) @ TO_YUV[1:].T + OFFSET[1:]
    full = np.ones((height, width), np.float32) if alpha is None else alpha
    return _layer(luma, chroma[..., 0], chroma[..., 1], full, x, y)


def halved(field: Field) -> Field:
    """Means of two by two; 5 times faster than a reduction over two axes."""
    return np.asarray(
        (field[::2, ::2] + field[1::2, ::2] + field[::2, 1::2] + field[1::2, 1::2]) * np.float32(0.25)
    )


def _layer(luma: Field, cb: Field, cr: Field, alpha: Field, x: int, y: int) -> Layer:
    """Cut to what is not wholly transparent."""
    alpha = np.clip(alpha, 0, 1)
    rows, columns = _reach(alpha.max(1)), _reach(alpha.max(0))
    small = tuple(slice(side.start // 2, side.stop // 2) for side in (rows, columns))
    luma, alpha, cb, cr = luma[rows, columns], alpha[rows, columns], cb[small], cr[small]
    quarter = halved(alpha)
    noise = dither_of(*alpha.shape)
    half_noise = noise[: quarter.shape[0], : quarter.shape[1]]
    unsolid = np.flatnonzero(alpha.min(1) < 1)
    solid = int(unsolid[-1]) + 1 if len(unsolid) else 0
    return Layer(
        Planes(
            (luma * alpha + noise).astype(np.uint8),
            (cb * quarter + half_noise).astype(np.uint8),
            (cr * quarter + half_noise).astype(np.uint8),
        ),
        (np.rint(255 - 255 * alpha).astype(np.uint8), np.rint(255 - 255 * quarter).astype(np.uint8)),
        x=x // 2 * 2 + columns.start,
        y=y // 2 * 2 + rows.start,
        solid=-(-solid // 2) * 2,
    )


def _reach(strengths: Field) -> slice:
    seen = np.flatnonzero(strengths > 0.004)
    if not len(seen):
        return slice(0, 4)
    start = max(0, int(seen[0]) // 2 * 2 - 2)
    return slice(start, min(len(strengths), int(seen[-1]) // 2 * 2 + 4) // 2 * 2)
