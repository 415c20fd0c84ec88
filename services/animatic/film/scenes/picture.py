"""A person's own picture, with a slow move over it and light in its own colours before it."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter, ImageOps

from services.animatic.film.camera import Moment
from services.animatic.film.colour import Rgb, Triples, adjust, mix
from services.animatic.film.layer import from_ramp, from_rgb
from services.animatic.film.light import glow
from services.animatic.film.mood import graded
from services.animatic.film.planes import Planes
from services.animatic.film.stage import Stage
from services.animatic.film.weather import rain, snowfall

DEPTH = 0.45
MOTES = 22
UNLIKE = 1.7
CLOSER = (1.08, 1.45)
"""How much closer a still comes than its source."""
FORMATS = ("PNG", "JPEG", "WEBP")


def picture(stage: Stage, source: Path, *, still: bool) -> None:
    """A film shows all of it by and by; a still is another cut out of it, by the seed."""
    with Image.open(source, formats=FORMATS) as opened:
        opened.draft("RGB", (stage.wide, stage.height * 2))
        brought = _flattened(ImageOps.exif_transpose(opened))
    brought = Image.fromarray((graded(_triples(brought), stage.reading) * 255).astype(np.uint8))
    size = stage.even(stage.wide), stage.even(stage.height + 2 * stage.margin_y)
    ratio = (brought.width / brought.height) / (stage.width / stage.height)
    dark, accent = _colours(brought)
    if still or 1 / UNLIKE < ratio < UNLIKE:
        _put(stage, _cut(stage, brought, size, CLOSER if still else (1.0, 1.06)), DEPTH)
    else:
        soft = ImageOps.fit(brought, (size[0] // 4, size[1] // 4), Image.Resampling.BILINEAR)
        soft = soft.filter(ImageFilter.GaussianBlur(size[1] / 90)).resize(size, Image.Resampling.BICUBIC)
        _put(stage, Image.blend(soft, Image.new("RGB", size, _bytes(dark)), 0.45), 0.2)
        _inset(stage, brought, dark)
    _leak(stage, accent)
    _frame(stage, dark)
    match stage.reading.weather:
        case "snow":
            snowfall(stage)
        case "rain" | "storm":
            rain(stage, wind=0.45 if stage.reading.weather == "storm" else 0.12)
        case _:
            _motes(stage, mix(accent, (1, 1, 1), 0.5))


def _flattened(image: Image.Image) -> Image.Image:
    """What is transparent shows black, as on an empty stage."""
    if not image.has_transparency_data:
        return image.convert("RGB")
    opaque = Image.new("RGBA", image.size, (0, 0, 0, 255))
    return Image.alpha_composite(opaque, image.convert("RGBA")).convert("RGB")


def _cut(stage: Stage, image: Image.Image, size: tuple[int, int], closer: tuple[float, float]) -> Image.Image:
    """The largest part of that shape, smaller by some factor, about a point that holds the eye."""
    random = stage.dice("cut")
    scale = random.uniform(*closer)
    centre = (random.uniform(0.34, 0.66), random.uniform(0.3, 0.58))
    fitting = min(image.width / size[0], image.height / size[1]) / scale
    width, height = size[0] * fitting, size[1] * fitting
    left, top = (image.width - width) * centre[0], (image.height - height) * centre[1]
    return image.resize(size, Image.Resampling.LANCZOS, box=(left, top, left + width, top + height))


def _put(stage: Stage, image: Image.Image, depth: float) -> None:
    stage.put(from_rgb(_triples(image), x=-stage.margin_x, y=-stage.margin_y // 2 * 2), depth)


def _inset(stage: Stage, brought: Image.Image, dark: Rgb) -> None:
    """The whole picture before its own blurred self, with a soft shadow."""
    image = ImageOps.contain(
        brought, (round(stage.width * 0.86), round(stage.height * 0.86)), Image.Resampling.LANCZOS
    )
    image = image.crop((0, 0, image.width // 2 * 2, image.height // 2 * 2))
    x, y = (stage.width - image.width) // 2, (stage.height - image.height) // 2
    pad = stage.even(stage.unit * 0.05)
    cast = Image.new("L", (image.width + 2 * pad, image.height + 2 * pad))
    cast.paste(150, (pad, pad, pad + image.width, pad + image.height))
    alpha = np.asarray(cast.filter(ImageFilter.GaussianBlur(pad / 2.4)), np.float32) * np.float32(1 / 255)
    stage.put(
        from_ramp(
            np.zeros_like(alpha), _flat(adjust(dark, value=0.3)), alpha, x=x - pad, y=y - pad + pad // 3
        ),
        DEPTH,
    )
    stage.put(from_rgb(_triples(image), x=x, y=y), DEPTH)


def _leak(stage: Stage, accent: Rgb) -> None:
    """Warm light that wanders in from one upper corner."""
    left = stage.dice("leak").random() < 0.5
    light = glow(
        stage.width * (0.06 if left else 0.94),
        stage.height * 0.04,
        stage.unit * 0.75,
        accent,
        mix(accent, (1, 1, 1), 0.45),
        power=0.42,
    )

    def part(frame: Planes, moment: Moment) -> None:
        breath = 0.7 + 0.25 * float(np.sin(moment.time_s * 0.9))
        light.draw(frame, round(moment.travel_x * 0.9), round(moment.travel_y * 0.9), stage.bench, breath)

    stage.add(part)


def _frame(stage: Stage, dark: Rgb) -> None:
    rows = np.linspace(-1, 1, stage.even(stage.height), dtype=np.float32)[:, None]
    columns = np.linspace(-1, 1, stage.even(stage.width), dtype=np.float32)[None, :]
    edge = (
        np.clip(
            np.maximum(np.abs(rows) ** 3.2 * (0.75 + 0.25 * rows), np.abs(columns) ** 4 * 0.8) - 0.28, 0, 1
        )
        * 0.85
    )
    alpha = edge.astype(np.float32)
    shade = from_ramp(np.zeros_like(alpha), _flat(adjust(dark, value=0.35)), alpha)

    def part(frame: Planes, moment: Moment) -> None:
        shade.draw(frame, 0.0, 0.0, stage.bench)

    stage.add(part)


def _motes(stage: Stage, colour: Rgb) -> None:
    random = stage.dice("motes")
    dot = glow(0, 0, max(4.0, 0.008 * stage.unit), colour, (1, 1, 1), power=0.75)
    places = random.uniform(0, 1, (MOTES, 4))

    def part(frame: Planes, moment: Moment) -> None:
        for x, y, pace, phase in places:
            along = (x + 0.015 * pace * moment.time_s + 0.01 * np.sin(moment.time_s * 0.7 + phase * 6)) % 1
            up = (y - (0.008 + 0.02 * pace) * moment.time_s) % 1
            power = 0.25 + 0.3 * float(np.sin(moment.time_s * (0.8 + pace) + phase * 6))
            if power > 0.03:
                dot.draw(
                    frame,
                    round(along * stage.width * 4) / 4,
                    float(round(up * stage.height)),
                    stage.bench,
                    power,
                )

    stage.add(part)


def _colours(image: Image.Image) -> tuple[Rgb, Rgb]:
    """The picture's most common dark and its liveliest bright colour."""
    few = image.resize((64, 64), Image.Resampling.BOX).quantize(8)
    palette = few.getpalette() or []
    counted = few.getcolors() or []
    colours = [
        (count, _rgb(palette[3 * int(str(index)) : 3 * int(str(index)) + 3])) for count, index in counted
    ]
    dark = max(colours, key=lambda each: each[0] * (1.1 - max(each[1])))[1]
    accent = max(
        colours, key=lambda each: each[0] ** 0.4 * (0.15 + max(each[1]) - min(each[1])) * max(each[1])
    )[1]
    return adjust(dark, value=0.7), adjust(accent, saturation=1.1, value=1.25)


def _rgb(parts: list[int]) -> Rgb:
    return parts[0] / 255, parts[1] / 255, parts[2] / 255


def _bytes(colour: Rgb) -> tuple[int, int, int]:
    return round(colour[0] * 255), round(colour[1] * 255), round(colour[2] * 255)


def _triples(image: Image.Image) -> Triples:
    return np.asarray(image, np.float32) * np.float32(1 / 255)


def _flat(colour: Rgb) -> Triples:
    return np.array([colour, colour], np.float32)
