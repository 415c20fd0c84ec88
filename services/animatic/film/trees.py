"""Conifers: whole ones for edges of woods, trunks for inside them."""

import numpy as np

from services.animatic.film.colour import Rgb, mix, ramp
from services.animatic.film.layer import Layer, from_ramp
from services.animatic.film.noise import Field, line, sample
from services.animatic.film.sketch import Mask, Sketch
from services.animatic.film.stage import Stage

ON: Rgb = (1.0, 1.0, 1.0)


def conifer(sketch: Sketch, x: float, foot: float, height: float, random: np.random.Generator) -> None:
    """Drooping tiers with ragged tips, each tree a little lean and uneven."""
    tiers = int(np.clip(height / 9, 7, 22))
    spread = height * random.uniform(0.17, 0.23)
    lean = random.normal(0, 0.008) * height
    sketch.stroke([(x, foot), (x + lean, foot - height)], max(1.0, height * 0.014), ON)
    for tier in range(tiers):
        share = (tier + random.uniform(0.0, 0.35)) / tiers
        row = foot - height * (0.985 - 0.9 * share)
        axis = x + lean * (1 - share)
        drop = height / tiers * random.uniform(1.25, 1.7)
        for side in (-1, 1):
            reach = spread * (0.06 + share**0.85) * random.uniform(0.72, 1.12) * side
            sketch.polygon(
                [
                    (axis, row - drop * 0.35),
                    (axis + reach * 0.5, row + drop * 0.3),
                    (axis + reach, row + drop * random.uniform(0.62, 0.8)),
                    (axis + reach * 0.62, row + drop * 0.66),
                    (axis + reach * 0.3, row + drop * random.uniform(0.7, 0.95)),
                    (axis, row + drop * 0.6),
                ],
                ON,
            )


def wood(
    stage: Stage,
    name: str,
    ground: Field,
    *,
    size: float,
    density: float,
    near: float,
    mist: float,
    gap: tuple[float, float] | None = None,
    snowy: bool = False,
) -> Layer:
    """A row of trees on the ground line (canvas rows for each column of a full-width layer); `size` in units.

    `gap` leaves a share of the width free of trees.
    """
    random = stage.dice(name)
    tall = size * stage.unit
    top = max(-stage.margin_y, int(ground.min() - tall * 1.35)) // 2 * 2
    height = stage.even(stage.height + stage.margin_y - top)
    below = np.arange(height, dtype=np.float32)[:, None] + top - ground[None, :]
    sketch = Mask(stage.wide, min(height, int(ground.max() - top) + 8))
    x = -0.1 * tall
    while x < stage.wide + 0.1 * tall:
        share = (x - stage.margin_x) / stage.width
        if gap is None or not gap[0] < share < gap[1]:
            column = int(np.clip(x, 0, stage.wide - 1))
            clump = 0.75 + 0.35 * random.beta(2, 2) + 0.2 * random.random() ** 3
            edge = (
                1.0
                if gap is None
                else float(np.clip(min(abs(share - gap[0]), abs(share - gap[1])) * 4 + 0.45, 0.45, 1))
            )
            conifer(sketch, x, ground[column] - top + 3, tall * clump * edge, random)
        x += tall * random.uniform(0.1, 0.34) / density
    crowns = np.zeros((height, stage.wide), np.float32)
    mask = sketch.alpha()[:, : stage.wide]
    crowns[: mask.shape[0]] = mask[:height]
    alpha = np.maximum(crowns, np.clip(below + 0.5, 0, 1))
    return from_ramp(
        _tone(stage, name, crowns, below, tall, mist, snowy),
        _colours(stage, near, snowy),
        alpha,
        x=-stage.margin_x,
        y=top,
    )


def _tone(
    stage: Stage, name: str, crowns: Field, below: Field, tall: float, mist: float, snowy: bool
) -> Field:
    """0 dark, 0.5 lit or under snow, 1 mist."""
    height, width = crowns.shape
    px = 720 / stage.unit
    speckle = sample(
        stage.dice(name + "t"), height, width, scale_x=1.1 * px, scale_y=0.7 * px, roughness=1.3, kind=1
    )
    tips = np.clip(crowns - np.roll(crowns, 3, 0), 0, 1)
    up = np.clip(-below / tall, 0, 1)
    base = 0.16 * up + 0.18 * (speckle - 0.5) + tips * (0.34 if snowy else 0.16)
    if snowy:
        base = base + np.clip((speckle - 0.58) * 4, 0, 1) * 0.24 * (below < 0)
        base = np.where(below > -1, 0.42 + 0.14 * (speckle - 0.5), base)
    foot = np.clip(1 - np.abs(below + 0.02 * tall) / (tall * 0.55), 0, 1) * mist
    lower = np.clip(below / (0.25 * stage.unit), 0, 1) * mist * 0.8
    veil = np.maximum(foot * (below < 0), np.maximum(foot, lower) * (below >= 0))
    return np.asarray(np.clip(base, 0, 0.6) * (1 - veil) + veil, np.float32)


