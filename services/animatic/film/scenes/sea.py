from services.animatic.film.composition import light_place
from services.animatic.film.light import Beam
from services.animatic.film.sky import clouds, sky, stars
from services.animatic.film.stage import Stage
from services.animatic.film.terrain import Ridge, ridge_layer
from services.animatic.film.water import Water


def sea(stage: Stage) -> None:
    horizon = round(stage.height * 0.6 / 2) * 2
    light = light_place(stage, horizon)
    stormy = stage.reading.weather == "storm"
    sky(stage, horizon, light, stage.unit * 0.055)
    if stage.reading.time == "night":
        stars(stage, horizon)
    clouds(stage, horizon, cover=0.7, light=light, dark=stormy)
    headland = Ridge(crest=horizon - 0.02 * stage.unit, swing=0.035, waves=1.0, near=0.4, mist=0.4)
    stage.put(ridge_layer(stage, "headland", headland), 0.1)
    stage.add(Water(stage, horizon, rough=0.8 if stormy else 0.3, foam=0.5 if stormy else 0.0))
    if stage.reading.has("lighthouse"):
        stage.add(Beam(stage, stage.width * 0.7, horizon - 0.3 * stage.unit, 0.3, turn_s=9, start=-1.2))
