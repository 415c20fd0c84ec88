"""The tower, its lamp and the keeper's house."""

import numpy as np

from services.animatic.film.colour import Rgb, mix, rgb
from services.animatic.film.layer import Layer, from_rgb
from services.animatic.film.noise import Field
from services.animatic.film.sketch import Sketch, lit
from services.animatic.film.stage import Stage

WHITE, RED, DARK = rgb("efe9df"), rgb("b8412c"), rgb("2a2b33")


def tower(stage: Stage, x: float, foot: float, height: float, *, light_left: bool) -> tuple[Layer, float]:
    """The layer and the row of the lamp. `x` is the tower's axis."""
    wide, tall = height * 0.42, height * 1.04
    sketch = Sketch(wide, tall)
    middle, base, top = sketch.width / 2, tall, tall - height
    low, high = height * 0.105, height * 0.066
    deck = top + height * 0.235

    def half(row: float) -> float:
        return float(high + (low - high) * ((row - deck) / (base - deck)) ** 1.25)

    def slab(upper: float, lower: float, colour: Rgb) -> None:
        rows = np.linspace(upper, lower, 8)
        sides = [(middle + half(row), row) for row in rows] + [
            (middle - half(row), row) for row in rows[::-1]
        ]
        sketch.polygon(sides, colour)

    shaft = base - deck
    slab(deck, base, WHITE)
    for number in (0, 1):
        slab(deck + shaft * (0.2 + 0.4 * number), deck + shaft * (0.4 + 0.4 * number), RED)
    for row, offset in ((0.3, 0.1), (0.5, -0.12), (0.7, 0.1)):
        w, y = height * 0.012, deck + shaft * row
        sketch.box(middle + offset * low - w, y, middle + offset * low + w, y + height * 0.035, DARK)
    _lantern(sketch, stage, middle, top, deck, high, height)
    colours, alpha = sketch.pixels()
    shaded = _in_light(stage, colours, alpha, deck, light_left, middle, low)
    return from_rgb(
        shaded, alpha, x=round(x - middle), y=round(foot - base)
    ), foot - base + top + height * 0.155


def _lantern(
    sketch: Sketch, stage: Stage, middle: float, top: float, deck: float, high: float, height: float
) -> None:
    wide = high * 1.55
    sketch.polygon(
        [
            (middle - high, deck),
            (middle + high, deck),
            (middle + wide, deck - height * 0.02),
            (middle - wide, deck - height * 0.02),
        ],
        DARK,
    )
    rail = deck - height * 0.062
    for post in np.linspace(-wide, wide, 9):
        sketch.stroke([(middle + post, deck - height * 0.02), (middle + post, rail)], height * 0.005, DARK)
    sketch.stroke([(middle - wide, rail), (middle + wide, rail)], height * 0.006, DARK)
    room, roof = high * 0.78, top + height * 0.095
    glass = mix(stage.palette.lamp, (1, 0.97, 0.85), 0.55) if stage.reading.time != "day" else rgb("cfe0e4")
    sketch.box(middle - room, roof, middle + room, deck - height * 0.02, glass)
    for bar in (-1.0, -0.36, 0.36, 1.0):
        sketch.stroke(
            [(middle + bar * room, roof), (middle + bar * room, deck - height * 0.02)], height * 0.006, DARK
        )
    dome = [
        (middle + room * 1.22 * np.cos(turn), roof - height * 0.06 * np.sin(turn))
        for turn in np.linspace(0, np.pi, 14)
    ]
    sketch.polygon(dome, mix(RED, DARK, 0.45))
    sketch.stroke([(middle, roof - height * 0.05), (middle, top + height * 0.005)], height * 0.009, DARK)
    sketch.oval(
        middle - height * 0.009, top + height * 0.018, middle + height * 0.009, top + height * 0.036, DARK
    )


def _in_light(
    stage: Stage, colours: Field, alpha: Field, deck: float, light_left: bool, middle: float, low: float
) -> Field:
    """Round like a column, in the scene's light; the lamp's glass keeps its own."""
    columns = (np.arange(colours.shape[1], dtype=np.float32) - middle) / (low * 1.1)
    side = -columns if light_left else columns
    round_shade = np.clip(0.62 + 0.5 * side - 0.22 * side**2, 0.22, 1.08)
    glow = 0.16 if stage.reading.time == "night" else 0.04
    white = np.array(mix(lit(stage, (1.0, 1.0, 1.0), near=0.95), stage.palette.lamp, glow), np.float32)
    shaded = colours * white * round_shade[None, :, None]
    own = (colours.min(2) > 0.35) & (np.arange(colours.shape[0])[:, None] < deck)
    return np.where(own[..., None], colours, shaded).astype(np.float32)


def house(stage: Stage, x: float, foot: float, size: float) -> Layer:
    wide, tall = size * 1.7, size
    sketch = Sketch(wide, tall)
    wall, roof = lit(stage, rgb("d8d0c2")), lit(stage, rgb("6b3a30"))
    sketch.box(wide * 0.12, tall * 0.5, wide * 0.88, tall, wall)
    sketch.box(wide * 0.7, tall * 0.08, wide * 0.78, tall * 0.4, mix(roof, (0, 0, 0), 0.3))
    sketch.polygon(
        [
            (wide * 0.05, tall * 0.53),
            (wide * 0.2, tall * 0.2),
            (wide * 0.8, tall * 0.2),
            (wide * 0.95, tall * 0.53),
        ],
        roof,
    )
    window = stage.palette.lamp if stage.reading.time != "day" else mix(wall, stage.palette.shade, 0.6)
    for place in (0.26, 0.64):
        sketch.box(wide * place, tall * 0.63, wide * (place + 0.1), tall * 0.82, window)
    sketch.box(wide * 0.45, tall * 0.64, wide * 0.55, tall, mix(wall, stage.palette.shade, 0.55))
    return sketch.layer(x - wide / 2, foot - tall)
