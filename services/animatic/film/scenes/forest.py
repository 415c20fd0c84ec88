"""A wood: rows of conifers going pale into the haze, a clearing, perhaps a fire in it."""

from services.animatic.film.composition import light_place
from services.animatic.film.fire import fire, fire_light
from services.animatic.film.sky import clouds, sky
from services.animatic.film.stage import Stage
from services.animatic.film.trees import rolling, trunks, wood
from services.animatic.film.weather import fog_bank

ROWS = 5


def forest(stage: Stage) -> None:
    reading = stage.reading
    horizon = stage.height * 0.7
    light = light_place(stage, horizon)
    sky(stage, horizon, light, stage.unit * 0.05)
    if reading.weather in ("clear", "rain", "storm"):
        clouds(stage, horizon * 0.8, cover=0.6, light=light, dark=reading.weather != "clear")
    foggy = reading.weather == "fog"
    snowy = reading.weather == "snow"
    burning = reading.has("fire", "tent")
    clearing = 0.5 + (0.11 if stage.dice("clearing").random() < 0.5 else -0.11)
    for number in range(ROWS):
        share = number / (ROWS - 1)
        ground = rolling(stage, f"ground{number}", stage.height * (0.62 + 0.26 * share**1.25), 0.03, 0.8)
        half = 0.05 + 0.16 * share
        layer = wood(
            stage,
            f"wood{number}",
            ground,
            size=0.2 + 0.42 * share**1.1,
            density=1.5 - 0.55 * share,
            near=(0.12 + 0.82 * share**1.15) if foggy else 0.3 + 0.64 * share,
            mist=(0.95 if foggy else 0.62) * (1 - 0.75 * share),
            gap=(clearing - half, clearing + half) if share > 0.3 and (burning or number > 2) else None,
            snowy=snowy,
        )
        stage.put(layer, 0.12 + 0.6 * share**1.4)
        if foggy or (number < 3 and not burning):
            fog_bank(
                stage,
                f"bank{number}",
                stage.height * (0.64 + 0.2 * share),
                0.13 + 0.05 * share,
                strength=0.75 if foggy else 0.4,
                depth=0.15 + 0.4 * share,
                speed=5 + 9 * share,
            )
    stage.focus = (clearing, 0.92 if burning else 0.6)
    if burning:
        _camp(stage, clearing)
    clear = (0.2, 0.82) if burning else (0.3, 0.72)
    for stem in trunks(
        stage, "trunks", count=5, thick=0.055, near=1.0, mist=0.12 if foggy else 0.0, clear=clear
    ):
        stage.put(stem, 1.0)


def _camp(stage: Stage, clearing: float) -> None:
    x, foot, size = stage.width * clearing, stage.height * 0.86, 0.16 * stage.unit
    fire_light(stage, x, foot, size, 0.72)
    fire(stage, x, foot, size, 0.72)
