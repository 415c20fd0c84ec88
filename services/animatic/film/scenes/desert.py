"""Dunes: smooth crests, one side lit and the other in shade, wind-blown sand over them."""

import numpy as np

from services.animatic.film.colour import adjust, mix, ramp, rgb
from services.animatic.film.composition import light_place
from services.animatic.film.layer import Layer, from_ramp
from services.animatic.film.noise import Field, line, sample
from services.animatic.film.sketch import Sketch
from services.animatic.film.sky import clouds, sky
from services.animatic.film.stage import Stage
from services.animatic.film.weather import fog_bank

DUNES = 5


def desert(stage: Stage) -> None:
    horizon = stage.height * 0.6
    light = light_place(stage, horizon)
    sky(stage, horizon, light, stage.unit * 0.07)
    clouds(stage, horizon * 0.9, cover=0.5, light=light)
    stage.focus = (0.5, 0.62)
    left = light is not None and light[0] < stage.width / 2
    crests = [_crest(stage, number / (DUNES - 1), f"dune{number}") for number in range(DUNES)]
    for number, crest in enumerate(crests):
        share = number / (DUNES - 1)
        depth = 0.1 + 0.75 * share**1.3
        stage.put(_dune(stage, f"dune{number}", crest, 0.3 + 0.7 * share, left), depth)
        if number == 2 and (stage.reading.has("caravan") or stage.dice("caravan?").random() < 0.6):
            _caravan(stage, crest, crests[3], depth)
        if number < 3:
            fog_bank(
                stage,
                f"dust{number}",
                float(crest.mean()) + 0.02 * stage.unit,
                0.08,
                strength=0.35,
                depth=depth,
                speed=14.0,
            )


def _crest(stage: Stage, share: float, name: str) -> Field:
    """Sharp tops and long hollows: the way wind piles sand."""
    row = stage.height * (0.58 + 0.3 * share**1.25)
    swing, waves = 0.05 + 0.1 * share, 1.3 - 0.6 * share
    curve = line(
        stage.dice(name), stage.wide, waves=waves * stage.wide / stage.unit, roughness=1.9, octaves=4
    )
    sharp = 1 - 2 * np.abs(curve) ** 0.85
    return np.asarray(row - (0.6 * sharp + 0.4 * curve) * swing * stage.unit, np.float32)


