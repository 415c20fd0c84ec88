"""A city behind a wet street: three rows of towers, two near corners with signs, cars passing."""

import numpy as np

from services.animatic.film.buildings import NEON, Block, block, sign
from services.animatic.film.camera import Moment
from services.animatic.film.colour import Rgb, mix, rgb
from services.animatic.film.composition import light_place
from services.animatic.film.light import glow
from services.animatic.film.planes import Planes
from services.animatic.film.sky import clouds, sky
from services.animatic.film.stage import Stage, shift
from services.animatic.film.water import Water
from services.animatic.film.weather import fog_bank

LIT = {"night": 0.42, "dusk": 0.34, "dawn": 0.2, "day": 0.05}


def city(stage: Stage) -> None:
    reading, unit = stage.reading, stage.unit
    street = round(stage.height * 0.8 / 2) * 2
    light = light_place(stage, street * 0.8)
    sky(stage, street, light, unit * 0.045)
    clouds(stage, street * 0.8, cover=0.66, light=light, dark=reading.weather in ("rain", "storm"))
    lit = LIT[reading.time]
    stage.focus = (0.5, 0.72)
    random = stage.dice("city")
    peak = float(random.uniform(0.36, 0.64))
    tall = 1.0 if stage.width > stage.height else 1.35
    rows = (
        Block(
            base=street,
            low=0.2,
            high=0.52 * tall,
            wide=0.06,
            near=0.16,
            window=0.011,
            lit=lit * 0.8,
            peak=peak,
        ),
        Block(
            base=street,
            low=0.13,
            high=0.44 * tall,
            wide=0.085,
            near=0.52,
            window=0.015,
            lit=lit,
            peak=1 - peak,
        ),
        Block(
            base=street, low=0.06, high=0.27 * tall, wide=0.12, near=0.84, window=0.019, lit=lit, peak=peak
        ),
    )
    for number, plan in enumerate(rows):
        stage.put(block(stage, f"row{number}", plan), 0.12 + 0.16 * number)
        if number < 2:
            fog_bank(
                stage,
                f"smog{number}",
                street - 0.02 * unit,
                0.16,
                strength=0.5,
                depth=0.15 + 0.15 * number,
                speed=4.0,
                colour=mix(stage.palette.haze, stage.palette.lamp, 0.12),
            )
    if reading.has("neon") or reading.style == "neon" or reading.time == "night":
        _signs(stage, street, 0.5, bright=reading.has("neon") or reading.style == "neon")
    _cars(stage, street)
    wet = reading.weather in ("rain", "storm") or reading.has("neon")
    stage.add(
        Water(
            stage,
            street,
            rough=0.16 if wet else 0.1,
            mirror=0.82 if wet else 0.5,
            depth=0.3,
            colour=mix(stage.palette.shade, stage.palette.ground, 0.3),
        )
    )
    for side, span in ((-1.0, (-0.25, 0.13)), (1.0, (0.87, 1.25))):
        near = Block(
            base=stage.height * 1.2,
            low=1.2 * tall,
            high=1.4 * tall,
            wide=0.5,
            near=0.93,
            window=0.03,
            lit=lit * 0.8,
            span=span,
            peak=0.5,
        )
        stage.put(block(stage, f"corner{side}", near), 0.8, side=side)
    if reading.has("neon") or reading.time == "night":
        _corner_signs(stage, bright=reading.has("neon") or reading.style == "neon")


def _signs(stage: Stage, street: float, depth: float, *, bright: bool) -> None:
    random = stage.dice("signs")
    for number in range(7 if bright else 3):
        share = random.uniform(0.17, 0.83)
        tall = stage.unit * random.uniform(0.06, 0.11)
        sign(
            stage,
            share * stage.width,
            street - stage.unit * random.uniform(0.1, 0.24),
            tall * 0.3,
            tall,
            _neon(stage, number),
            0.44,
            0.0,
            f"sign{number}",
        )


def _corner_signs(stage: Stage, *, bright: bool) -> None:
    random = stage.dice("corner signs")
    for number, (share, side) in enumerate(((0.095, -1.0), (0.885, 1.0))[: 2 if bright else 1]):
        tall = stage.unit * random.uniform(0.24, 0.32)
        sign(
            stage,
            share * stage.width - 0.03 * stage.unit,
            stage.height * random.uniform(0.28, 0.42),
            tall * 0.26,
            tall,
            _neon(stage, number + 2),
            0.8,
            side,
            f"corner sign{number}",
        )


def _neon(stage: Stage, number: int) -> Rgb:
    offset = int(stage.dice("neon").integers(len(NEON)))
    return mix(NEON[(number + offset) % len(NEON)], stage.palette.lamp, 0.08)


def _cars(stage: Stage, street: float) -> None:
    """Pairs of lights along the street's far edge, white one way and red the other."""
    random = stage.dice("cars")
    unit = stage.unit
    white = glow(0, 0, unit * 0.03, rgb("ffe9c0"), (1, 1, 0.95), power=0.95, flat=0.6)
    red = glow(0, 0, unit * 0.024, rgb("ff3b2a"), rgb("ff9a80"), power=0.95, flat=0.6)
    cars = [
        (
            red if number % 2 else white,
            random.uniform(0, 1.4),
            random.uniform(0.05, 0.09) * (1 if number % 2 else -1),
        )
        for number in range(9)
    ]

    def part(frame: Planes, moment: Moment) -> None:
        dx, dy = shift(moment, 0.46)
        for lamp, start, speed in cars:
            x = ((start + speed * moment.time_s * unit / stage.width * 1.2) % 1.4 - 0.2) * stage.width
            row = street - (0.012 if speed > 0 else 0.02) * unit
            for apart in (0.0, 0.03 * unit):
                lamp.draw(frame, float(np.round(x + apart + dx)), float(np.round(row + dy)), stage.bench)

    stage.add(part)
