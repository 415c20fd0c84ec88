"""The sky: gradient, sun or moon with its glow, stars, clouds, aurora."""

import numpy as np
from PIL import Image

from services.animatic.film.aurora import aurora
from services.animatic.film.camera import Moment
from services.animatic.film.colour import Rgb, Triples, mix, ramp
from services.animatic.film.layer import from_ramp, from_rgb
from services.animatic.film.noise import Field, sample
from services.animatic.film.planes import Planes
from services.animatic.film.stage import Stage, shift

DEPTH = 0.08


def sky(stage: Stage, horizon: float, light: tuple[float, float] | None, light_radius: float) -> None:
    """`horizon` is a canvas row; `light` is where the sun or the moon stands on the canvas."""
    height = stage.even(stage.height + stage.margin_y)
    above = stage.margin_y // 2 // 2 * 2
    rows = np.arange(height, dtype=np.float32)[:, None] - above
    columns = np.arange(stage.wide, dtype=np.float32)[None, :] - stage.margin_x
    fall = np.clip(rows / horizon, 0, 1) ** 1.15
    picture = _gradient(stage, np.broadcast_to(fall, (height, stage.wide)))
    if stage.reading.time == "night" and stage.reading.weather not in ("storm", "rain", "fog"):
        _stars(stage, picture, above, horizon)
    if light is not None:
        _shine(stage, picture, columns - light[0], rows - light[1], light_radius)
    stage.put(from_rgb(picture, x=-stage.margin_x, y=-above), DEPTH)
    if stage.reading.time == "night" and stage.reading.weather == "clear":
        twinkles(stage, horizon)
    if stage.reading.has("aurora"):
        aurora(stage, horizon)


def _gradient(stage: Stage, fall: Field) -> Triples:
    colours = ramp(stage.palette.sky)
    index = (fall[:, 0] * (len(colours) - 1)).astype(np.int64)
    return np.repeat(colours[index][:, None, :], fall.shape[1], 1)


def _shine(stage: Stage, picture: Triples, dx: Field, dy: Field, radius: float) -> None:
    """A disc with a soft edge, a tight glow and a wide one."""
    far = np.sqrt(dx**2 + dy**2) / radius
    night = stage.reading.time == "night"
    veil = {"fog": 0.45, "storm": 0.25, "rain": 0.3, "snow": 0.5}.get(stage.reading.weather, 1.0)
    glow = np.exp(-far / 2.2) * (0.5 if night else 0.6) + np.exp(-far / 9) * (0.22 if night else 0.42)
    glow = np.clip(glow, 0, 1) * (0.45 + 0.55 * veil)
    disc = np.clip((1 - far) * radius / 1.5 + 0.5, 0, 1) * veil
    warm = mix(stage.palette.sun, stage.palette.sky[-1][1], 0.35)
    for channel in range(3):
        plane = picture[..., channel]
        plane += (warm[channel] - plane) * glow
        plane += (min(1.0, stage.palette.sun[channel] * 1.02) - plane) * disc


def _stars(stage: Stage, picture: Triples, top: int, horizon: float) -> None:
    random = stage.dice("stars")
    height = top + round(horizon)
    light = np.zeros((height, picture.shape[1]), np.float32)
    size = max(1.0, stage.unit / 720)
    for _ in range(int(300 * stage.width / stage.height)):
        x, y = random.uniform(2, picture.shape[1] - 4), random.uniform(2, height - 4)
        fade = 1 - (y / height) ** 2.2
        _dot(light, x, y, (random.pareto(2.2) * 0.3 + 0.14) * fade, size * random.uniform(0.55, 0.9))
    share = np.clip(light, 0, 0.95)[..., None]
    picture[:height] += (np.array((0.95, 0.97, 1.0), np.float32) - picture[:height]) * share


def twinkles(stage: Stage, horizon: float) -> None:
    random = stage.dice("twinkles")
    for _ in range(9):
        _twinkle(stage, random.uniform(0, stage.width), random.uniform(0, horizon * 0.7), random)


