"""The sea to its horizon, and what stands at its edge: a lighthouse, rocks, a sail."""

import numpy as np

from services.animatic.film.camera import Moment
from services.animatic.film.colour import mix, rgb
from services.animatic.film.composition import light_place
from services.animatic.film.light import Beam
from services.animatic.film.lighthouse import house, tower
from services.animatic.film.noise import Field, line
from services.animatic.film.planes import Planes
from services.animatic.film.sketch import Sketch, lit
from services.animatic.film.sky import clouds, sky
from services.animatic.film.stage import Stage, shift
from services.animatic.film.terrain import Ridge, ridge_layer
from services.animatic.film.water import Water
from services.animatic.film.weather import lightning

STORMY = ("storm", "rain")


def sea(stage: Stage) -> None:
    reading = stage.reading
    horizon = round(stage.height * 0.62 / 2) * 2
    light = light_place(stage, horizon)
    storm = reading.weather == "storm"
    sky(stage, horizon, light, stage.unit * (0.034 if reading.time == "night" else 0.055))
    clouds(stage, horizon, cover=0.95 if storm else 0.68, light=light, dark=reading.weather in STORMY)
    if storm:
        lightning(stage, horizon)
    on_right = bool(stage.dice("side").random() < 0.62) if light is None else light[0] < stage.width / 2
    _far_coast(stage, horizon, on_right)
    stage.add(
        Water(
            stage,
            horizon,
            rough=0.85 if storm else 0.3,
            foam=0.6 if storm else 0.0,
            light_x=light[0] if light else None,
        )
    )
    if reading.has("boat") or (
        not reading.has("lighthouse") and stage.dice("boat?").random() < 0.5 and not storm
    ):
        sail(stage, horizon, on_right)
    if reading.has("lighthouse"):
        _lighthouse(stage, horizon, on_right, light)
    else:
        _rocks(stage, horizon, on_right)


def _far_coast(stage: Stage, horizon: float, on_right: bool) -> None:
    """Two low capes that end in the water; the far one paler."""
    for number, (near, tall, end) in enumerate(((0.22, 0.075, 0.66), (0.42, 0.05, 0.38))):
        place = np.linspace(0, 1, stage.wide, dtype=np.float32)
        place = place if on_right else 1 - place
        slope = np.clip((end - place) / end, 0, 1) ** 0.6
        bumps = line(stage.dice(f"cape{number}"), stage.wide, waves=2.5, roughness=0.9)
        edge = horizon + 3 - slope * (0.72 + 0.4 * bumps) * tall * stage.unit
        ridge = Ridge(
            crest=horizon, swing=0, waves=1, near=near, mist=0.3, relief=0.8, light_left=not on_right
        )
        stage.put(ridge_layer(stage, f"cape{number}", ridge, edge.astype(np.float32)), 0.09 + 0.03 * number)


def _headland(stage: Stage, top: float, start: float, on_right: bool) -> Field:
    """The row of a cliff's edge: out of the water at `start` (a share of the width), then a grassy rise."""
    place = (np.arange(stage.wide, dtype=np.float32) - stage.margin_x) / stage.width
    place = place if on_right else 1 - place
    climb = np.clip((place - start) / 0.16, 0, 1)
    climb = climb**0.55 * (1 - 0.12 * (1 - climb))
    bumps = line(stage.dice("cliff"), stage.wide, waves=3.2, roughness=0.75)
    jag = line(stage.dice("jag"), stage.wide, waves=14, roughness=0.6)
    rise = 0.05 * stage.unit * np.sin(np.clip((place - start) / 0.55, 0, 1) * np.pi)
    foot = stage.height + stage.margin_y + 4
    edge = (
        foot
        + (top - foot) * climb
        - rise
        - bumps * 0.018 * stage.unit
        - jag * 0.03 * stage.unit * (1 - climb)
    )
    return np.asarray(edge, np.float32)


