"""Rain, snow, fog banks and lightning."""

import math

import numpy as np
from PIL import Image

from services.animatic.film.camera import Moment
from services.animatic.film.colour import Rgb, mix, ramp, to_yuv
from services.animatic.film.layer import Layer, from_ramp
from services.animatic.film.light import glow
from services.animatic.film.noise import Field, sample
from services.animatic.film.planes import Planes, slid
from services.animatic.film.sketch import Sketch
from services.animatic.film.stage import Stage

PHASES = 4
WHITEST = 240
"""A little above video's white; the lens still adds its grain."""


class Fall:
    """A tile of drops or flakes that falls for ever; only luma is touched, which is enough at their size."""

    def __init__(
        self,
        stage: Stage,
        light: Field,
        luma: int,
        *,
        speed: tuple[float, float],
        sway: float = 0.0,
        phases: int = 1,
        depth: float = 0.8,
    ) -> None:
        """`light` is one tile, 0..1, of what is added; `speed` in pixels a second, right and down."""
        self._stage, self._speed, self._sway, self._depth = stage, speed, sway, depth
        self._height, self._width = light.shape
        drops = (np.clip(light, 0, 1) * luma).astype(np.uint8)
        self._phases = [
            np.tile(slid(drops, 0, number / phases, stage.bench), (2, 2)) for number in range(phases)
        ]

    def __call__(self, frame: Planes, moment: Moment) -> None:
        time_s = moment.time_s
        across = self._speed[0] * time_s + self._sway * math.sin(time_s * 1.1) + moment.travel_x * self._depth
        down = (self._speed[1] * time_s + (moment.travel_y + moment.loom) * self._depth) % self._height
        count = len(self._phases)
        step = math.floor(down * count)
        drops = self._phases[step % count]
        row = -(step // count) % self._height
        column = -round(across) % self._width
        for left in range(0, frame.width, self._width):
            width = min(self._width, frame.width - left)
            for top in range(0, frame.height, self._height):
                height = min(self._height, frame.height - top)
                spot = frame.y[top : top + height, left : left + width]
                room = self._stage.bench.bytes(0, height, width)
                np.subtract(WHITEST, spot, out=room)
                np.minimum(room, drops[row : row + height, column : column + width], out=room)
                np.add(spot, room, out=spot)


def rain(stage: Stage, *, wind: float = 0.12) -> None:
    random = stage.dice("rain")
    unit = stage.unit
    luma = round(float(to_yuv(np.array(mix(stage.palette.haze, (1, 1, 1), 0.45), np.float32))[0]))
    for count, length, thick, strength, speed in (
        (300, 0.032, 0.7, 0.2, 1.15),
        (200, 0.06, 1.0, 0.22, 1.7),
        (50, 0.12, 1.5, 0.2, 2.5),
    ):
        light = _streaks(stage, random, count, length * unit, thick * unit / 720, wind) * strength
        stage.add(Fall(stage, light, luma, speed=(wind * speed * unit, speed * unit)))


def _streaks(
    stage: Stage, random: np.random.Generator, count: int, length: float, thick: float, wind: float
) -> Field:
    height, width = stage.even(stage.unit * 0.9), stage.even(stage.unit * 0.9)
    steps = max(4, int(length))
    place = np.arange(steps)
    x, y, power = (each[:, None] for each in random.uniform((0, 0, 0.4), (width, height, 1), (count, 3)).T)
    column, row = x + wind * place, (y + place).astype(np.int64) % height
    left = column.astype(np.int64)
    share = column - left
    light = power * np.sin(np.linspace(0, np.pi, steps)) * thick
    field = np.zeros((height, width), np.float32)
    np.add.at(field, (row, left % width), light * (1 - share))
    np.add.at(field, (row, (left + 1) % width), light * share)
    return np.clip(field, 0, 1.4)


def snowfall(stage: Stage) -> None:
    random = stage.dice("snow")
    unit = stage.unit
    night = stage.reading.time == "night"
    luma = round(
        float(to_yuv(np.array(mix(stage.palette.haze, (1, 1, 1), 0.55 if night else 0.9), np.float32))[0])
    )
    for count, radius, strength, speed, soft in (
        (280, 0.0012, 0.5, 0.05, 0.7),
        (170, 0.0022, 0.7, 0.085, 0.9),
        (48, 0.0042, 0.7, 0.14, 1.3),
        (9, 0.011, 0.32, 0.24, 3.0),
    ):
        light = _flakes(stage, random, count, radius * unit, soft * unit / 720) * strength
        stage.add(
            Fall(
                stage,
                light,
                luma,
                speed=(speed * unit * random.uniform(-0.35, 0.35), speed * unit),
                sway=0.012 * unit * speed / 0.1,
                phases=PHASES,
            )
        )


def _flakes(stage: Stage, random: np.random.Generator, count: int, radius: float, soft: float) -> Field:
    height, width = stage.even(stage.unit * 0.8), stage.even(stage.unit * 0.8)
    field = np.zeros((height, width), np.float32)
    for _ in range(count):
        size = radius * random.uniform(0.6, 1.3)
        reach = int(size + 3 * soft) + 2
        x, y = random.uniform(0, width), random.uniform(0, height)
        rows, columns = (np.arange(int(place) - reach, int(place) + reach + 1) for place in (y, x))
        far = np.sqrt((rows[:, None] - y) ** 2 + (columns[None, :] - x) ** 2)
        flake = np.clip((size - far) / soft + 0.5, 0, 1) * random.uniform(0.55, 1)
        window = np.ix_(rows % height, columns % width)
        field[window] = np.maximum(field[window], flake)
    return field


def fog_bank(
    stage: Stage,
    name: str,
    row: float,
    reach: float,
    *,
    strength: float,
    depth: float,
    speed: float,
    colour: Rgb | None = None,
) -> None:
    """A drifting belt of haze around the canvas row; `reach` in units."""
    random = stage.dice(name)
    extra = stage.even(stage.unit * 0.5)
    width, height = stage.even(stage.wide + extra), stage.even(reach * 2 * stage.unit)
    px = 4 * 720 / stage.unit
    body = sample(random, height // 4 + 1, width // 4 + 1, scale_x=0.22 * px, scale_y=0.6 * px, roughness=2.0)
    belt = np.sin(np.linspace(0, np.pi, height // 4 + 1)) ** 1.5
    alpha = np.clip(body * 1.25 - 0.1, 0, 1) * belt[:, None].astype(np.float32) * strength
    grown = _grow(alpha, height, width)
    haze = colour or mix(stage.palette.haze, stage.palette.sky[-1][1], 0.3)
    layer = from_ramp(
        np.zeros_like(grown),
        ramp(((0, haze), (1, haze))),
        grown,
        x=-stage.margin_x - extra // 2,
        y=round(row - height / 2),
    )
    stage.put(layer, depth, drift_x=speed * stage.unit / 720)


def lightning(stage: Stage, horizon: float) -> None:
    """A bolt every few seconds: a flicker of two strokes, lighting the clouds around it."""
    random = stage.dice("lightning")
    x = stage.width * random.uniform(0.12, 0.45)
    sky = glow(
        x,
        horizon * 0.35,
        stage.unit * 0.75,
        mix(stage.palette.haze, (0.8, 0.85, 1), 0.6),
        (0.95, 0.96, 1),
        power=0.55,
        flat=0.6,
    )
    bolt = _bolt(stage, x, horizon, random)
    first_s, every_s = random.uniform(0.9, 1.8), random.uniform(3.4, 4.6)

    def part(frame: Planes, moment: Moment) -> None:
        since = (moment.time_s - first_s) % every_s
        if moment.time_s < first_s or since > 0.5:
            return
        power = math.exp(-since * 9) + (0.8 * math.exp(-(since - 0.17) * 12) if since > 0.17 else 0)
        power = min(0.99, power)
        sky.draw(frame, moment.travel_x * 0.08, 0.0, stage.bench, power)
        bolt.draw(frame, moment.travel_x * 0.08, 0.0, stage.bench, power)

    stage.add(part)


def _bolt(stage: Stage, x: float, horizon: float, random: np.random.Generator) -> Layer:
    sketch = Sketch(stage.unit * 0.5, horizon)
    points = [(sketch.width / 2, horizon * 0.05)]
    while points[-1][1] < horizon * 0.97:
        last = points[-1]
        points.append(
            (last[0] + random.normal(0, 0.02) * stage.unit, last[1] + random.uniform(0.02, 0.06) * stage.unit)
        )
        if random.random() < 0.22:
            fork = [points[-1]]
            lean = random.choice((-1, 1))
            for _ in range(int(random.integers(2, 5))):
                fork.append(
                    (
                        fork[-1][0] + lean * random.uniform(0.01, 0.04) * stage.unit,
                        fork[-1][1] + random.uniform(0.01, 0.04) * stage.unit,
                    )
                )
            sketch.stroke(fork, stage.unit / 720, (0.8, 0.85, 1))
    sketch.stroke(points, 2.0 * stage.unit / 720, (0.97, 0.98, 1))
    return sketch.layer(x - sketch.width / 2, 0)


def _grow(field: Field, height: int, width: int) -> Field:
    return np.asarray(Image.fromarray(field).resize((width, height), Image.Resampling.BICUBIC), np.float32)
