"""Colours as RGB triples in 0..1, and their way to video's Y, Cb, Cr (BT.709, limited range)."""

import colorsys
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Rgb = tuple[float, float, float]
Triples = NDArray[np.float32]

TO_YUV = np.array(
    [
        [0.2126 * 219, 0.7152 * 219, 0.0722 * 219],
        [-0.1146 * 224, -0.3854 * 224, 0.5 * 224],
        [0.5 * 224, -0.4542 * 224, -0.0458 * 224],
    ],
    np.float32,
)
OFFSET = np.array([16, 128, 128], np.float32)


def rgb(code: str) -> Rgb:
    code = code.lstrip("#")
    return int(code[0:2], 16) / 255, int(code[2:4], 16) / 255, int(code[4:6], 16) / 255


def mix(one: Rgb, other: Rgb, share: float) -> Rgb:
    """`share` of the other."""
    return (
        one[0] + (other[0] - one[0]) * share,
        one[1] + (other[1] - one[1]) * share,
        one[2] + (other[2] - one[2]) * share,
    )


def adjust(colour: Rgb, *, hue: float = 0.0, saturation: float = 1.0, value: float = 1.0) -> Rgb:
    """`hue` is a turn in 0..1; the others are factors."""
    h, s, v = colorsys.rgb_to_hsv(*(min(1.0, max(0.0, part)) for part in colour))
    return colorsys.hsv_to_rgb((h + hue) % 1, min(1.0, s * saturation), min(1.0, v * value))


def ramp(stops: Sequence[tuple[float, Rgb]], steps: int = 1024) -> Triples:
    """steps x 3; between the stops the colours ease, so no stop shows as an edge."""
    places = np.linspace(0, 1, steps)
    at = np.array([place for place, _ in stops])
    return np.stack([_ease(places, at, [colour[i] for _, colour in stops]) for i in range(3)], 1).astype(
        np.float32
    )


def _ease(
    places: NDArray[np.float64], at: NDArray[np.float64], values: Sequence[float]
) -> NDArray[np.float64]:
    straight = np.interp(places, at, values)
    reach = max(1, len(places) // 14)
    kernel = np.hanning(2 * reach + 1)
    padded = np.pad(straight, reach, mode="edge")
    return np.convolve(padded, kernel / kernel.sum(), mode="valid")


def to_yuv(colours: Triples) -> Triples:
    """Any shape that ends with 3."""
    return np.asarray(colours @ TO_YUV.T + OFFSET, np.float32)
