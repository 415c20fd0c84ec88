"""A scene while it is composed: canvas size, palette, seed and parts; and how a part moves."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from services.animatic.film.camera import Moment
from services.animatic.film.layer import Layer
from services.animatic.film.palette import Palette
from services.animatic.film.planes import Bench, Planes
from services.animatic.film.prompt_parser import Reading

Part = Callable[[Planes, Moment], None]


@dataclass(slots=True, kw_only=True)
class Stage:
    """`parts` are drawn in their order, from far to near.

    `unit` is the length that sizes things, so that all aspect ratios look composed alike.

    `focus` is what a zoom closes in on, as shares of width and height.
    """

    width: int
    height: int
    margin_x: int
    margin_y: int
    reading: Reading
    palette: Palette
    seed: int
    bench: Bench
    parts: list[Part] = field(default_factory=list)
    focus: tuple[float, float] = (0.5, 0.5)

    @property
    def unit(self) -> float:
        framing = {"wide": 1.0, "medium": 1.22, "close": 1.5}[self.reading.shot]
        return min(self.height, self.width * 1.1) * framing

    @property
    def wide(self) -> int:
        """The width of a layer that can move to both sides."""
        return self.width + 2 * self.margin_x

    def dice(self, name: str) -> np.random.Generator:
        """The same for the same seed and name, whatever else was thrown before."""
        key = int.from_bytes(name.encode()) % 2**61
        return np.random.default_rng([self.seed % 2**62, key])

    def even(self, length: float) -> int:
        return max(2, round(length / 2) * 2)

    def add(self, part: Part) -> None:
        self.parts.append(part)

    def put(self, layer: Layer, depth: float, *, side: float = 0.0, drift_x: float = 0.0) -> None:
        """`side` is where a dolly lets it leave the picture: -1 left, 1 right.

        `drift_x` is its own way in pixels a second; what drifts so is far up and does not sink in a dolly.
        """
        bench = self.bench

        def part(frame: Planes, moment: Moment) -> None:
            dx, dy = shift(moment, depth, side)
            if drift_x:
                dy = moment.travel_y * depth
            layer.draw(frame, dx + drift_x * moment.time_s, dy, bench)

        self.add(part)


def shift(moment: Moment, depth: float, side: float = 0.0) -> tuple[float, float]:
    return (moment.travel_x + 1.6 * side * moment.loom) * depth, (moment.travel_y + moment.loom) * depth
