"""One file per place; each composes its parts onto the stage, far to near."""

from collections.abc import Callable

from services.animatic.film.scenes.mountains import mountains
from services.animatic.film.scenes.sea import sea
from services.animatic.film.stage import Stage

SCENES: dict[str, Callable[[Stage], None]] = {
    "sea": sea,
    "mountains": mountains,
}


def set_scene(stage: Stage) -> None:
    SCENES.get(stage.reading.place, mountains)(stage)