def _twinkle(stage: Stage, x: float, y: float, random: np.random.Generator) -> None:
    side = 12
    spot = np.zeros((side, side), np.float32)
    _dot(spot, side / 2, side / 2, 1.0, 1.1 * max(1.0, stage.unit / 720))
    layer = from_ramp(
        np.zeros_like(spot), ramp(((0, (0.95, 0.97, 1.0)), (1, (1, 1, 1)))), spot, x=int(x), y=int(y)
    )
    speed, phase = random.uniform(1.5, 4), random.uniform(0, 6)

    def part(frame: Planes, moment: Moment) -> None:
        opacity = 0.55 + 0.4 * np.sin(speed * moment.time_s + phase)
        layer.draw(frame, *shift(moment, DEPTH), stage.bench, float(opacity))

    stage.add(part)


def _dot(light: Field, x: float, y: float, power: float, radius: float) -> None:
    left, top = int(x) - 3, int(y) - 3
    window = light[max(0, top) : top + 8, max(0, left) : left + 8]
    rows = np.arange(window.shape[0])[:, None] + max(0, top) - y
    columns = np.arange(window.shape[1])[None, :] + max(0, left) - x
    window += power * np.exp(-(rows**2 + columns**2) / (2 * radius**2))


def clouds(
    stage: Stage, horizon: float, *, cover: float, light: tuple[float, float] | None, dark: bool = False
) -> None:
    """Two banks at different heights, each lit from the light's side, drifting at its own pace."""
    if stage.reading.has("aurora"):
        return
    for number, (centre, reach, scale) in enumerate(((0.62, 0.22, 1.3), (0.3, 0.3, 0.75))):
        _bank(stage, f"clouds{number}", horizon, centre, reach, scale, cover, light, dark, 3 + 4 * number)


def _bank(
    stage: Stage,
    name: str,
    horizon: float,
    centre: float,
    reach: float,
    scale: float,
    cover: float,
    light: tuple[float, float] | None,
    dark: bool,
    speed: float,
) -> None:
    random = stage.dice(name)
    extra = stage.even(stage.unit * 0.35)
    height, width = stage.even(horizon), stage.wide + extra
    half = (height // 2, width // 2)
    px = 2 * 720 / stage.unit
    body = sample(random, *half, scale_x=0.32 * scale * px, scale_y=0.95 * scale * px, roughness=1.75)
    lit = body - np.roll(body, (-4, 3 if light is None or light[0] > stage.width / 2 else -3), (0, 1))
    rows = np.linspace(0, 1, half[0], dtype=np.float32)[:, None]
    belt = np.clip(1.25 - rows * 1.1, 0, 1) if dark else np.exp(-(((rows - centre) / reach) ** 2))
    alpha = np.clip((body * (0.55 + 0.45 * belt) - (1 - cover * belt)) * 3.2, 0, 1) * belt
    alpha = alpha**1.2 * (0.9 if dark else 0.75)
    tone = np.clip(0.45 + lit * 5.5 + (0.25 - 0.5 * rows), 0, 1)
    tone, alpha = _double(tone), _double(alpha)
    edge = np.minimum(np.arange(width), np.arange(width)[::-1]) / (stage.unit * 0.05)
    stage.put(
        from_ramp(
            tone,
            ramp(_cloud_colours(stage, dark)),
            alpha * np.clip(edge, 0, 1)[None, :].astype(np.float32),
            x=-stage.margin_x - extra // 2,
        ),
        DEPTH * 1.5,
        drift_x=speed * stage.unit / 720,
    )


def _cloud_colours(stage: Stage, dark: bool) -> tuple[tuple[float, Rgb], ...]:
    palette = stage.palette
    if dark:
        return (0.0, mix(palette.shade, palette.sky[0][1], 0.5)), (
            1.0,
            mix(palette.sky[1][1], palette.haze, 0.45),
        )
    under = mix(palette.sky[1][1], palette.haze, 0.45)
    return (
        (0.0, under),
        (0.6, mix(under, palette.sky[-1][1], 0.7)),
        (1.0, mix(palette.sky[-1][1], palette.sun, 0.7)),
    )


def _double(field: Field) -> Field:
    height, width = field.shape
    return np.asarray(
        Image.fromarray(field).resize((width * 2, height * 2), Image.Resampling.BILINEAR), np.float32
    )
