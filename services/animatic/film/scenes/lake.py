"""Still water between hills, which it shows upside down; reeds and stones on this side."""

import numpy as np

from services.animatic.film.composition import light_place
from services.animatic.film.scenes.sea import sail
from services.animatic.film.sky import clouds, sky
from services.animatic.film.stage import Stage
from services.animatic.film.terrain import Ridge, ridge_layer
from services.animatic.film.trees import rolling, wood
from services.animatic.film.water import Water
from services.animatic.film.weather import fog_bank


def lake(stage: Stage) -> None:
    unit = stage.unit
    shore = round(stage.height * 0.6 / 2) * 2
    light = light_place(stage, shore * 0.86)
    sky(stage, shore, light, unit * 0.05)
    clouds(stage, shore * 0.8, cover=0.66, light=light, dark=stage.reading.weather in ("rain", "storm"))
    stage.focus = (0.5, 0.6)
    left = light is not None and light[0] < stage.width / 2
    snowy = stage.reading.weather == "snow"
    for number in range(3):
        share = number / 2
        ridge = Ridge(
            crest=shore - (0.2 - 0.12 * share) * unit,
            swing=0.2 - 0.1 * share,
            waves=1.2 + 0.5 * share,
            near=0.2 + 0.36 * share,
            sharp=0.6 - 0.5 * share,
            mist=0.7,
            snow=(0.5 if snowy else 0.12) * (1 - share),
            light_left=left,
        )
        stage.put(ridge_layer(stage, f"range{number}", ridge), 0.09 + 0.04 * number)
    bank = np.minimum(rolling(stage, "bank", shore - 0.006 * unit, 0.012, 1.5), shore - 1).astype(np.float32)
    stage.put(
        wood(stage, "shore wood", bank, size=0.085, density=1.5, near=0.62, mist=0.5, snowy=snowy), 0.18
    )
    fog_bank(stage, "lake mist", shore - 0.01 * unit, 0.07, strength=0.6, depth=0.18, speed=6.0)
    stage.add(Water(stage, shore, rough=0.12, mirror=0.9, depth=0.18, light_x=light[0] if light else None))
    fog_bank(stage, "water mist", shore + 0.03 * unit, 0.06, strength=0.35, depth=0.22, speed=9.0)
    if stage.reading.has("boat"):
        sail(stage, shore, not left)
    _near_bank(stage, left)


def _near_bank(stage: Stage, left: bool) -> None:
    """Firs on a dark bank at one side."""
    place = (np.arange(stage.wide, dtype=np.float32) - stage.margin_x) / stage.width
    place = place if left else 1 - place
    rise = np.clip((place - 0.55) / 0.5, 0, 1.2) ** 0.9
    ground = (
        rolling(stage, "near bank", stage.height * 1.02 + stage.margin_y * 0.6, 0.02, 1.5)
        - rise * 0.24 * stage.unit
    )
    gap = (-0.5, 0.74) if left else (0.26, 1.5)
    layer = wood(
        stage,
        "near wood",
        ground.astype(np.float32),
        size=0.5,
        density=0.9,
        near=1.0,
        mist=0.0,
        gap=gap,
        snowy=stage.reading.weather == "snow",
    )
    stage.put(layer, 0.85, side=1.0 if left else -1.0)
