"""Rolling fields, a lone tree, grass in front."""

import numpy as np

from services.animatic.film.colour import Rgb, adjust, mix, rgb
from services.animatic.film.composition import light_place
from services.animatic.film.lighthouse import house
from services.animatic.film.noise import Field
from services.animatic.film.sketch import Sketch, lit
from services.animatic.film.sky import clouds, sky
from services.animatic.film.stage import Stage
from services.animatic.film.terrain import Ridge, ridge_layer
from services.animatic.film.trees import rolling, wood
from services.animatic.film.weather import fog_bank

CROPS = (rgb("7c9a3f"), rgb("c9b458"), rgb("5f8a45"), rgb("9aa84a"), rgb("d8b65a"))
BLOOMS = (rgb("e0503f"), rgb("f2d24a"), rgb("b58ae0"), rgb("f4efe6"))


def field(stage: Stage) -> None:
    unit = stage.unit
    horizon = stage.height * 0.62
    light = light_place(stage, horizon)
    sky(stage, horizon, light, unit * 0.055)
    clouds(stage, horizon, cover=0.74, light=light, dark=stage.reading.weather in ("rain", "storm"))
    left = light is not None and light[0] < stage.width / 2
    stage.focus = (0.64 if left else 0.36, 0.7)
    random = stage.dice("field")
    blue = Ridge(
        crest=horizon - 0.02 * unit,
        swing=0.06,
        waves=1.1,
        near=0.22,
        mist=0.6,
        roughness=1.2,
        light_left=left,
    )
    stage.put(ridge_layer(stage, "blue", blue), 0.1)
    crops = [CROPS[place] for place in random.permutation(len(CROPS))]
    for number in range(4):
        share = number / 3
        ground = rolling(
            stage,
            f"hill{number}",
            stage.height * (0.62 + 0.24 * share**1.2),
            0.05 + 0.015 * number,
            0.7 - 0.25 * share,
        )
        depth = 0.14 + 0.6 * share**1.3
        if number == 1:
            hedge = wood(stage, "hedge", ground, size=0.06, density=1.6, near=0.4, mist=0.5)
            stage.put(hedge, depth)
        if number == 2:
            _landmark(stage, ground, depth, left)
        hill = Ridge(
            crest=0,
            swing=0,
            waves=1,
            near=0.42 + 0.5 * share,
            relief=0.35,
            mist=0.4 - 0.3 * share,
            light_left=left,
        )
        stage.put(
            ridge_layer(stage, f"hill{number}", hill, ground, albedo=_crop(stage, crops[number])), depth
        )
        if number < 2:
            fog_bank(
                stage,
                f"haze{number}",
                stage.height * (0.64 + 0.06 * number),
                0.08,
                strength=0.35,
                depth=depth,
                speed=5.0,
            )
    _grass(stage)


def _crop(stage: Stage, colour: Rgb) -> Rgb:
    if stage.reading.weather == "snow":
        return stage.palette.ground
    value = {"day": 0.92, "dawn": 0.72, "dusk": 0.58, "night": 0.24}[stage.reading.time]
    return adjust(mix(colour, stage.palette.ground, 0.3), value=value, saturation=0.9)


def _landmark(stage: Stage, ground: Field, depth: float, light_left: bool) -> None:
    """On the third away from the light: a tree, with a house if one is asked for."""
    x = stage.width * (0.68 if light_left else 0.3)
    foot = float(ground[int(x) + stage.margin_x]) + 0.008 * stage.unit
    if stage.reading.has("cabin", "windmill"):
        home = x + 0.16 * stage.unit * (1 if light_left else -1)
        home_foot = float(ground[int(np.clip(home + stage.margin_x, 0, len(ground) - 1))]) + 0.01 * stage.unit
        stage.put(house(stage, home, home_foot, 0.1 * stage.unit), depth)
    _tree(stage, x, foot, 0.3 * stage.unit, depth)


def _tree(stage: Stage, x: float, foot: float, height: float, depth: float) -> None:
    """A trunk that forks, and a crown of many small clumps, lit above."""
    random = stage.dice("tree")
    sketch = Sketch(height * 1.2, height * 1.05)
    bark = lit(stage, rgb("3b2a22"))
    leaf = lit(stage, rgb("4f6b34") if stage.reading.weather != "snow" else rgb("9fb0bf"))
    dark, bright = mix(leaf, stage.palette.shade, 0.55), mix(leaf, stage.palette.sun, 0.22)
    middle, base = height * 0.6, height * 1.04
    sketch.polygon(
        [
            (middle - height * 0.035, base),
            (middle - height * 0.014, base - height * 0.42),
            (middle + height * 0.018, base - height * 0.42),
            (middle + height * 0.04, base),
        ],
        bark,
    )
    tips = []
    for turn in np.linspace(-1.15, 1.15, 9):
        reach = height * random.uniform(0.3, 0.42)
        tip = (middle + reach * np.sin(turn) * 1.05, base - height * 0.4 - reach * np.cos(turn) * 0.95)
        sketch.stroke(
            [
                (middle, base - height * 0.3),
                ((middle + tip[0]) / 2, (base - height * 0.42 + tip[1]) / 2),
                tip,
            ],
            height * 0.014,
            bark,
        )
        tips.append(tip)
    for shade, lift, count, size in (
        (dark, 0.02, 16, 0.075),
        (leaf, -0.012, 15, 0.055),
        (bright, -0.04, 8, 0.03),
    ):
        for tip in tips:
            for _ in range(count):
                cx = tip[0] + random.normal(0, 0.062) * height
                cy = tip[1] + random.normal(0, 0.05) * height + lift * height
                radius = height * size * random.uniform(0.4, 1.0)
                sketch.oval(cx - radius, cy - radius * 0.8, cx + radius, cy + radius * 0.8, shade)
    stage.put(sketch.layer(x - middle, foot - base), depth)


def _grass(stage: Stage) -> None:
    """Blades and blooms along the lower edge, dark against the light."""
    random = stage.dice("grass")
    height = stage.even(0.26 * stage.unit + stage.margin_y)
    sketch = Sketch(stage.wide, height)
    base = 0.26 * stage.unit
    ink = mix(_crop(stage, CROPS[2]), stage.palette.shade, 0.62)
    for number in range(int(stage.wide / stage.unit * 330)):
        x, tall = (
            random.uniform(0, stage.wide),
            stage.unit * random.uniform(0.05, 0.19) * random.uniform(0.5, 1),
        )
        lean = random.normal(0.14, 0.2) * tall
        half = stage.unit * random.uniform(0.0016, 0.0034)
        tone = mix(ink, _crop(stage, CROPS[number % 3]), random.uniform(0, 0.3))
        sketch.polygon(
            [
                (x - half, base + 4),
                (x + lean * 0.35 - half * 0.7, base - tall * 0.55),
                (x + lean, base - tall),
                (x + lean * 0.35 + half * 0.7, base - tall * 0.55),
                (x + half, base + 4),
            ],
            tone,
        )
        if number % (5 if stage.reading.has("flowers") else 26) == 0 and stage.reading.weather != "snow":
            petal = stage.unit * random.uniform(0.005, 0.009)
            bloom = lit(stage, BLOOMS[int(random.integers(len(BLOOMS)))])
            sketch.oval(
                x + lean - petal, base - tall - petal, x + lean + petal, base - tall + petal * 0.7, bloom
            )
    sketch.box(0, base, stage.wide, height, ink)
    layer = sketch.layer(-stage.margin_x, stage.height - base + 2)
    stage.put(layer, 0.95)
