"""Ridges with relief, haze at the foot and light from one side."""

from dataclasses import dataclass

import numpy as np

from services.animatic.film.colour import Rgb, mix, ramp
from services.animatic.film.layer import Layer, from_ramp
from services.animatic.film.noise import Field, line, sample
from services.animatic.film.stage import Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Ridge:
    """`crest` is the mean row of the ridge line, `swing` its reach in units; `mist` greys the foot."""

    crest: float
    swing: float
    waves: float
    near: float
    roughness: float = 0.9
    sharp: float = 0.0
    relief: float = 1.0
    mist: float = 0.5
    snow: float = 0.0
    light_left: bool = False


def ridge_line(stage: Stage, name: str, ridge: Ridge) -> Field:
    """The row of the ridge for each column of a full-width layer."""
    curve = line(
        stage.dice(name), stage.wide, waves=ridge.waves * stage.wide / stage.unit, roughness=ridge.roughness
    )
    if ridge.sharp:
        peaks: Field = 1 - np.float32(2.2) * np.abs(
            line(
                stage.dice(name + "s"),
                stage.wide,
                waves=ridge.waves * stage.wide / stage.unit,
                roughness=1.1,
                octaves=5,
            )
        )
        curve = np.asarray(curve * (1 - ridge.sharp) + peaks * ridge.sharp, np.float32)
    return np.asarray(ridge.crest - curve * ridge.swing * stage.unit, np.float32)


def ridge_layer(
    stage: Stage, name: str, ridge: Ridge, edge: Field | None = None, *, albedo: Rgb | None = None
) -> Layer:
    """From the ridge's top down to below the canvas."""
    edge = ridge_line(stage, name, ridge) if edge is None else edge
    y = max(-stage.margin_y, int(edge.min()) - 4) // 2 * 2
    height = stage.even(stage.height + stage.margin_y - y)
    rows = np.arange(height, dtype=np.float32)[:, None] + y
    below = rows - edge[None, :]
    alpha = np.clip(below + 0.5, 0, 1)
    tone = _tone(stage, name, ridge, below)
    return from_ramp(tone, _colours(stage, ridge, albedo), alpha, x=-stage.margin_x, y=y)


def _tone(stage: Stage, name: str, ridge: Ridge, below: Field) -> Field:
    """0 shadow, 0.5 plain, up to 0.75 lit or snow; 1 is all mist."""
    height, width = below.shape
    half = (height // 2, width // 2)
    px = 2 * 720 / stage.unit
    bumps = sample(stage.dice(name + "r"), *half, scale_x=0.8 * px, scale_y=0.55 * px, roughness=1.6)
    step = 2 if ridge.light_left else -2
    slope = (np.roll(bumps, (-1, -step), (0, 1)) - np.roll(bumps, (1, step), (0, 1))) * ridge.relief * 1.5
    depth = np.clip(below[::2, ::2] / (0.42 * stage.unit), 0, 1)
    shade = np.clip(0.38 + slope * (1 - 0.6 * depth), 0.02, 0.6)
    if ridge.snow:
        drop = below[::2, ::2] / stage.unit + (bumps - 0.5) * 0.22
        cap = np.clip((ridge.snow - drop) * 18, 0, 1)
        shade = shade * (1 - cap) + np.clip(0.66 + slope * 0.55, 0.5, 0.8) * cap
    foot = np.clip(depth * (0.8 + 0.5 * (bumps - 0.5)), 0, 1) ** 1.3 * ridge.mist
    tone = shade * (1 - foot) + foot
    full = np.repeat(np.repeat(tone, 2, 0), 2, 1)
    return np.asarray(full, np.float32)


def _colours(stage: Stage, ridge: Ridge, albedo: Rgb | None) -> Field:
    palette = stage.palette
    ground = albedo or palette.ground
    dark = mix(palette.haze, palette.shade, ridge.near)
    plain = mix(palette.haze, ground, ridge.near)
    lit = mix(plain, mix(palette.sun, ground, 0.45), 0.28 + 0.3 * palette.brightness)
    snow = mix(mix(palette.haze, palette.sun, 0.75), palette.haze, 0.35 * (1 - ridge.near))
    return ramp(
        (
            (0.0, dark),
            (0.36, plain),
            (0.6, lit),
            (0.68, mix(lit, snow, 0.8)),
            (0.8, snow),
            (1.0, palette.haze),
        )
    )
