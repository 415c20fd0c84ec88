"""Where the camera is at each moment, eased at both ends."""

import math
from dataclasses import dataclass

ZOOM = 1.1
TRAVEL = 0.11
SINK = 0.06


@dataclass(frozen=True, slots=True)
class Moment:
    """`travel` moves what is at depth 1, in pixels; `loom` is how far a dolly has come, in pixels at depth 1.

    The window is the part of the canvas that fills the picture: x, y, width, height.
    """

    time_s: float
    share: float
    travel_x: float
    travel_y: float
    loom: float
    window: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Camera:
    move: str
    width: int
    height: int
    duration_s: float
    focus: tuple[float, float] = (0.5, 0.5)

    @property
    def canvas(self) -> tuple[int, int]:
        # Only a zoom that was asked for draws more than is seen: scaling costs as much as half a scene.
        zoom = ZOOM if self.move in ("in", "out") else 1.0
        return math.ceil(self.width * zoom / 4) * 4, math.ceil(self.height * zoom / 4) * 4

    @property
    def margin(self) -> tuple[int, int]:
        """How far depth 1 may leave its place, to each side."""
        across = TRAVEL * self.width if self.move in ("left", "right") else 0.03 * self.width
        down = max(TRAVEL if self.move in ("up", "down") else 0.0, SINK) * self.height
        return math.ceil(across / 2) * 2 + 4, math.ceil(down / 2) * 2 + 4

    def at(self, time_s: float) -> Moment:
        share = time_s / self.duration_s if self.duration_s > 0 else 0.35
        eased = _ease(share)
        wide, tall = self.canvas
        travel_x = travel_y = loom = closer = 0.0
        swing = 2 * eased - 1
        match self.move:
            case "right":
                travel_x = -swing * TRAVEL * self.width
            case "left":
                travel_x = swing * TRAVEL * self.width
            case "up":
                travel_y = swing * TRAVEL * self.height
            case "down":
                travel_y = -swing * TRAVEL * self.height
            case "in" | "out":
                closer = eased if self.move == "in" else 1 - eased
                loom = closer * SINK * self.height
            case _:
                closer = 0.3 + 0.4 * eased
                travel_x = -swing * 0.02 * self.width
        return Moment(time_s, share, travel_x, travel_y, loom, self._window(wide, tall, closer))

    def _window(self, wide: int, tall: int, closer: float) -> tuple[float, float, float, float]:
        # Geometric steps, so that a zoom keeps one speed to the eye.
        scale = (wide / self.width) ** (1 - closer)
        width = min(float(wide), self.width * scale)
        height = min(float(tall), self.height * scale)
        return (wide - width) * self.focus[0], (tall - height) * self.focus[1], width, height


def _ease(share: float) -> float:
    """Sine ease, half-way to even speed: a film of a few seconds must not stand still at its ends."""
    share = min(1.0, max(0.0, share))
    return 0.45 * share + 0.55 * (0.5 - 0.5 * math.cos(math.pi * share))
