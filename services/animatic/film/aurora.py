"""Northern lights: hanging curtains that sway and brighten."""

import math

import numpy as np
from numpy.typing import NDArray

from services.animatic.film.camera import Moment
from services.animatic.film.colour import ramp, rgb
from services.animatic.film.layer import Layer, from_ramp
from services.animatic.film.noise import Field, line
from services.animatic.film.planes import Planes
from services.animatic.film.stage import Stage

CURTAINS = 3
GREEN, TEAL, VIOLET = rgb("7dffb2"), rgb("3fd6c0"), rgb("8a5cf0")


def aurora(stage: Stage, horizon: float) -> None:
    random = stage.dice("aurora")
    curtains = [_curtain(stage, number, horizon) for number in range(CURTAINS)]
    paces = random.uniform(0.35, 0.8, CURTAINS)
    phases = random.uniform(0, 6, CURTAINS)

    def part(frame: Planes, moment: Moment) -> None:
        for curtain, pace, phase in zip(curtains, paces, phases, strict=True):
            sway = 0.035 * stage.unit * math.sin(moment.time_s * pace * 0.6 + phase)
            power = 0.68 + 0.28 * math.sin(moment.time_s * pace * 1.6 + phase * 2)
            curtain.draw(frame, moment.travel_x * 0.1 + sway, 0.0, stage.bench, power)

    stage.add(part)


def _curtain(stage: Stage, number: int, horizon: float) -> Layer:
    """Rays upward from a winding lower edge, drawn at half size: they have no hard edges."""
    random = stage.dice(f"curtain{number}")
    pad = stage.even(stage.unit * 0.06)
    width, height = (stage.wide + 2 * pad) // 2, stage.even(horizon) // 2
    fold = line(random, width, waves=2.2, roughness=1.5)
    edge = height * (0.62 - 0.13 * number) - fold * 0.1 * height
    rays = line(random, width, waves=34, roughness=0.6) * 0.3 + 0.62
    veil = line(random, width, waves=3, roughness=1.0) * 0.5 + 0.5
    up = (edge[None, :] - np.arange(height, dtype=np.float32)[:, None]) / (0.42 * height)
    tall = 0.55 + 0.6 * rays[None, :]
    body = np.where(up > 0, np.exp(-np.maximum(up, 0) / tall * 2.3), np.exp(np.minimum(up, 0) * 22))
    alpha = np.clip(body * rays[None, :] * np.clip(veil * 1.3, 0.12, 1)[None, :] * 1.25, 0, 0.9)
    alpha = alpha * np.clip(np.arange(height) / (0.15 * height), 0, 1)[:, None]
    colours = ramp(((0.0, GREEN), (0.35, TEAL), (0.8, VIOLET), (1.0, VIOLET)))
    tone = np.clip(up * 0.85, 0, 1)
    full_tone, full_alpha = (
        np.repeat(np.repeat(field, 2, 0), 2, 1).astype(np.float32) for field in (tone, alpha)
    )
    return from_ramp(full_tone, np.asarray(colours), full_alpha, x=-stage.margin_x - pad)


def _double(field: NDArray[np.float64]) -> Field:
    return np.repeat(np.repeat(field, 2, 0), 2, 1).astype(np.float32)