def _colours(stage: Stage, near: float, snowy: bool) -> Field:
    palette = stage.palette
    dark = mix(palette.haze, mix(palette.shade, palette.ground, 0.25), near)
    lit = mix(dark, mix(palette.ground, palette.sun, 0.3), 0.35 + 0.25 * palette.brightness)
    if snowy:
        cool = mix(mix(palette.sun, palette.haze, 0.5), (0.86, 0.92, 1.0), 0.45 * palette.brightness)
        lit = mix(palette.haze, cool, 0.5 + 0.4 * palette.brightness)
        lit = mix(lit, palette.shade, 0.25 if palette.brightness < 0.4 else 0.0)
    return ramp(((0.0, dark), (0.5, lit), (0.62, lit), (1.0, palette.haze)))


def trunks(
    stage: Stage, name: str, *, count: int, thick: float, near: float, mist: float, clear: tuple[float, float]
) -> list[Layer]:
    """Upright stems through the whole picture, a layer each; `thick` in units, `clear` stays free."""
    random = stage.dice(name)
    layers = []
    for number in range(count):
        x = (number + random.uniform(0.1, 0.9)) * stage.wide / count - stage.margin_x
        size = thick * stage.unit * random.uniform(0.6, 1.25)
        if not clear[0] < x / stage.width < clear[1]:
            layers.append(_stem(stage, random, x, size, near, mist))
    return layers


def _stem(
    stage: Stage, random: np.random.Generator, x: float, thick: float, near: float, mist: float
) -> Layer:
    height, width = stage.even(stage.height + 2 * stage.margin_y), stage.even(thick * 13)
    sketch = Mask(width, height)
    _trunk(sketch, width / 2, height, thick, random)
    alpha = sketch.alpha()[:height, :width]
    px = 720 / stage.unit
    bark = sample(random, height, width, scale_x=1.6 * px, scale_y=0.16 * px, roughness=1.4, kind=2)
    rows = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    side = np.clip(alpha - np.roll(alpha, max(2, int(thick * 0.3)), 1), 0, 1)
    tone = np.clip(0.12 + 0.3 * (bark - 0.5) + 0.24 * side, 0, 0.6)
    veil = np.clip((rows - 0.45) * 1.6, 0, 1) * mist
    shaded = np.asarray(tone * (1 - veil) + veil, np.float32)
    return from_ramp(
        shaded, _colours(stage, near, False), alpha, x=round(x - width / 2), y=-stage.margin_y // 2 * 2
    )


def _trunk(sketch: Sketch, x: float, height: float, thick: float, random: np.random.Generator) -> None:
    lean = random.normal(0, 0.018) * height
    foot, top = thick / 2, thick * 0.33
    flare = [
        (x - foot * 1.7, height),
        (x - foot, height * 0.93),
        (x + lean - top, 0),
        (x + lean + top, 0),
        (x + foot, height * 0.93),
        (x + foot * 1.7, height),
    ]
    sketch.polygon(flare, ON)
    for _ in range(int(random.integers(3, 8))):
        share = random.uniform(0.05, 0.6)
        row, axis = height * share, x + lean * (1 - share)
        side = random.choice((-1, 1))
        reach = thick * random.uniform(1.5, 5) * side
        droop = thick * random.uniform(-0.3, 1.4)
        sketch.stroke(
            [(axis, row), (axis + reach * 0.6, row + droop * 0.4), (axis + reach, row + droop)],
            thick * random.uniform(0.07, 0.14),
            ON,
        )


def rolling(stage: Stage, name: str, row: float, swing: float, waves: float) -> Field:
    """A gentle ground line; `swing` in units."""
    curve = line(stage.dice(name), stage.wide, waves=waves * stage.wide / stage.unit, roughness=1.3)
    return np.asarray(row - curve * swing * stage.unit, np.float32)
