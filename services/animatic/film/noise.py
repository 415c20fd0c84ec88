"""Tileable noise, made once per process, and the seeded samples taken from it."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Field = NDArray[np.float32]

TILE = 1024


@lru_cache(maxsize=8)
def tile(kind: int, roughness: float) -> Field:
    """1024 x 1024, wraps on both axes, in 0..1; amplitude falls with frequency ** -roughness."""
    random = np.random.default_rng(7001 + kind)
    across = np.fft.rfftfreq(TILE)[None, :]
    down = np.fft.fftfreq(TILE)[:, None]
    frequency = np.sqrt(across**2 + down**2)
    frequency[0, 0] = 1
    phases = random.uniform(0, 2 * np.pi, frequency.shape)
    spectrum = frequency**-roughness * np.exp(1j * phases)
    spectrum[0, 0] = 0
    waves = np.fft.irfft2(spectrum, (TILE, TILE)).astype(np.float32)
    waves /= waves.std()
    return np.asarray(1 / (1 + np.exp(-1.7 * waves)), np.float32)


def sample(
    random: np.random.Generator,
    height: int,
    width: int,
    *,
    scale_x: float,
    scale_y: float,
    roughness: float = 1.8,
    kind: int = 0,
) -> Field:
    """A random place of the tile; `scale` is the tile's pixels per picture pixel."""
    source = tile(kind, roughness)
    tall, wide = int(height * scale_y) + 2, int(width * scale_x) + 2
    rows = (np.arange(tall) + int(random.integers(TILE))) % TILE
    columns = (np.arange(wide) + int(random.integers(TILE))) % TILE
    patch = Image.fromarray(source[np.ix_(rows, columns)])
    return np.asarray(patch.resize((width, height), Image.Resampling.BICUBIC), np.float32)


def line(
    random: np.random.Generator, length: int, *, waves: float, roughness: float = 1.0, octaves: int = 7
) -> Field:
    """A random line in about -1..1 with `waves` large swings over its length."""
    total = np.zeros(length, np.float32)
    weight, norm = 1.0, 0.0
    for octave in range(octaves):
        knots = max(2, round(waves * 2**octave)) + 3
        if knots > length:
            break
        values = random.uniform(-1, 1, knots)
        total += weight * _smooth(values, length)
        norm += weight * 0.6
        weight *= 0.5**roughness
    return np.asarray(total / np.float32(norm), np.float32)


def _smooth(values: NDArray[np.float64], length: int) -> Field:
    """Catmull-Rom through the values."""
    place = np.linspace(1, len(values) - 2.001, length)
    left = place.astype(int)
    t = place - left
    a, b, c, d = (values[np.clip(left + step, 0, len(values) - 1)] for step in (-1, 0, 1, 2))
    curve = b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
    return np.asarray(curve, np.float32)


@lru_cache(maxsize=2)
def dither(size: int = 512) -> Field:
    """High-pass noise in 0..1: hides the steps of 8 bits better than white noise."""
    random = np.random.default_rng(77)
    white = random.random((size, size), dtype=np.float32)
    low = (np.roll(white, 1, 0) + np.roll(white, -1, 0) + np.roll(white, 1, 1) + np.roll(white, -1, 1)) / 4
    high = white - low
    ranks = np.argsort(np.argsort(high, axis=None), axis=None).reshape(size, size)
    return (ranks / (size * size)).astype(np.float32)


def dither_of(height: int, width: int) -> Field:
    source = dither()
    size = source.shape[0]
    return np.asarray(source[np.ix_(np.arange(height) % size, np.arange(width) % size)])
