"""Deep space: a nebula, a planet with a ring, a rocket on its way."""

import math

import numpy as np

from services.animatic.film.camera import Moment
from services.animatic.film.colour import Rgb, Triples, adjust, mix, rgb
from services.animatic.film.layer import Layer, from_ramp, from_rgb
from services.animatic.film.light import glow
from services.animatic.film.noise import Field, sample, tile
from services.animatic.film.planes import Planes
from services.animatic.film.sketch import Sketch
from services.animatic.film.stage import Stage, shift

NEBULAE = (
    ("1b0f3f", "6a2f8f", "e0608a"),
    ("071a35", "1f5f8f", "66d0d0"),
    ("1c0f24", "8a3a3a", "f0a860"),
    ("0b1238", "3b4ab8", "b58af0"),
)
WORLDS = (
    ("d9a066", "8a4f3a", "f2dcb0"),
    ("6fa3c8", "2f4f86", "d8ecf2"),
    ("c86f5a", "6b2f3f", "f0c0a0"),
    ("8fb8a0", "35606a", "e6f0d0"),
)


def space(stage: Stage) -> None:
    random = stage.dice("space")
    _backdrop(stage, random)
    for number, depth in enumerate((0.1, 0.22, 0.4)):
        stage.put(_stars(stage, f"stars{number}", (650, 130, 26)[number], (0.6, 0.9, 1.35)[number]), depth)
    on_right = bool(random.random() < 0.5)
    x = stage.width * (0.69 if on_right else 0.31)
    stage.focus = (0.62 if on_right else 0.38, 0.48)
    y = stage.height * random.uniform(0.38, 0.5)
    ringed = stage.reading.has("ring") or bool(random.random() < 0.5)
    _planet(stage, x, y, 0.235 * stage.unit, ringed, on_right)
    _moon(
        stage,
        stage.width * (0.2 if on_right else 0.8),
        stage.height * random.uniform(0.2, 0.3),
        0.045 * stage.unit,
        on_right,
    )
    if stage.reading.has("rocket"):
        _rocket(stage, on_right)


