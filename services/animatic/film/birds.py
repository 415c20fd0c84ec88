"""A loose flock that crosses the sky, wings beating."""

import math

import numpy as np

from services.animatic.film.camera import Moment
from services.animatic.film.colour import mix
from services.animatic.film.layer import Layer
from services.animatic.film.planes import Planes
from services.animatic.film.sketch import Sketch
from services.animatic.film.stage import Stage

BIRDS = 9
POSES = 6


def birds(stage: Stage, row: float) -> None:
    """Around the canvas row."""
    random = stage.dice("birds")
    size = 0.03 * stage.unit
    poses = [_pose(stage, size, math.sin(2 * math.pi * number / POSES)) for number in range(POSES)]
    way = 1.0 if random.random() < 0.5 else -1.0
    start = stage.width * (0.2 if way > 0 else 0.8)
    places = random.uniform(-1, 1, (BIRDS, 3))

    def part(frame: Planes, moment: Moment) -> None:
        for number, (x, y, beat) in enumerate(places):
            along = start + way * (0.035 * moment.time_s * stage.unit) + x * 0.16 * stage.unit
            lift = 0.006 * stage.unit * math.sin(moment.time_s * 1.2 + beat * 5)
            height = row + (abs(x) * 0.05 + y * 0.05) * stage.unit + lift
            pose = int(moment.time_s * (8 + 2 * beat) + number * 2) % POSES
            poses[pose].draw(
                frame, along + moment.travel_x * 0.2, height + moment.travel_y * 0.2, stage.bench
            )

    stage.add(part)


def _pose(stage: Stage, size: float, wings: float) -> Layer:
    """`wings` from -1, down, to 1, up."""
    ink = mix(stage.palette.shade, stage.palette.haze, 0.12)
    sketch = Sketch(size * 1.2, size)
    middle, level = size * 0.6, size * 0.55
    for side in (-1, 1):
        elbow = (middle + side * size * 0.24, level - size * 0.2 * (0.4 + wings * 0.6))
        tip = (middle + side * size * 0.56, level - size * 0.36 * wings)
        thick = size * 0.07
        sketch.polygon(
            [
                (middle, level - thick * 0.4),
                elbow,
                tip,
                (elbow[0], elbow[1] + thick * 1.3),
                (middle, level + thick),
            ],
            ink,
        )
    sketch.oval(middle - size * 0.05, level - size * 0.05, middle + size * 0.05, level + size * 0.09, ink)
    return sketch.layer(-middle, -level)


def flock_row(stage: Stage, horizon: float) -> float:
    return horizon * float(np.clip(stage.dice("flock").normal(0.5, 0.08), 0.35, 0.62))
