"""Blocks of houses with lit windows, their glow, and neon signs."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from services.animatic.film.camera import Moment
from services.animatic.film.colour import Rgb, Triples, mix, rgb
from services.animatic.film.layer import Layer, from_rgb
from services.animatic.film.light import glow
from services.animatic.film.noise import Field
from services.animatic.film.planes import Planes
from services.animatic.film.sketch import Sketch
from services.animatic.film.stage import Stage, shift

WARM = (rgb("ffcf87"), rgb("ffb45a"), rgb("ffe3b3"), rgb("ffd9a0"), rgb("bcd8ff"))
NEON = (rgb("ff3d9a"), rgb("27d9ff"), rgb("a45bff"), rgb("ffd14a"), rgb("3dffb0"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Sizes in units; `lit` is the share of windows with light; `span` is a share of the picture's width."""

    base: float
    low: float
    high: float
    wide: float
    near: float
    window: float
    lit: float
    span: tuple[float, float] = (-0.3, 1.3)
    peak: float = 0.5


def block(stage: Stage, name: str, plan: Block) -> Layer:
    random = stage.dice(name)
    unit = stage.unit
    top = max(-stage.margin_y // 2 * 2, round(plan.base - (plan.high * 1.35 + 0.1) * unit))
    height = stage.even(min(stage.height + stage.margin_y, plan.base + 0.06 * unit) - top)
    x = stage.margin_x + plan.span[0] * stage.width
    end = stage.margin_x + plan.span[1] * stage.width
    left = max(0, int(x) - 8) // 2 * 2
    breadth = stage.even(min(stage.wide, end + 8) - left)
    sketch, lights = Sketch(breadth, height), Sketch(breadth, height)
    while x < end:
        width = plan.wide * unit * random.uniform(0.65, 1.4)
        if plan.span[1] < 1.2:
            width = min(width, end - x + 4)
        middle = (x + width / 2 - stage.margin_x) / stage.width
        crowd = np.exp(-(((middle - plan.peak) / 0.33) ** 2))
        tall = (plan.low + (plan.high - plan.low) * (random.beta(1.4, 2.4) * 0.65 + 0.45 * crowd)) * unit
        _building(stage, sketch, lights, random, plan, (x - left, plan.base - top - tall, width, height))
        x += width + random.choice((-0.12, 0.02, 0.1)) * width
    drawn, lamps = (_channels(each, height, breadth) for each in (sketch, lights))
    picture = _haze(stage, drawn[..., 0], plan, top)
    strength = (0.35 + 0.65 * plan.near) * (0.45 if stage.reading.time == "day" else 1.0)
    light = lamps[..., :3] * np.float32(strength)
    picture *= 1 - lamps[..., 3:] * np.float32(strength)
    picture += light
    if stage.reading.time != "day":
        picture += _bloom(light, unit * 0.008) * np.float32(0.55)
    return from_rgb(np.minimum(picture, 1), drawn[..., 3], x=left - stage.margin_x, y=top)


def _channels(sketch: Sketch, height: int, width: int) -> Field:
    return sketch.channels()[:height, :width].astype(np.float32) * np.float32(1 / 255)


def _building(
    stage: Stage,
    sketch: Sketch,
    lights: Sketch,
    random: np.random.Generator,
    plan: Block,
    shape: tuple[float, float, float, float],
) -> None:
    x, top, width, bottom = shape
    unit = stage.unit
    tone = random.uniform(0.75, 1.25)
    face: Rgb = (0.5 * tone, 0.5 * tone, 0.5 * tone)
    flank = (0.36 * tone, 0.36 * tone, 0.36 * tone)
    sketch.box(x, top, x + width, bottom, face)
    side = width * random.uniform(0.14, 0.3)
    left_flank = random.random() < 0.5
    sketch.box(
        x if left_flank else x + width - side, top, x + side if left_flank else x + width, bottom, flank
    )
    _roof(sketch, random, x, top, width, unit * (0.4 + plan.near * 0.6), face)
    cell_w, cell_h = plan.window * unit, plan.window * unit * random.choice((1.25, 1.5, 0.9))
    hue = NEON if stage.reading.has("neon") and random.random() < 0.22 else WARM
    tint = hue[int(random.integers(len(hue)))]
    floors, columns = int((bottom - top) / cell_h), int((width - 0.4 * cell_w) / cell_w)
    awake = plan.lit * random.uniform(0.35, 1.5)
    strip = random.random() < 0.25
    pad = (width - columns * cell_w) / 2
    on = random.random((floors, max(1, columns))) < awake
    if strip:
        on[:] = (random.random((floors, 1)) < awake * 1.2) & (random.random(on.shape) < 0.92)
    for floor in range(1, floors):
        for column in range(columns):
            left, upper = x + pad + column * cell_w + cell_w * 0.2, top + floor * cell_h
            if on[floor, column]:
                power = random.uniform(0.45, 1.0)
                colour = mix(tint, WARM[int(random.integers(len(WARM)))], 0.35)
                lights.box(
                    left, upper, left + cell_w * 0.62, upper + cell_h * 0.52, mix((0, 0, 0), colour, power)
                )
            elif plan.near > 0.5:
                sketch.box(left, upper, left + cell_w * 0.62, upper + cell_h * 0.52, flank)


def _roof(
    sketch: Sketch, random: np.random.Generator, x: float, top: float, width: float, unit: float, face: Rgb
) -> None:
    kind = random.random()
    if kind < 0.3:
        step = width * random.uniform(0.15, 0.3)
        sketch.box(x + step, top - unit * 0.03, x + width - step, top + 2, face)
        if kind < 0.16:
            sketch.box(x + step * 1.7, top - unit * 0.055, x + width - step * 1.7, top, face)
    if kind > 0.7 or kind < 0.08:
        mast = x + width * random.uniform(0.3, 0.7)
        sketch.stroke(
            [(mast, top), (mast, top - unit * random.uniform(0.05, 0.12))], max(0.7, unit * 0.003), face
        )
    elif kind > 0.5:
        left = x + width * random.uniform(0.1, 0.6)
        sketch.box(left, top - unit * 0.022, left + width * 0.2, top + 1, face)


def _haze(stage: Stage, grey: Field, plan: Block, top: int) -> Triples:
    """Grey drawing into the scene's colours: paler with distance and towards the street's glow."""
    palette = stage.palette
    dark = np.array(mix(palette.haze, palette.shade, plan.near), np.float32)
    light = np.array(mix(palette.haze, mix(palette.ground, palette.haze, 0.25), plan.near), np.float32)
    rows = (np.arange(grey.shape[0], dtype=np.float32) + top - (plan.base - 0.45 * stage.unit)) / (
        0.45 * stage.unit
    )
    lamplit = 0.25 if stage.reading.time in ("night", "dusk") else 0.05
    glowing = np.array(mix(palette.haze, palette.lamp, lamplit), np.float32)
    hazy = (np.clip(rows, 0, 1) ** 1.5 * (0.75 - 0.6 * plan.near))[:, None].astype(np.float32)
    share = np.clip((grey - 0.25) * np.float32(2.5), 0, 1.2)
    plain, slope = dark * (1 - hazy) + glowing * hazy, (light - dark) * (1 - hazy)
    return np.asarray(share[..., None] * slope[:, None, :] + plain[:, None, :], np.float32)


def _bloom(light: Triples, radius: float) -> Triples:
    small = Image.fromarray((np.minimum(light[::4, ::4], 1) * 255).astype(np.uint8))
    soft = small.filter(ImageFilter.BoxBlur(max(1, radius / 4))).filter(
        ImageFilter.BoxBlur(max(1, radius / 2))
    )
    return np.asarray(soft.resize(light.shape[1::-1], Image.Resampling.BILINEAR), np.float32) * np.float32(
        1 / 255
    )


def sign(
    stage: Stage,
    x: float,
    y: float,
    width: float,
    height: float,
    colour: Rgb,
    depth: float,
    side: float,
    name: str,
) -> None:
    """An upright neon sign of strokes that mean nothing, with its glow; now and then it flickers."""
    random = stage.dice(name)
    sketch = Sketch(width, height)
    sketch.box(0, 0, width, height, mix(stage.palette.shade, colour, 0.12))
    thick = max(1.0, width * 0.09)
    bright = mix(colour, (1, 1, 1), 0.45)
    inset = width * 0.12
    frame = [
        (inset, inset),
        (width - inset, inset),
        (width - inset, height - inset),
        (inset, height - inset),
        (inset, inset),
    ]
    sketch.stroke(frame, thick * 0.7, colour)
    row = width * 0.42
    while row < height - width * 0.5:
        kind = int(random.integers(4))
        left, right, low = width * 0.3, width * 0.7, row + width * 0.32
        strokes = (
            [[(left, row), (right, row)], [(width / 2, row), (width / 2, low)]],
            [[(left, row), (left, low), (right, low)]],
            [[(left, low), (width / 2, row), (right, low)]],
            [[(left, row), (right, row), (right, low), (left, low), (left, row)]],
        )[kind]
        for points in strokes:
            sketch.stroke(points, thick, bright)
        row += width * 0.5
    board = sketch.layer(x, y)
    halo = glow(
        x + width / 2, y + height / 2, height * 0.85, colour, mix(colour, (1, 1, 1), 0.3), power=0.5, flat=1.0
    )
    phase = float(random.uniform(0, 6))
    faulty = bool(random.random() < 0.4)

    def part(frame: Planes, moment: Moment) -> None:
        dx, dy = shift(moment, depth, side)
        power = 0.82 + 0.06 * float(np.sin(moment.time_s * 5 + phase))
        if faulty and (moment.time_s + phase) % 2.7 < 0.16:
            power = 0.25
        board.draw(frame, dx, dy, stage.bench)
        halo.draw(frame, dx, dy, stage.bench, power)

    stage.add(part)
