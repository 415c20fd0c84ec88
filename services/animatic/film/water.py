"""Water: the picture above it mirrored and broken by waves, with its own colour towards the viewer."""

import numpy as np

from services.animatic.film.camera import Moment
from services.animatic.film.colour import Rgb, mix, ramp, to_yuv
from services.animatic.film.noise import TILE, Field, tile
from services.animatic.film.planes import Bytes, Planes
from services.animatic.film.stage import Stage

ATAN_NEAR = 1.0


class Water:
    """From the canvas row `horizon` down to `bottom`. `rough` is 0 for a mirror and 1 for a storm."""

    def __init__(self, stage: Stage, horizon: float, *, rough: float, bottom: int | None = None, depth: float = 0.1,
                 mirror: float = 0.75, colour: Rgb | None = None, foam: float = 0.0) -> None:  # fmt: skip
        self._stage, self._rough, self._depth = stage, rough, depth
        self._horizon = horizon
        self._bottom = stage.height if bottom is None else bottom
        rows = self._bottom - int(horizon) + stage.margin_y
        self._rows = rows
        away = np.arange(rows, dtype=np.float32) + 0.5
        near = away / (0.45 * stage.unit)
        self._body, self._mirror = self._colours(near, mirror, colour)
        random = stage.dice("water")
        self._waves = tuple(_ripples(kind) for kind in (3, 4))
        self._maps = self._perspective(away, random)
        self._speeds = ((9.0 + 30 * rough, 5.0), (-4.0 - 12 * rough, -13.0 - 10 * rough))
        contrast = (14 + 50 * rough) * np.clip(near * 1.6, 0.12, 1) ** 0.8 * (0.35 + 0.65 * stage.palette.brightness)
        self._contrast = np.clip(contrast, 0, 90).astype(np.uint16)[:, None]
        self._reach = 0.10 + 0.5 * rough
        self._swing = away
        self._foam = foam

    def __call__(self, frame: Planes, moment: Moment) -> None:
        dy = (moment.travel_y + moment.loom) * self._depth
        start = round((self._horizon + dy) / 2) * 2
        end = min(self._bottom, frame.height)
        count = min(end - start, self._rows) // 2 * 2
        if count <= 2:
            return
        waves = self._shape(moment, count)
        self._lay(frame.y, 0, start, count, waves, moment)
        small = waves[::2, ::2]
        self._lay(frame.u, 1, start // 2, count // 2, small, moment)
        self._lay(frame.v, 2, start // 2, count // 2, small, moment)

    def _shape(self, moment: Moment, count: int) -> Bytes:
        """Two wave fields over each other, 0..255 around 128."""
        pieces = []
        bench = self._stage.bench
        for number, (field, place, speed) in enumerate(zip(self._waves, self._maps, self._speeds, strict=True)):
            down = int(speed[0] * moment.time_s * 2.2) % TILE
            across = int(speed[1] * moment.time_s + moment.travel_x * -0.5) % TILE
            offset = (down * TILE + across) % (TILE * TILE)
            out = bench.bytes(number, count, self._stage.width)
            np.take(field[offset : offset + TILE * TILE], place[:count], out=out, mode="clip")
            pieces.append(out)
        words = bench.words(0, *pieces[0].shape)
        np.add(pieces[0], pieces[1], out=words, dtype=np.uint16)
        np.right_shift(words, 1, out=pieces[0], casting="unsafe")
        return pieces[0]

    def _lay(self, target: Bytes, channel: int, start: int, count: int, waves: Bytes, moment: Moment) -> None:
        step = 1 if channel == 0 else 2
        high, low = self._mirrored(start, count, step, moment)
        bench = self._stage.bench
        one, other = bench.bytes(2, count, target.shape[1]), bench.bytes(3, count, target.shape[1])
        np.take(target, high, 0, out=one, mode="clip")
        np.take(target, low, 0, out=other, mode="clip")
        words, more = bench.words(0, *one.shape), bench.words(1, *one.shape)
        np.multiply(one, waves, out=words, dtype=np.uint16)
        np.multiply(other, 255 - waves, out=more, dtype=np.uint16)
        np.add(words, more, out=words)
        np.right_shift(words, 8, out=words)
        rows = slice(0, count * step, step)
        np.multiply(words, self._mirror[rows, None], out=words)
        np.add(words, self._body[channel][rows, None], out=words)
        np.right_shift(words, 8, out=words)
        if channel == 0:
            self._shade(words, more, waves)
        np.copyto(target[start : start + count], words, casting="unsafe")

    def _shade(self, luma: Bytes, more: Bytes, waves: Bytes) -> None:
        contrast = self._contrast[: luma.shape[0]]
        np.multiply(waves, contrast, out=more, dtype=np.uint16)
        np.right_shift(more, 8, out=more)
        np.add(luma, more, out=luma)
        if self._foam:
            crest = np.subtract(waves, np.minimum(waves, np.uint8(255 - 80 * self._foam)))
            np.multiply(crest, contrast, out=more, dtype=np.uint16)
            np.right_shift(more, 5, out=more)
            np.add(luma, more, out=luma)
        bias = contrast >> 1
        np.maximum(luma, bias + 16, out=luma)
        np.subtract(luma, bias, out=luma)
        np.minimum(luma, 235, out=luma)

    def _mirrored(self, start: int, count: int, step: int, moment: Moment) -> tuple[Field, Field]:
        """Two rows above the waterline for each row of water: the waves choose between them."""
        away = self._swing[: count * step : step]
        sway = np.sin(away * 0.9 / (1 + away * 0.02) - moment.time_s * 3.1) * (0.6 + away * 0.035) * (0.5 + self._rough)
        nearer = away * (1 - self._reach * 0.7) + sway
        further = away * (1 + self._reach * 1.6) + sway + 3 * self._rough
        limit = start * step - 2
        high = start - 1 - (np.clip(further, 0, limit) / step)
        low = start - 1 - (np.clip(nearer, 0, limit) / step)
        return np.maximum(high, 0).astype(np.int64), np.maximum(low, 0).astype(np.int64)

    def _perspective(self, away: Field, random: np.random.Generator) -> list[Field]:
        """For each pixel the flat index into a wave field; far rows see more of it."""
        unit, width = self._stage.unit, self._stage.width
        maps = []
        for stretch in (1.0, 1.7):
            distance = 0.16 * unit / (away + 0.035 * unit)
            down = (distance * 330 * stretch).astype(np.int64)[:, None]
            across = ((np.arange(width) - width / 2)[None, :] * (distance[:, None] * 0.62 + 0.1) * stretch * 500 / unit)
            shifted = across.astype(np.int64) + int(random.integers(TILE))
            maps.append(((-down) % TILE) * TILE + shifted % TILE)
        return maps

    def _colours(self, near: Field, mirror: float, colour: Rgb | None) -> tuple[list[Field], Field]:
        palette = self._stage.palette
        deep = colour or mix(palette.water, palette.shade, 0.35)
        colours = to_yuv(ramp(((0, mix(palette.haze, palette.water, 0.5)), (0.35, mix(palette.water, deep, 0.4)), (1, deep))))
        index = (np.clip(near, 0, 1) * (len(colours) - 1)).astype(int)
        share = np.clip(mirror * (1 - 0.55 * np.clip(near, 0, 1) ** 0.7), 0, 1)
        body = [np.asarray(colours[index, channel] * (1 - share) * 256, np.float32).astype(np.uint16) for channel in range(3)]
        return body, np.rint(share * 255).astype(np.uint16)


def _ripples(kind: int) -> Bytes:
    """A field of wave crests, twice in a row, so that any offset can be cut out of it."""
    waves = tile(kind, 1.55)
    crests = 1 - np.abs(2 * waves - 1)
    crests = 0.5 * waves + 0.5 * crests**1.4
    crests -= crests.min()
    flat = (crests / crests.max() * 255).astype(np.uint8).ravel()
    return np.concatenate([flat, flat])
