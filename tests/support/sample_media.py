"""Small real films and pictures, and a mark that makes each job's copy unique."""

from __future__ import annotations

import functools
import io
import struct
import zlib
from fractions import Fraction
from typing import Any

import av
import numpy as np
from PIL import Image


@functools.cache
def tiny_film() -> bytes:
    return _film(160, 90, frames=12, noise=0)


@functools.cache
def small_film() -> bytes:
    """About 250 KB."""
    return _film(640, 360, frames=24, noise=32)


@functools.cache
def picture() -> bytes:
    out = io.BytesIO()
    Image.fromarray(_frame(320, 180, 0, np.random.default_rng(1), 10)).save(out, "PNG")
    return out.getvalue()


def marked(content: bytes, mark: str) -> bytes:
    """The same film or picture with `mark` in a `free` box or a text chunk."""
    note = mark.encode()
    if not content.startswith(b"\x89PNG"):
        return content + struct.pack(">I", len(note) + 8) + b"free" + note
    chunk = b"tEXt" + b"mark\0" + note
    packed = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return content[:-12] + packed + content[-12:]


def _film(width: int, height: int, *, frames: int, noise: int) -> bytes:
    out = io.BytesIO()
    rng = np.random.default_rng(7)
    with av.open(out, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=24, options={"preset": "veryfast", "crf": "28"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.time_base = Fraction(1, 24)
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(_frame(width, height, number, rng, noise), format="rgb24")
            for packet in stream.encode(frame):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return out.getvalue()


def _frame(
    width: int, height: int, number: int, rng: np.random.Generator, noise: int
) -> np.ndarray[Any, Any]:
    across = np.linspace(0, 255, width)[None, :, None] * np.array([1.0, 0.5, 0.2])
    image = np.broadcast_to(across, (height, width, 3)) + number * 4
    if noise:
        image = image + rng.integers(-noise, noise + 1, (height, width, 3))
    clipped: np.ndarray[Any, Any] = np.clip(image, 0, 255).astype(np.uint8)
    return clipped
