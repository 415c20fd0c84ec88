"""A prerendered cut-out that is laid over the frame at any sub-pixel place."""

from dataclasses import dataclass

import numpy as np

from services.animatic.film.colour import Triples, to_yuv
from services.animatic.film.noise import Field, dither_of
from services.animatic.film.planes import Bench, Bytes, Planes, blend, fade, slide

STEPS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """`cover` is premultiplied; `rest` is 255 - alpha, for luma and for chroma. Rows from `solid` on are opaque."""

    cover: Planes
    rest: tuple[Bytes, Bytes]
    x: int
    y: int
    top: int
    solid: int

    def draw(self, frame: Planes, dx: float, dy: float, bench: Bench, opacity: float = 1.0) -> None:
        x, y = round((self.x + dx) * STEPS) / STEPS, round((self.y + dy) * STEPS) / STEPS
        rest_y, rest_c = self.rest
        solid = self.solid if opacity >= 1 else self.cover.height
        _lay(frame.y, self.cover.y, rest_y, x, y, self.top, solid, opacity, bench)
        top, half = self.top // 2, -(-solid // 2)
        _lay(frame.u, self.cover.u, rest_c, x / 2, y / 2, top, half, opacity, bench)
        _lay(frame.v, self.cover.v, rest_c, x / 2, y / 2, top, half, opacity, bench)


def _lay(target: Bytes, cover: Bytes, rest: Bytes, x: float, y: float, top: int, solid: int,
         opacity: float, bench: Bench) -> None:  # fmt: skip
    left, over = int(np.floor(x)), int(np.floor(y))
    right, down = int((x - left) * 256), int((y - over) * 256)
    height, width = cover.shape
    columns = slice(max(1, -left), min(width, target.shape[1] - left))
    if columns.stop <= columns.start:
        return
    for first, last, opaque in ((top, min(solid + 1, height), False), (solid + 1, height, True)):
        rows = slice(max(1, first, -over), min(last, target.shape[0] - over))
        if rows.stop <= rows.start:
            continue
        spot = target[rows.start + over : rows.stop + over, columns.start + left : columns.stop + left]
        moved = slide(cover, rows, columns, right, down, bench, 0)
        if opaque:
            spot[...] = moved
            continue
        remains = slide(rest, rows, columns, right, down, bench, 1)
        if opacity < 1:
            weight = int(opacity * 256)
            faded, thinned = bench.bytes(0, *spot.shape), bench.bytes(1, *spot.shape)
            fade(moved, weight, faded, bench)
            np.subtract(255, remains, out=thinned)
            fade(thinned, weight, thinned, bench)
            np.subtract(255, thinned, out=thinned)
            moved, remains = faded, thinned
        blend(spot, moved, remains, bench)


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
    yuv = to_yuv(picture)
    small = yuv.reshape(height // 2, 2, width // 2, 2, 3).mean((1, 3))
    full = np.ones((height, width), np.float32) if alpha is None else alpha
    return _layer(yuv[..., 0], small[..., 1], small[..., 2], full, x, y)


def _layer(luma: Field, cb: Field, cr: Field, alpha: Field, x: int, y: int) -> Layer:
    height, width = luma.shape
    alpha = np.clip(alpha, 0, 1)
    quarter = alpha.reshape(height // 2, 2, width // 2, 2).mean((1, 3))
    noise = dither_of(height, width)
    half_noise = noise[: height // 2, : width // 2]
    rows = alpha.max(1)
    seen = np.flatnonzero(rows > 0)
    top = int(seen[0]) if len(seen) else height
    unsolid = np.flatnonzero(alpha.min(1) < 1)
    solid = int(unsolid[-1]) + 1 if len(unsolid) else 0
    return Layer(
        cover=Planes(
            (luma * alpha + noise).astype(np.uint8),
            (cb * quarter + half_noise).astype(np.uint8),
            (cr * quarter + half_noise).astype(np.uint8),
        ),
        rest=(np.rint(255 - 255 * alpha).astype(np.uint8), np.rint(255 - 255 * quarter).astype(np.uint8)),
        x=x // 2 * 2,
        y=y // 2 * 2,
        top=top // 2 * 2,
        solid=-(-solid // 2) * 2,
    )
