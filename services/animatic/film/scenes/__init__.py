"""One file per place; each draws the parts of its scene, from far to near."""

from collections.abc import Callable

from services.animatic.film.birds import birds, flock_row
from services.animatic.film.scenes.city import city
from services.animatic.film.scenes.desert import desert
from services.animatic.film.scenes.field import field
from services.animatic.film.scenes.forest import forest
from services.animatic.film.scenes.lake import lake
from services.animatic.film.scenes.mountains import mountains
from services.animatic.film.scenes.sea import sea
from services.animatic.film.scenes.space import space
from services.animatic.film.stage import Stage
from services.animatic.film.weather import rain, snowfall

SCENES: dict[str, Callable[[Stage], None]] = {
    "sea": sea,
    "mountains": mountains,
    "forest": forest,
    "space": space,
    "lake": lake,
    "field": field,
    "desert": desert,
    "city": city,
}


def set_scene(stage: Stage) -> None:
    SCENES[stage.reading.place](stage)
    if stage.reading.has("birds") and stage.reading.place != "space":
        birds(stage, flock_row(stage, stage.height * 0.6))
    match stage.reading.weather:
        case "snow":
            snowfall(stage)
        case "rain":
            rain(stage)
        case "storm":
            rain(stage, wind=0.45)