def _lighthouse(stage: Stage, horizon: float, on_right: bool, light: tuple[float, float] | None) -> None:
    unit, depth = stage.unit, 0.42
    narrow = stage.width < stage.height
    x_share = 0.66 if narrow else 0.735
    x = stage.width * (x_share if on_right else 1 - x_share)
    side = 1.0 if on_right else -1.0
    stage.focus = (0.72 if on_right else 0.28, 0.42)
    edge = _headland(stage, horizon + 0.015 * unit, x_share - (0.3 if narrow else 0.21), on_right)
    column = round(x) + stage.margin_x
    foot = float(edge[column - 8 : column + 8].max()) + 0.012 * unit
    left_light = not on_right if light is None else light[0] < x
    body, lamp_row = tower(stage, x, foot, unit * 0.4, light_left=left_light)
    if stage.reading.time != "day":
        turn_s = 10.0 if narrow else 9.0
        stage.add(Beam(stage, x, lamp_row, depth, turn_s=turn_s, start=-2.3 if on_right else 0.7))
    house_x = x + side * 0.13 * unit
    house_foot = float(edge[min(len(edge) - 1, round(house_x) + stage.margin_x)]) + 0.016 * unit
    stage.put(house(stage, house_x, house_foot, 0.075 * unit), depth, side=side * 0.4)
    stage.put(body, depth, side=side * 0.4)
    rock = Ridge(crest=0, swing=0, waves=1, near=0.93, relief=1.5, mist=0.06, light_left=left_light)
    stage.put(
        ridge_layer(stage, "cliff", rock, edge, albedo=mix(stage.palette.ground, stage.palette.shade, 0.45)),
        depth,
        side=side * 0.4,
    )


def _rocks(stage: Stage, horizon: float, on_right: bool) -> None:
    """A dark shore in one lower corner, to hold the eye."""
    place = (np.arange(stage.wide, dtype=np.float32) - stage.margin_x) / stage.width
    place = place if on_right else 1 - place
    bumps = line(stage.dice("rocks"), stage.wide, waves=4, roughness=0.6)
    mound = np.clip((place - 0.52) / 0.5, 0, 1.3) ** 1.2
    edge = stage.height * 1.03 + stage.margin_y * 0.5 - mound * (0.3 + 0.12 * bumps) * stage.unit
    rock = Ridge(crest=0, swing=0, waves=1, near=1.0, relief=1.4, mist=0.0, light_left=on_right)
    dark = mix(stage.palette.ground, stage.palette.shade, 0.7)
    stage.put(
        ridge_layer(stage, "rocks", rock, edge.astype(np.float32), albedo=dark),
        0.9,
        side=1.0 if on_right else -1.0,
    )


def sail(stage: Stage, horizon: float, on_right: bool) -> None:
    size = 0.13 * stage.unit
    hull, cloth = lit(stage, rgb("3a2a24"), near=0.85), lit(stage, rgb("f3ead8"), near=0.85)
    sketch = Sketch(size, size * 1.3)
    wide, tall = size, size * 1.2
    mast = wide * 0.46
    sketch.stroke([(mast, tall * 0.04), (mast, tall * 0.9)], size * 0.014, hull)
    sketch.polygon(
        [
            (mast + size * 0.02, tall * 0.06),
            (mast + size * 0.34, tall * 0.62),
            (mast + size * 0.4, tall * 0.8),
            (mast + size * 0.02, tall * 0.8),
        ],
        cloth,
    )
    sketch.polygon(
        [
            (mast - size * 0.02, tall * 0.12),
            (mast - size * 0.3, tall * 0.78),
            (mast - size * 0.02, tall * 0.8),
        ],
        mix(cloth, stage.palette.haze, 0.3),
    )
    sketch.polygon(
        [
            (wide * 0.08, tall * 0.84),
            (wide * 0.94, tall * 0.84),
            (wide * 0.8, tall * 0.95),
            (wide * 0.2, tall * 0.95),
        ],
        hull,
    )
    x = stage.width * (0.34 if on_right else 0.66)
    layer = sketch.layer(x - wide / 2, horizon + 0.05 * stage.unit - tall * 0.95)

    def part(frame: Planes, moment: Moment) -> None:
        dx, dy = shift(moment, 0.16)
        bob = 0.004 * stage.unit * float(np.sin(moment.time_s * 1.3))
        layer.draw(frame, dx + moment.time_s * 0.004 * stage.unit, dy + bob, stage.bench)

    stage.add(part)
