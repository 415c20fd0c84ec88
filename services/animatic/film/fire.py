"""A campfire: flames that lick, sparks that rise, light that breathes on what is near."""

import math

import numpy as np

from services.animatic.film.camera import Moment
from services.animatic.film.colour import mix, ramp, rgb
from services.animatic.film.layer import Layer, from_ramp
from services.animatic.film.light import glow
from services.animatic.film.noise import sample
from services.animatic.film.planes import Planes
from services.animatic.film.sketch import Sketch
from services.animatic.film.stage import Stage, shift

SPARKS = 22
SPARK_LEVELS = 8
FLAMES = 10
AMBER, GOLD, WHITE = rgb("ff7a1f"), rgb("ffc24d"), rgb("fff3c8")


def fire_light(stage: Stage, x: float, foot: float, size: float, depth: float) -> None:
    """What the fire throws on ground and trees behind it; put before the flames."""
    wide = glow(x, foot - size * 0.4, size * 3.9, rgb("d8601a"), rgb("ff9a3c"), power=0.6, flat=0.75)
    ground = glow(x, foot + size * 0.1, size * 4.2, rgb("e8752a"), rgb("ffb45a"), power=0.8, flat=0.3)

    def part(frame: Planes, moment: Moment) -> None:
        power = _breath(moment.time_s)
        for layer in (wide, ground):
            layer.draw(frame, *shift(moment, depth), stage.bench, power)

    stage.add(part)


def fire(stage: Stage, x: float, foot: float, size: float, depth: float) -> None:
    random = stage.dice("fire")
    flames = [_flame(stage, x, foot, size, number) for number in range(FLAMES)]
    core = glow(x, foot - size * 0.38, size * 1.15, GOLD, WHITE, power=0.6)
    radius = max(3.0, 0.0055 * stage.unit)
    sparks = [
        glow(0, 0, radius, AMBER, WHITE, power=(level + 1) / SPARK_LEVELS) for level in range(SPARK_LEVELS)
    ]
    lives = random.uniform(0, 1, (SPARKS, 4))
    logs = _logs(stage, x, foot, size)

    def part(frame: Planes, moment: Moment) -> None:
        dx, dy = shift(moment, depth)
        bench, time_s = stage.bench, moment.time_s
        core.draw(frame, round(dx), round(dy), bench, _breath(time_s) * 0.8)
        beat = time_s * 9
        share = beat - math.floor(beat)
        flames[int(beat) % FLAMES].draw(
            frame, dx, dy, bench, 0.999 if share < 0.5 else 0.999 - 0.4 * (share - 0.5)
        )
        flames[(int(beat) + 1) % FLAMES].draw(frame, dx, dy, bench, max(0.02, share * 0.85))
        logs.draw(frame, dx, dy, bench)
        for start, way, pace, swing in lives:
            age = (time_s * (0.22 + 0.3 * pace) + start) % 1
            drift = (way - 0.5) * 1.1 * age + 0.14 * math.sin(age * 9 + swing * 6)
            power = (1 - age) ** 1.4 * (0.4 + 0.6 * abs(math.sin(time_s * 7 + swing * 9)))
            level = int(power * SPARK_LEVELS)
            place = round(x + dx + drift * size), round(foot + dy - size * (0.5 + 3.1 * age))
            if level:
                sparks[level].draw(frame, *place, bench)

    stage.add(part)


def _breath(time_s: float) -> float:
    wave = 0.5 * math.sin(time_s * 7.3) + 0.3 * math.sin(time_s * 12.9 + 1) + 0.2 * math.sin(time_s * 3.1 + 2)
    return 0.84 + 0.13 * wave


def _flame(stage: Stage, x: float, foot: float, size: float, number: int) -> Layer:
    """A tongue of heat: a soft body, torn by noise that rises from picture to picture."""
    height, width = stage.even(size * 1.25), stage.even(size * 1.25)
    up = 1 - (np.arange(height, dtype=np.float32)[:, None] + 0.5) / height
    across = (np.arange(width, dtype=np.float32)[None, :] + 0.5) / width * 2 - 1
    px = 60 / max(20.0, size)
    torn = sample(
        stage.dice(f"flame{number}"), height, width, scale_x=1.5 * px, scale_y=0.8 * px, roughness=1.9
    )
    sway = (torn - 0.5) * 0.62 * up + 0.12 * math.sin(number * 2.1) * up**2
    body = 1 - np.abs(across + sway) / np.maximum(
        0.62 * (1 - up) ** 0.62 * (0.4 + np.minimum(1, up * 4) * 0.6), 0.01
    )
    heat = np.clip(body, 0, 1) * np.clip(1.25 - up * (0.85 + 1.5 * (torn - 0.42)), 0, 1)
    alpha = np.clip(heat * 3.4, 0, 1)
    colours = ramp(((0.0, rgb("c8380c")), (0.25, AMBER), (0.55, GOLD), (1.0, WHITE)))
    return from_ramp(
        np.asarray(np.clip(heat * 1.25, 0, 1), np.float32),
        colours,
        np.asarray(alpha, np.float32),
        x=round(x - width / 2),
        y=round(foot - height * 0.98),
    )


def _logs(stage: Stage, x: float, foot: float, size: float) -> Layer:
    sketch = Sketch(size * 1.5, size * 0.42)
    wide, tall = size * 1.5, size * 0.4
    bark, ember = mix(rgb("24130c"), stage.palette.shade, 0.3), rgb("c4541c")
    for start, end in (
        ((0.12, 0.78), (0.74, 0.42)),
        ((0.88, 0.78), (0.26, 0.42)),
        ((0.2, 0.92), (0.82, 0.84)),
    ):
        points = [(start[0] * wide, start[1] * tall), (end[0] * wide, end[1] * tall)]
        sketch.stroke(points, size * 0.1, bark)
        sketch.stroke(
            [(points[0][0], points[0][1] - size * 0.03), (points[1][0], points[1][1] - size * 0.03)],
            size * 0.018,
            ember,
        )
    for place in np.linspace(0.06, 0.94, 8):
        stone = size * 0.06
        row = tall * (0.93 - 0.1 * math.sin(place * math.pi))
        sketch.oval(
            place * wide - stone,
            row - stone * 0.7,
            place * wide + stone,
            row + stone * 0.7,
            mix(rgb("4a3a33"), stage.palette.shade, 0.4),
        )
    return sketch.layer(x - wide / 2, foot - tall * 0.72)
