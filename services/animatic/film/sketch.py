"""Drawing with Pillow at three times the size, for things with straight edges."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from services.animatic.film.colour import Rgb, adjust, mix
from services.animatic.film.layer import Layer, from_rgb
from services.animatic.film.noise import Field
from services.animatic.film.stage import Stage

SCALE = 3

Point = tuple[float, float]


class Sketch:
    """Coordinates are pixels from the sketch's own corner."""

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = (max(4, int(side / 2) * 2 + 2) for side in (width, height))
        self._image = Image.new("RGBA", (self.width * SCALE, self.height * SCALE))
        self._pen = ImageDraw.Draw(self._image)

    def polygon(self, points: Sequence[Point], colour: Rgb) -> None:
        self._pen.polygon([(x * SCALE, y * SCALE) for x, y in points], fill=_ink(colour))

    def box(self, left: float, top: float, right: float, bottom: float, colour: Rgb) -> None:
        if right > left and bottom > top:
            self._pen.rectangle(
                (round(left * SCALE), round(top * SCALE), round(right * SCALE) - 1, round(bottom * SCALE) - 1),
                fill=_ink(colour),
            )

    def oval(self, left: float, top: float, right: float, bottom: float, colour: Rgb) -> None:
        self._pen.ellipse((left * SCALE, top * SCALE, right * SCALE, bottom * SCALE), fill=_ink(colour))

    def stroke(self, points: Sequence[Point], thick: float, colour: Rgb) -> None:
        self._pen.line([(x * SCALE, y * SCALE) for x, y in points], fill=_ink(colour), joint="curve",
                       width=max(1, round(thick * SCALE)))  # fmt: skip

    def flipped(self) -> "Sketch":
        self._image = self._image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        return self

    def pixels(self) -> tuple[Field, Field]:
        """RGB and alpha, at the picture's own size."""
        small = np.asarray(self._image.convert("RGBa").reduce(SCALE), np.float32) / 255
        alpha = small[..., 3]
        return np.asarray(small[..., :3] / np.maximum(alpha, 1e-3)[..., None], np.float32), alpha

    def mask(self) -> Field:
        return self.pixels()[1]

    def layer(self, x: float, y: float) -> Layer:
        colours, alpha = self.pixels()
        return from_rgb(colours, alpha, x=round(x), y=round(y))


def lit(stage: Stage, colour: Rgb, *, near: float = 0.9) -> Rgb:
    """A thing's own colour in this scene's light and haze."""
    palette = stage.palette
    light = {"day": 0.95, "dawn": 0.7, "dusk": 0.55, "night": 0.3}[stage.reading.time]
    if stage.reading.weather == "storm":
        light *= 0.75
    tint = mix(palette.sun, palette.haze, 0.55 if stage.reading.time in ("night", "dusk") else 0.3)
    shaded = (colour[0] * tint[0] * light, colour[1] * tint[1] * light, colour[2] * tint[2] * light)
    return mix(palette.haze, adjust(mix(shaded, palette.shade, 0.12)), near)


def _ink(colour: Rgb) -> tuple[int, int, int, int]:
    red, green, blue = (round(255 * min(1.0, max(0.0, part))) for part in colour)
    return red, green, blue, 255
