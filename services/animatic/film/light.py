"""Glows, and the turning beam of a lighthouse."""

import math

import numpy as np

from services.animatic.film.camera import Moment
from services.animatic.film.colour import Rgb, ramp, to_yuv
from services.animatic.film.layer import Layer, from_ramp
from services.animatic.film.planes import Bench, Bytes, Planes, blend, fade, fade_by
from services.animatic.film.stage import Stage, shift

INDEX_STEPS = 4096


def glow(
    x: float, y: float, radius: float, colour: Rgb, core: Rgb, *, power: float = 0.8, flat: float = 1.0
) -> Layer:
    """A soft round light; `flat` below 1 squeezes it downwards."""
    width, height = (max(8, math.ceil(side * 2 / 4) * 4) for side in (radius, radius * flat))
    rows = (np.arange(height, dtype=np.float32)[:, None] - height / 2 + 0.5) / (height / 2)
    columns = (np.arange(width, dtype=np.float32)[None, :] - width / 2 + 0.5) / (width / 2)
    far = np.clip(np.sqrt(rows**2 + columns**2), 0, 1)
    alpha = power * (1 - far) ** 2.6
    return from_ramp(
        1 - far,
        ramp(((0, colour), (0.7, colour), (1, core))),
        np.asarray(alpha, np.float32),
        x=round(x - width / 2),
        y=round(y - height / 2),
    )


class Beam:
    """Two cones, half a turn apart, turning about the upright axis of the lamp at (x, y)."""

    def __init__(
        self, stage: Stage, x: float, y: float, depth: float, *, turn_s: float, start: float
    ) -> None:
        self._stage, self._x, self._y, self._depth = stage, x, y, depth
        self._turn_s, self._start = turn_s, start
        half_h, half_w = stage.height // 2, stage.width // 2
        reach_y = min(half_h, round(stage.unit * 0.34))
        self._top = max(0, round(y / 2) - reach_y)
        self._bottom = min(half_h, round(y / 2) + reach_y)
        rows = (np.arange(self._top, self._bottom, dtype=np.float32)[:, None] + 0.5) * 2 - y
        columns = (np.arange(half_w, dtype=np.float32)[None, :] + 0.5) * 2 - x
        self._side = columns[0] > 0
        slope = rows / np.where(np.abs(columns) < 1, 1, np.abs(columns))
        self._slope = np.clip(
            (np.arctan(slope * 5) / math.pi + 0.5) * (INDEX_STEPS - 1), 0, INDEX_STEPS - 1
        ).astype(np.int64)
        self._far = np.sqrt(columns**2 + rows**2).astype(np.float32) / (stage.unit * 1.25)
        self._slopes = (
            np.tan((np.arange(INDEX_STEPS, dtype=np.float32) / (INDEX_STEPS - 1) - 0.5) * math.pi * 0.998) / 5
        )
        self._fall = np.asarray(255 * (np.exp(-self._far * 1.15) * np.clip(self._far * 16, 0, 1)), np.uint8)
        self._colour = [int(part) for part in to_yuv(np.array(stage.palette.lamp, np.float32) * 0.97 + 0.03)]
        self._flash = glow(x, y, stage.unit * 0.42, stage.palette.lamp, (1, 0.98, 0.9), power=0.85)
        self._halo = glow(x, y, stage.unit * 0.2, stage.palette.lamp, (1, 0.97, 0.86), power=0.75)

    def __call__(self, frame: Planes, moment: Moment) -> None:
        angle = self._start + 2 * math.pi * moment.time_s / self._turn_s
        dx, dy = shift(moment, self._depth)
        for turn in (angle, angle + math.pi):
            self._cone(frame, math.sin(turn), math.cos(turn), dx, dy)
        facing = abs(math.cos(angle)) ** 18
        self._halo.draw(frame, dx, dy, self._stage.bench, 0.75)
        if facing > 0.02:
            self._flash.draw(frame, dx, dy, self._stage.bench, min(0.99, facing))

    def _cone(self, frame: Planes, across: float, towards: float, dx: float, dy: float) -> None:
        """`across` is the beam's way over the picture, -1..1; `towards` its way to the viewer."""
        strength = 0.72 * abs(across) ** 0.7 * (1 + 0.25 * towards)
        if strength < 0.02:
            return
        width = 0.075 / max(0.18, abs(across))
        tilt = -0.05 * towards / max(0.25, abs(across))
        offset = (self._slopes - tilt) / width
        profile = np.exp(-(offset**2) * 1.4) * 0.8 + np.exp(-(offset**2) * 9) * 0.2
        columns = self._columns(across > 0)
        if columns.stop <= columns.start:
            return
        rows = self._band((2.0 * width + abs(tilt)) * (columns.stop - columns.start))
        alpha = np.take((profile * strength * 255).astype(np.uint8), self._slope[rows, columns], mode="clip")
        fade_by(alpha, self._fall[rows, columns], self._stage.bench)
        self._blend(frame, alpha, rows, columns, (round(dx / 2), round(dy / 2)))

    def _band(self, reach: float) -> slice:
        """The rows of the light's field that a cone of this half height can touch."""
        middle, height = round(self._y / 2) - self._top, self._bottom - self._top
        return slice(max(0, middle - round(reach)), min(height, middle + round(reach) + 1))

    def _columns(self, rightward: bool) -> slice:
        split = int(np.count_nonzero(~self._side))
        return slice(split, len(self._side)) if rightward else slice(0, split)

    def _blend(
        self, frame: Planes, alpha: Bytes, rows: slice, columns: slice, moved: tuple[int, int]
    ) -> None:
        dx, dy = moved
        first_row, first_column = rows.start + self._top + dy, columns.start + dx
        left, right = max(0, first_column), min(frame.u.shape[1], first_column + alpha.shape[1])
        top, bottom = max(0, first_row), min(frame.u.shape[0], first_row + alpha.shape[0])
        if right <= left or bottom <= top:
            return
        cut = alpha[top - first_row : bottom - first_row, left - first_column : right - first_column]
        luma, cb, cr = self._colour
        bench = self._stage.bench
        for target, level in ((frame.u, cb), (frame.v, cr)):
            _towards(target[top:bottom, left:right], level, cut, bench)
        full = bench.bytes(2, 2 * cut.shape[0], 2 * cut.shape[1])
        for corner in range(4):
            full[corner // 2 :: 2, corner % 2 :: 2] = cut
        _towards(frame.y[2 * top : 2 * bottom, 2 * left : 2 * right], luma, full, bench)


def _towards(target: Bytes, level: int, alpha: Bytes, bench: Bench) -> None:
    cover, rest = bench.bytes(0, *alpha.shape), bench.bytes(1, *alpha.shape)
    fade(alpha, level, cover, bench)
    np.subtract(255, alpha, out=rest)
    blend(target, cover, rest, bench)
