"""Water: the picture above it mirrored and broken by waves, with its own colour towards the viewer."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from services.animatic.film.camera import Moment
from services.animatic.film.colour import Rgb, mix, ramp, to_yuv
from services.animatic.film.noise import TILE, Field
from services.animatic.film.planes import Bytes, Planes, Words
from services.animatic.film.stage import Stage

WAVE_LENGTHS = (26.0, 44.0)
LONG_CRESTS = 2.4

Places = NDArray[np.int64]


class Water:
    """From the canvas row `horizon` down to `bottom`. `rough` is 0 for a mirror and 1 for a storm."""

    def __init__(
        self,
        stage: Stage,
        horizon: float,
        *,
        rough: float,
        bottom: int | None = None,
        depth: float = 0.1,
        mirror: float = 0.75,
        colour: Rgb | None = None,
        foam: float = 0.0,
        light_x: float | None = None,
    ) -> None:
        self._stage, self._rough, self._depth = stage, rough, depth
        self._horizon = horizon
        self._bottom = stage.height if bottom is None else bottom
        rows = self._bottom - int(horizon) + stage.margin_y
        self._rows = rows
        away = np.arange(rows, dtype=np.float32) + 0.5
        near = away / (0.45 * stage.unit)
        self._body, self._mirror = self._colours(near, mirror, colour)
        random = stage.dice("water")
        self._waves = tuple(_ripples(kind) for kind in (0, 1))
        self._maps = self._perspective(away, random)
        self._speeds = ((9.0 + 30 * rough, 5.0), (-4.0 - 12 * rough, -13.0 - 10 * rough))
        contrast = (
            (22 + 62 * rough) * np.clip(near * 1.6, 0.12, 1) ** 0.8 * (0.5 + 0.5 * stage.palette.brightness)
        )
        self._contrast = np.clip(contrast, 0, 90).astype(np.uint16)[:, None]
        self._reach = 0.10 + 0.5 * rough
        self._swing = away
        self._foam = foam
        self._curve = _curve(*self._waves)
        self._path = None if light_x is None else self._glitter(near, light_x)

    def __call__(self, frame: Planes, moment: Moment) -> None:
        line = self._horizon + (moment.travel_y + moment.loom) * self._depth
        count = min(min(self._bottom, frame.height) - int(line), self._rows) // 2 * 2
        if count <= 4:
            return
        waves = self._shape(moment, count)
        wide = self._stage.bench.bytes(0, count, self._stage.width)
        wide[:, ::2] = waves
        wide[:, 1::2] = waves
        for channel, (plane, step) in enumerate(zip(frame.all(), (1, 2, 2), strict=True)):
            field = wide if channel == 0 else waves[::2]
            self._lay(plane, channel, line / step, field, moment)

    def _shape(self, moment: Moment, count: int) -> Bytes:
        """Two wave fields over each other, 0..255 around 128; half as many columns as the picture has."""
        pieces = []
        bench, width = self._stage.bench, self._stage.width // 2
        for number, (field, place, speed) in enumerate(
            zip(self._waves, self._maps, self._speeds, strict=True), start=1
        ):
            down = int(speed[0] * moment.time_s * 2.2) % TILE
            across = int(speed[1] * moment.time_s + moment.travel_x * -0.5) % TILE
            offset = (down * TILE + across) % (TILE * TILE)
            out = bench.bytes(number, count, width)
            np.take(field[offset : offset + TILE * TILE], place[:count], out=out, mode="clip")
            pieces.append(out)
        words = bench.words(0, count, width)
        np.add(pieces[0], pieces[1], out=words, dtype=np.uint16)
        return np.take(self._curve, words, out=pieces[0], mode="clip")

    def _lay(self, target: Bytes, channel: int, line: float, waves: Bytes, moment: Moment) -> None:
        start, step = int(line), 1 if channel == 0 else 2
        waves = waves[: target.shape[0] - start]
        count, width = waves.shape
        high, low = self._mirrored(start, count, step, moment)
        bench = self._stage.bench
        one, other = bench.bytes(2, count, width), bench.bytes(3, count, width)
        shore = target[start].astype(np.uint16)
        np.take(target, high, 0, out=one, mode="clip")
        np.take(target, low, 0, out=other, mode="clip")
        words, more = bench.words(0, count, width), bench.words(1, count, width)
        np.multiply(one, waves, out=words, dtype=np.uint16)
        np.multiply(other, 255 - waves, out=more, dtype=np.uint16)
        np.add(words, more, out=words)
        np.right_shift(words, 8, out=words)
        rows = slice(0, count * step, step)
        np.multiply(words, self._mirror[rows, None], out=words)
        np.add(words, self._body[channel][rows, None], out=words)
        np.right_shift(words, 8, out=words)
        if channel == 0:
            self._shade(words, more, waves, moment)
        # The waterline creeps by parts of a pixel: its first row is part shore.
        dry = int((line - start) * 256)
        words[0] = (words[0] * (256 - dry) + shore * dry) >> 8
        np.copyto(target[start : start + count], words, casting="unsafe")

    def _shade(self, luma: Words, more: Words, waves: Bytes, moment: Moment) -> None:
        contrast = self._contrast[: luma.shape[0]]
        np.multiply(waves, contrast, out=more, dtype=np.uint16)
        np.right_shift(more, 8, out=more)
        np.add(luma, more, out=luma)
        if self._foam:
            self._crest(luma, more, waves, 255 - round(75 * self._foam), contrast)
        if self._path is not None:
            shift_x = round(moment.travel_x * 0.08)
            left = self._stage.margin_x - shift_x
            path = self._path[: luma.shape[0], left : left + luma.shape[1]]
            self._crest(luma, more, waves, 150, path)
        bias = contrast >> 1
        np.maximum(luma, bias + 16, out=luma)
        np.subtract(luma, bias, out=luma)
        np.minimum(luma, 235, out=luma)

    def _crest(self, luma: Words, more: Words, waves: Bytes, above: int, strength: Words | Bytes) -> None:
        """Adds what of the waves stands out above a level."""
        crest = self._stage.bench.bytes(2, *waves.shape)
        np.maximum(waves, above, out=crest)
        np.subtract(crest, above, out=crest)
        np.multiply(crest, strength, out=more, dtype=np.uint16)
        np.right_shift(more, 6, out=more)
        np.add(luma, more, out=luma)

    def _glitter(self, near: Field, light_x: float) -> Bytes:
        """Where the waves catch the light: a path below it, widening towards the viewer."""
        columns = np.arange(self._stage.wide, dtype=np.float32)[None, :] - self._stage.margin_x - light_x
        width = (0.035 + 0.16 * np.clip(near, 0, 1.4)[:, None]) * self._stage.unit
        glow = np.exp(-((columns / width) ** 2)) * (1 - 0.45 * np.clip(near, 0, 1)[:, None])
        power = {"night": 75, "day": 60}.get(self._stage.reading.time, 110)
        return np.asarray(glow * power, np.uint8)

    def _mirrored(self, start: int, count: int, step: int, moment: Moment) -> tuple[Places, Places]:
        """Two rows above the waterline for each row of water: the waves choose between them."""
        away = self._swing[: count * step : step]
        sway = (
            np.sin(away * 0.9 / (1 + away * 0.02) - moment.time_s * 3.1)
            * (0.6 + away * 0.035)
            * (0.5 + self._rough)
        )
        nearer = away * (1 - self._reach * 0.7) + sway
        further = away * (1 + self._reach * 1.6) + sway + 3 * self._rough
        limit = start * step - 2
        high = start - 1 - (np.clip(further, 0, limit) / step)
        low = start - 1 - (np.clip(nearer, 0, limit) / step)
        return np.maximum(high, 0).astype(np.int64), np.maximum(low, 0).astype(np.int64)

    def _perspective(self, away: Field, random: np.random.Generator) -> list[Places]:
        """For each pixel the flat index into a wave field; far rows see more of it."""
        unit, width = self._stage.unit, self._stage.width
        maps = []
        for stretch in (1.0, 1.7):
            distance = 0.16 * unit / (away + 0.035 * unit)
            down = (distance * 330 * stretch).astype(np.int64)[:, None]
            across = (
                (np.arange(0, width, 2) - width / 2)[None, :]
                * (distance[:, None] * 0.62 + 0.1)
                * stretch
                * 500
                / unit
            )
            shifted = across.astype(np.int64) + int(random.integers(TILE))
            maps.append(((-down) % TILE) * TILE + shifted % TILE)
        return maps

    def _colours(self, near: Field, mirror: float, colour: Rgb | None) -> tuple[list[Words], Words]:
        palette = self._stage.palette
        deep = colour or mix(palette.water, palette.shade, 0.35)
        colours = to_yuv(
            ramp(
                ((0, mix(palette.haze, palette.water, 0.5)), (0.35, mix(palette.water, deep, 0.4)), (1, deep))
            )
        )
        index = (np.clip(near, 0, 1) * (len(colours) - 1)).astype(int)
        share = np.clip(mirror * (1 - 0.55 * np.clip(near, 0, 1) ** 0.7), 0, 1)
        body = [
            np.asarray(colours[index, channel] * (1 - share) * 256, np.float32).astype(np.uint16)
            for channel in range(3)
        ]
        return body, np.asarray(np.rint(share * 255), np.uint16)


@lru_cache(maxsize=4)
def _ripples(kind: int) -> Bytes:
    """Wave crests of about one length, wider than deep; twice in a row, so that any offset can be cut out."""
    random = np.random.default_rng(31 + kind)
    across = np.abs(np.fft.rfftfreq(TILE)[None, :]) * LONG_CRESTS
    down = np.abs(np.fft.fftfreq(TILE)[:, None])
    frequency = np.hypot(across, down) + 1e-6
    band = np.exp(-((np.log(frequency * WAVE_LENGTHS[kind]) / 0.62) ** 2)) / frequency**0.7
    waves = np.fft.irfft2(band * np.exp(1j * random.uniform(0, 2 * np.pi, frequency.shape)), (TILE, TILE))
    waves /= waves.std()
    flat = np.clip(127.5 + 42 * (waves + 0.25 * (waves**2 - 1)), 0, 255).astype(np.uint8).ravel()
    return np.concatenate([flat, flat])


def _curve(one: Bytes, other: Bytes) -> Bytes:
    """From the sum of two wave fields (0..510) to 0..255, steep around the middle."""
    sums = one[: TILE * TILE : 7].astype(np.float32) + other[5 : TILE * TILE + 5 : 7]
    middle, spread = float(sums.mean()), float(sums.std())
    return np.asarray(255 / (1 + np.exp(-1.7 * (np.arange(511) - middle) / spread)), np.uint8)