def _dune(stage: Stage, name: str, crest: Field, near: float, light_left: bool) -> Layer:
    top = max(-stage.margin_y, int(crest.min()) - 4) // 2 * 2
    height = stage.even(stage.height + stage.margin_y - top)
    below = np.arange(height, dtype=np.float32)[:, None] + top - crest[None, :]
    slope = np.gradient(crest)
    slope = np.convolve(np.pad(slope, 12, mode="edge"), np.ones(25) / 25, mode="valid")
    facing = np.clip(slope * (2.6 if light_left else -2.6), -1, 1).astype(np.float32)
    # The edge between light and shade runs down a dune aslant, never straight below the crest.
    aslant = np.arange(stage.wide)[None, :] + np.maximum(below, 0) * (1.15 if light_left else -1.15)
    turned = np.take(facing, np.clip(aslant, 0, stage.wide - 1).astype(np.int64))
    px = 720 / stage.unit
    random = stage.dice(name + "s")
    bend = sample(random, height // 2, stage.wide // 2, scale_x=0.18 * px, scale_y=0.18 * px, roughness=2.2)
    bend = np.repeat(np.repeat(bend, 2, 0), 2, 1)
    fall = np.clip(below / (0.3 * stage.unit), 0, 1)
    ripple = np.sin(below * (0.32 * px / (0.6 + near)) + bend * 26) * 0.022 * near * np.clip(fall * 3, 0, 1)
    grain = (
        (sample(random, height, stage.wide, scale_x=2.2 * px, scale_y=2.2 * px, roughness=0.8) - 0.5)
        * 0.05
        * near
    )
    tone = 0.4 + 0.3 * turned * (1 - 0.55 * fall) + 0.22 * (bend - 0.5) + ripple + grain
    rim = np.exp(-((below / (2.2 + 2 * near)) ** 2)) * 0.12 * (facing[None, :] > -0.2)
    alpha = np.clip(below + 0.5, 0, 1)
    return from_ramp(
        np.asarray(np.clip(tone + rim, 0.02, 1), np.float32),
        _colours(stage, near),
        alpha.astype(np.float32),
        x=-stage.margin_x,
        y=top,
    )


def _colours(stage: Stage, near: float) -> Field:
    palette = stage.palette
    sand = mix(rgb("d98a4a"), palette.sky[3][1], 0.25)
    light = 0.35 + 0.65 * palette.brightness
    dark = mix(adjust(mix(sand, palette.shade, 0.72), value=0.5 + 0.5 * light), palette.shade, 0.3)
    plain = adjust(mix(sand, palette.sky[2][1], 0.22), value=0.55 + 0.4 * light)
    bright = mix(adjust(sand, saturation=0.8, value=1.15), palette.sun, 0.3)
    if stage.reading.time == "night":
        dark, plain, bright = (
            mix(palette.shade, mix(palette.ground, palette.haze, share), 0.9) for share in (0.05, 0.45, 0.85)
        )
    haze = mix(palette.haze, palette.sky[3][1], 0.5)
    return ramp(
        tuple(
            (place, mix(haze, colour, 0.25 + 0.75 * near))
            for place, colour in ((0.0, dark), (0.42, plain), (0.75, bright), (1.0, bright))
        )
    )


def _caravan(stage: Stage, crest: Field, nearer: Field, depth: float) -> None:
    """Five camels on a crest, small against the sand, where the nearer dune hides it least."""
    unit = stage.unit
    size = 0.042 * unit
    ink = mix(stage.palette.shade, stage.palette.haze, 0.18)
    length = round(5 * 1.5 * size)
    starts = np.linspace(0.12, 0.62, 11) * stage.width
    places = [round(start) + stage.margin_x for start in starts]
    free = [float((nearer - crest)[place : place + length].min()) for place in places]
    start = float(starts[int(np.argmax(free))])
    for number in range(5):
        x = start + number * size * 1.5
        column = int(np.clip(x + stage.margin_x + size * 0.7, 0, len(crest) - 1))
        sketch = Sketch(size * 1.4, size * 1.3)
        _camel(sketch, size, ink, rider=number != 2)
        stage.put(sketch.layer(x, float(crest[column]) - size * 1.18), depth, drift_x=0.0)


def _camel(sketch: Sketch, size: float, ink: tuple[float, float, float], *, rider: bool) -> None:
    def at(x: float, y: float) -> tuple[float, float]:
        return x * size, (y + 0.3) * size

    for leg in (0.3, 0.4, 0.76, 0.86):
        sketch.stroke([at(leg, 0.5), at(leg + 0.02, 0.95)], size * 0.05, ink)
    body = [
        (0.2, 0.42),
        (0.36, 0.34),
        (0.5, 0.16),
        (0.6, 0.14),
        (0.7, 0.34),
        (0.9, 0.38),
        (0.95, 0.5),
        (0.85, 0.62),
        (0.4, 0.64),
        (0.24, 0.56),
    ]
    sketch.polygon([at(*point) for point in body], ink)
    sketch.stroke([at(0.9, 0.46), at(1.06, 0.48), at(1.14, 0.22)], size * 0.08, ink)
    sketch.polygon([at(1.08, 0.24), at(1.12, 0.12), at(1.3, 0.2), at(1.28, 0.27)], ink)
    if rider:
        sketch.polygon([at(0.48, 0.2), at(0.52, -0.08), at(0.62, -0.08), at(0.68, 0.2)], ink)
        sketch.oval(*at(0.52, -0.2), *at(0.62, -0.07), ink)