def _backdrop(stage: Stage, random: np.random.Generator) -> None:
    height = stage.even(stage.height + 2 * stage.margin_y)
    half = (height // 2, stage.wide // 2)
    px = 2 * 720 / stage.unit
    dark, body, bright = (_toned(stage, rgb(code)) for code in NEBULAE[int(random.integers(len(NEBULAE)))])
    cloud = sample(random, *half, scale_x=0.42 * px, scale_y=0.42 * px, roughness=1.9)
    veins = sample(random, *half, scale_x=0.75 * px, scale_y=0.75 * px, roughness=1.7, kind=1)
    rows = np.linspace(-1, 1, half[0], dtype=np.float32)[:, None]
    columns = np.linspace(-1, 1, half[1], dtype=np.float32)[None, :]
    lean = random.uniform(-0.7, 0.7)
    belt = np.exp(-(((rows - lean * columns) / 0.62) ** 2))
    share = np.clip((cloud * 1.3 - 0.35) * belt, 0, 1) ** 1.3
    core = np.clip(share * (1.25 - np.abs(veins - 0.5) * 2.4), 0, 1) ** 2
    picture = np.zeros((*half, 3), np.float32) + np.array(mix(rgb("04050d"), dark, 0.35), np.float32)
    for colour, weight in ((dark, share * 0.9), (body, share * 0.7), (bright, core * 0.55)):
        picture += (np.array(colour, np.float32) - picture) * weight[..., None]
    stage.put(
        from_rgb(np.repeat(np.repeat(picture, 2, 0), 2, 1), x=-stage.margin_x, y=-stage.margin_y // 2 * 2),
        0.05,
    )


def _toned(stage: Stage, colour: Rgb) -> Rgb:
    match stage.reading.style:
        case "noir":
            return adjust(colour, saturation=0.08)
        case "pastel" | "watercolor":
            return mix(colour, rgb("f4e6ee"), 0.22)
        case "neon":
            return adjust(colour, saturation=1.3, value=1.1)
        case "vintage":
            return mix(colour, rgb("c79a5f"), 0.25)
    return colour


def _stars(stage: Stage, name: str, count: int, size: float) -> Layer:
    random = stage.dice(name)
    height = stage.even(stage.height + 2 * stage.margin_y)
    light = np.zeros((height, stage.wide), np.float32)
    radius = size * max(0.75, stage.unit / 720)
    for _ in range(round(count * stage.wide * height / 1e6)):
        x, y = int(random.integers(5, stage.wide - 6)), int(random.integers(5, height - 6))
        rows, columns = np.mgrid[-4:5, -4:5] + random.uniform(-0.5, 0.5, (2, 1, 1))
        power = min(1.4, random.pareto(2.0) * 0.35 + 0.25)
        light[y - 4 : y + 5, x - 4 : x + 5] += power * np.exp(-(rows**2 + columns**2) / (2 * radius**2))
    warm = sample(random, height // 8 + 1, stage.wide // 8 + 1, scale_x=3, scale_y=3, roughness=0.6)
    tint = np.repeat(np.repeat(warm, 8, 0), 8, 1)[:height, : stage.wide]
    colours = np.linspace(np.array(rgb("a8c8ff")), np.array(rgb("ffe2c0")), 64).astype(np.float32)
    return from_ramp(tint, colours, np.clip(light, 0, 0.97), x=-stage.margin_x, y=-stage.margin_y // 2 * 2)


def _planet(stage: Stage, x: float, y: float, radius: float, ringed: bool, light_left: bool) -> None:
    codes = WORLDS[int(stage.dice("world").integers(len(WORLDS)))]
    base, dark, bright = (_toned(stage, rgb(code)) for code in codes)
    depth = 0.3
    halo = glow(
        x - (0.16 if light_left else -0.16) * radius,
        y - 0.1 * radius,
        radius * 1.45,
        mix(base, rgb("9fc8ff"), 0.4),
        bright,
        power=0.5,
    )
    stage.put(halo, depth)
    if ringed:
        stage.put(_ring(stage, x, y, radius, base, bright, behind=True), depth)
    stage.put(_globe(stage, x, y, radius, (base, dark, bright), light_left, banded=True), depth)
    if ringed:
        stage.put(_ring(stage, x, y, radius, base, bright, behind=False), depth)


def _moon(stage: Stage, x: float, y: float, radius: float, light_left: bool) -> None:
    grey = tuple(_toned(stage, rgb(code)) for code in ("a8a4a0", "5f5c66", "e6e0d6"))
    stage.put(_globe(stage, x, y, radius, (grey[0], grey[1], grey[2]), light_left, banded=False), 0.24)


def _globe(
    stage: Stage,
    x: float,
    y: float,
    radius: float,
    colours: tuple[Rgb, Rgb, Rgb],
    light_left: bool,
    *,
    banded: bool,
) -> Layer:
    size = stage.even(radius * 2 + 8)
    rows, columns = ((np.mgrid[0:size, 0:size] - size / 2 + 0.5) / radius).astype(np.float32)
    far = np.sqrt(rows**2 + columns**2)
    toward = np.sqrt(np.clip(1 - far**2, 0, 1))
    tilt = 0.35
    across, along = (
        columns * math.cos(tilt) + rows * math.sin(tilt),
        rows * math.cos(tilt) - columns * math.sin(tilt),
    )
    noise = tile(5, 1.7)
    lat = np.clip(along, -1, 1)
    lon = np.arctan2(across, toward + 1e-3)
    u, v = ((lon * 90 + 400) % 1024).astype(int), ((lat * (70 if banded else 130)) % 1024).astype(int)
    rough = noise[v, u]
    if banded:
        bands = np.sin(lat * 13 + (rough - 0.5) * 2.4) * 0.5 + np.sin(lat * 31 + rough * 2) * 0.22
        tone = np.clip(0.5 + bands * 0.55 + (rough - 0.5) * 0.3, 0, 1)
    else:
        tone = np.clip(0.5 + (rough - 0.5) * 1.6, 0, 1)
    base, dark, bright = (np.array(colour, np.float32) for colour in colours)
    picture: Triples = np.where(
        tone[..., None] < 0.5,
        dark + (base - dark) * tone[..., None] * 2,
        base + (bright - base) * (tone[..., None] * 2 - 1),
    )
    side = -1.0 if light_left else 1.0
    sun = np.clip((side * columns * 0.8 - rows * 0.42 + toward * 0.42) * 1.25 + 0.1, 0, 1) ** 1.1
    picture = picture * (0.035 + 1.0 * sun)[..., None]
    rim = np.clip(far, 0, 1) ** 9 * sun * 0.6
    picture = picture + (np.array(mix(colours[2], rgb("bfe0ff"), 0.5), np.float32) - picture) * rim[..., None]
    alpha = np.clip((1 - far) * radius + 0.5, 0, 1)
    return from_rgb(
        picture.astype(np.float32), alpha.astype(np.float32), x=round(x - size / 2), y=round(y - size / 2)
    )


def _ring(stage: Stage, x: float, y: float, radius: float, base: Rgb, bright: Rgb, *, behind: bool) -> Layer:
    """Half of the ring: what passes behind the planet, or before it."""
    width, height = stage.even(radius * 4.7), stage.even(radius * 2.6)
    rows, columns = (np.mgrid[0:height, 0:width]).astype(np.float32)
    rows, columns = (rows - height / 2) / radius, (columns - width / 2) / radius
    tilt = -0.3
    across, along = (
        columns * math.cos(tilt) + rows * math.sin(tilt),
        rows * math.cos(tilt) - columns * math.sin(tilt),
    )
    far = np.sqrt(across**2 + (along / 0.27) ** 2)
    random = stage.dice("ring")
    grooves = np.interp(
        far, np.linspace(1.3, 2.25, 60), np.clip(random.normal(0.62, 0.22, 60), 0.12, 1)
    ).astype(np.float32)
    inside = np.clip((far - 1.32) * 30, 0, 1) * np.clip((2.22 - far) * 22, 0, 1)
    inside *= 1 - 0.85 * np.exp(-(((far - 1.86) / 0.035) ** 2))
    half = (along < 0) if behind else (along >= 0)
    shadow = np.where(behind, 1 - 0.75 * np.exp(-((across / 0.8) ** 2)), 1.0)
    light = (
        np.array(mix(base, bright, 0.65), np.float32) * (0.45 + 0.55 * grooves)[..., None] * shadow[..., None]
    )
    alpha: Field = (inside * grooves * 0.85 * half).astype(np.float32)
    return from_rgb(light.astype(np.float32), alpha, x=round(x - width / 2), y=round(y - height / 2))


def _rocket(stage: Stage, on_right: bool) -> None:
    """Climbs towards the planet; its flame flickers and its trail fades behind it."""
    size = 0.2 * stage.unit
    side = 1.0 if on_right else -1.0
    angle = math.radians(38) * side
    sprite = _rocket_sprite(stage, size, angle)
    start = (stage.width * (0.24 if on_right else 0.76), stage.height * 0.78)
    reach = 0.26 * stage.unit
    flame = [
        glow(0, 0, size * scale, rgb("ff8a2a"), rgb("fff0c0"), power=0.85) for scale in (0.2, 0.26, 0.23, 0.3)
    ]
    puff = glow(0, 0, size * 0.17, rgb("8fa6d8"), rgb("ffd9a8"), power=0.5)

    def part(frame: Planes, moment: Moment) -> None:
        dx, dy = shift(moment, 0.5)
        go = moment.share * reach
        x, y = start[0] + math.sin(angle) * go + dx, start[1] - math.cos(angle) * go + dy
        for step in range(14, 0, -1):
            back = size * (0.52 + 0.13 * step)
            puff.draw(
                frame,
                round(x - math.sin(angle) * back),
                round(y + math.cos(angle) * back),
                stage.bench,
                0.62 * (1 - step / 15) ** 1.2,
            )
        tail = (x - math.sin(angle) * size * 0.55, y + math.cos(angle) * size * 0.55)
        flame[int(moment.time_s * 14) % 4].draw(frame, round(tail[0]), round(tail[1]), stage.bench, 0.95)
        sprite.draw(frame, x, y, stage.bench)

    stage.add(part)


def _rocket_sprite(stage: Stage, size: float, angle: float) -> Layer:
    """Centred on its middle; nose to the upper side the angle points to."""
    box = size * 1.3
    sketch = Sketch(box, box)
    white, shade, red, glass = (_toned(stage, rgb(code)) for code in ("f2eee6", "b9b4b8", "d8473a", "8fd0f0"))

    def at(across: float, along: float) -> tuple[float, float]:
        """Across and along the axis in sizes, the nose at along 0.5."""
        return (
            box / 2 + size * (across * math.cos(angle) + along * math.sin(angle)),
            box / 2 + size * (across * math.sin(angle) - along * math.cos(angle)),
        )

    def hull(half: float) -> list[tuple[float, float]]:
        outline = [(0.0, 0.5), (0.055, 0.42), (0.1, 0.28), (0.125, 0.08), (0.125, -0.16), (0.1, -0.36)]
        return [at(wide * half, along) for wide, along in outline]

    for side in (-1, 1):
        sketch.polygon(
            [at(0.11 * side, -0.12), at(0.27 * side, -0.38), at(0.25 * side, -0.5), at(0.09 * side, -0.35)],
            red,
        )
    sketch.polygon([at(-0.06, -0.34), at(0.06, -0.34), at(0.08, -0.44), at(-0.08, -0.44)], shade)
    sketch.polygon(hull(1) + hull(-1)[::-1], white)
    sketch.polygon(
        [
            *hull(1),
            *[
                at(wide * 0.25, along)
                for wide, along in ((0.1, -0.36), (0.125, 0.08), (0.1, 0.28), (0.0, 0.5))
            ],
        ],
        shade,
    )
    sketch.polygon([at(-0.072, 0.37), at(0.0, 0.5), at(0.072, 0.37)], red)
    centre = at(0, 0.14)
    for radius, colour in ((0.075, red), (0.056, glass)):
        sketch.oval(
            centre[0] - radius * size,
            centre[1] - radius * size,
            centre[0] + radius * size,
            centre[1] + radius * size,
            colour,
        )
    sketch.polygon([at(-0.018, -0.2), at(0.018, -0.2), at(0.014, -0.5), at(-0.014, -0.5)], red)
    return sketch.layer(-box / 2, -box / 2)
