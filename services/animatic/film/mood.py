"""A person's own picture in the light and the weather that the words ask for."""

import numpy as np

from services.animatic.film.colour import Rgb, Triples, rgb
from services.animatic.film.prompt_parser import Reading

LIGHTS: dict[str, tuple[Rgb, float, float]] = {
    "night": ((0.42, 0.53, 0.78), 1.18, 0.75),
    "dusk": ((1.0, 0.74, 0.66), 1.06, 1.05),
    "dawn": ((1.02, 0.9, 0.88), 0.94, 0.9),
    "day": ((1.06, 1.04, 0.98), 0.94, 1.05),
}
"""What the light does to white, the contrast (1 leaves it), the saturation."""
VEILS: dict[str, tuple[str, float, float]] = {
    "fog": ("c3c8cb", 0.42, 0.6),
    "rain": ("66727f", 0.2, 0.72),
    "storm": ("3d4754", 0.3, 0.62),
    "snow": ("cfdae6", 0.16, 0.78),
}
"""The colour of the air, how much of it stands before the picture, the saturation."""
GREY = np.array([0.2126, 0.7152, 0.0722], np.float32)


def graded(picture: Triples, reading: Reading) -> Triples:
    """As it is where the words name neither a time of day nor a weather."""
    if reading.time_named:
        white, contrast, saturation = LIGHTS[reading.time]
        picture = _saturated(picture, saturation) * np.array(white, np.float32)
        picture = np.clip(picture, 0, 1) ** np.float32(contrast)
    if reading.weather in VEILS:
        air, share, saturation = VEILS[reading.weather]
        dim = 0.45 if reading.time_named and reading.time == "night" else 1.0
        veil = np.array(rgb(air), np.float32) * np.float32(dim)
        picture = _saturated(picture, saturation) * np.float32(1 - share) + veil * np.float32(share)
    return np.asarray(np.clip(picture, 0, 1), np.float32)


def _saturated(picture: Triples, saturation: float) -> Triples:
    grey = (picture @ GREY)[..., None]
    return np.asarray(grey + (picture - grey) * np.float32(saturation), np.float32)
