"""Ranges behind each other, haze between them."""

from services.animatic.film.composition import light_place
from services.animatic.film.sky import clouds, sky
from services.animatic.film.stage import Stage
from services.animatic.film.terrain import Ridge, ridge_layer


def mountains(stage: Stage) -> None:
    random = stage.dice("mountains")
    horizon = stage.height * 0.66
    light = light_place(stage, horizon)
    sky(stage, horizon, light, stage.unit * 0.05)
    clouds(stage, horizon * 0.8, cover=0.62, light=light)
    stage.focus = (0.5, 0.55)
    left = light is not None and light[0] < stage.width / 2
    snow = 0.16 if stage.reading.weather != "snow" else 0.5
    base = stage.height
    for number in range(5):
        share = number / 4
        ridge = Ridge(
            crest=base * (0.47 + 0.42 * share**1.1),
            swing=0.25 - 0.15 * share,
            waves=1.5 + 0.9 * share + random.uniform(-0.2, 0.2),
            near=0.16 + 0.8 * share**0.9,
            sharp=0.75 - 0.6 * share,
            roughness=0.95,
            relief=1.0 + 0.6 * share,
            mist=0.75 - 0.5 * share,
            snow=snow * (1 - share) if number < 3 else 0.0,
            light_left=left,
        )
        stage.put(ridge_layer(stage, f"ridge{number}", ridge), 0.12 + 0.75 * share**1.3)
