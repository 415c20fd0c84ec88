"""Drawing with Pillow at three times the size, for things with straight edges."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from services.animatic.film.colour import Rgb, adjust, mix
from services.animatic.film.layer import Layer, from_rgb
from services.animatic.film.noise import Field
from services.animatic.film.stage import Stage

LARGE_PIXELS = 300_000

Point = tuple[float, float]


class Sketch:
    """Coordinates are pixels from the sketch's own corner."""

    mode = "CMYK"

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = (max(4, int(side / 2) * 2 + 2) for side in (width, height))
        self._scale = 2 if self.width * self.height > LARGE_PIXELS else 3
        # CMYK stands for four plain channels: red, green, blue, alpha. What is drawn is opaque or nothing, so
        # it is premultiplied already; Pillow's conversions of RGBA (0.1 s for a large one) are not needed.
        self._image = Image.new(self.mode, (self.width * self._scale, self.height * self._scale))
        self._pen = ImageDraw.Draw(self._image)

    def _ink(self, colour: Rgb) -> tuple[int, ...] | int:
        red, green, blue = colour
        return (
            int(min(255.5, 255 * red + 0.5)),
            int(min(255.5, 255 * green + 0.5)),
            int(min(255.5, 255 * blue + 0.5)),
            255,
        )

    def polygon(self, points: Sequence[Point], colour: Rgb) -> None:
        self._pen.polygon([(x * self._scale, y * self._scale) for x, y in points], fill=self._ink(colour))

    def box(self, left: float, top: float, right: float, bottom: float, colour: Rgb) -> None:
        scale = self._scale
        x0, y0, x1, y1 = round(left * scale), round(top * scale), round(right * scale), round(bottom * scale)
        if x1 > x0 and y1 > y0:
            self._pen.rectangle((x0, y0, x1 - 1, y1 - 1), fill=self._ink(colour))

    def oval(self, left: float, top: float, right: float, bottom: float, colour: Rgb) -> None:
        self._pen.ellipse(
            (left * self._scale, top * self._scale, right * self._scale, bottom * self._scale),
            fill=self._ink(colour),
        )

    def stroke(self, points: Sequence[Point], thick: float, colour: Rgb) -> None:
        self._pen.line(
            [(x * self._scale, y * self._scale) for x, y in points],
            fill=self._ink(colour),
            joint="curve",
            width=max(1, round(thick * self._scale)),
        )

    def channels(self) -> NDArray[np.uint8]:
        return np.asarray(self._image.reduce(self._scale))

    def pixels(self) -> tuple[Field, Field]:
        """RGB and alpha, at the picture's own size."""
        small = self.channels().astype(np.float32) * np.float32(1 / 255)
        alpha = small[..., 3]
        return small[..., :3] / np.maximum(alpha, 1e-3)[..., None], alpha

    def layer(self, x: float, y: float) -> Layer:
        colours, alpha = self.pixels()
        return from_rgb(colours, alpha, x=round(x), y=round(y))


class Mask(Sketch):
    """Shapes without colour."""

    mode = "L"

    def _ink(self, colour: Rgb) -> int:
        return 255

    def alpha(self) -> Field:
        return self.channels().astype(np.float32) * np.float32(1 / 255)


def lit(stage: Stage, colour: Rgb, *, near: float = 0.9) -> Rgb:
    """A thing's own colour in this scene's light and haze."""
    palette = stage.palette
    light = {"day": 0.95, "dawn": 0.7, "dusk": 0.55, "night": 0.46}[stage.reading.time]
    if stage.reading.weather == "storm":
        light *= 0.9
    tint = mix(palette.sun, palette.haze, 0.55 if stage.reading.time in ("night", "dusk") else 0.3)
    shaded = (colour[0] * tint[0] * light, colour[1] * tint[1] * light, colour[2] * tint[2] * light)
    return mix(palette.haze, adjust(mix(shaded, palette.shade, 0.12)), near)
