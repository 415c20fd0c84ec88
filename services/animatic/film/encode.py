"""Frames into an MP4 or a PNG, written beside the target and renamed when whole."""

import os
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.reformatter import ColorRange, Colorspace
from PIL import Image

from services.animatic.film.planes import Planes
from services.animatic.order import Order

Progress = Callable[[float], None]

THREADS = 2
THUMBNAIL_WIDTH = 480
X264 = {
    "preset": "veryfast",
    "crf": "19",
    # The number of threads shapes the stream, so it is fixed: the same order gives the same bytes.
    "threads": str(THREADS),
    "x264-params": "aq-mode=3:aq-strength=0.9:deblock=-1,-1",
}


def save_film(frames: Iterator[Planes], order: Order, target: Path, progress: Progress) -> None:
    """`progress` is told the share of the frames that have left the encoder."""
    part = target.with_name(f"{target.name}.part")
    rate = Fraction(order.frame_rate).limit_denominator(1001)
    with av.open(str(part), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=rate, options=dict(X264))
        codec = stream.codec_context
        assert isinstance(codec, VideoCodecContext)
        codec.width, codec.height, codec.pix_fmt = order.width, order.height, "yuv420p"
        codec.thread_count = THREADS
        codec.color_range, codec.colorspace = 1, 1
        codec.color_primaries, codec.color_trc = 1, 1
        codec.gop_size = round(order.frame_rate * 2)
        left = 0
        for number, frame in enumerate(frames):
            picture = _video_frame(frame)
            picture.pts, picture.time_base = number, 1 / rate
            for packet in stream.encode(picture):
                container.mux(packet)
                left += 1
            progress(left / order.frame_count)
        for packet in stream.encode():
            container.mux(packet)
            left += 1
            progress(left / order.frame_count)
    _settle(part, target)


def save_still(frame: Planes, target: Path) -> None:
    part = target.with_name(f"{target.name}.part")
    Image.fromarray(_rgb(frame)).save(part, "PNG", compress_level=4)
    _settle(part, target)


def save_thumbnail(frame: Planes, target: Path) -> None:
    picture = Image.fromarray(_rgb(frame))
    picture.thumbnail((THUMBNAIL_WIDTH, THUMBNAIL_WIDTH))
    part = target.with_name(f"{target.name}.part")
    picture.save(part, "JPEG", quality=86)
    part.replace(target)


def _video_frame(frame: Planes) -> av.VideoFrame:
    picture = av.VideoFrame(frame.width, frame.height, "yuv420p")
    for plane, source in zip(picture.planes, frame.all(), strict=True):
        rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
        rows[: source.shape[0], : source.shape[1]] = source
    return picture


def _rgb(frame: Planes) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    picture = _video_frame(frame)
    return picture.to_ndarray(format="rgb24", src_colorspace=Colorspace.ITU709, src_color_range=ColorRange.MPEG,
                              dst_color_range=ColorRange.JPEG)  # fmt: skip


def _settle(part: Path, target: Path) -> None:
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.replace(target)
