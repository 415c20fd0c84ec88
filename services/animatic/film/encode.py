"""Frames into an MP4 or a PNG, written beside the target and renamed when whole."""

import os
import queue
import threading
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import OutputContainer
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.reformatter import ColorRange, Colorspace
from av.video.stream import VideoStream
from PIL import Image

from services.animatic.film.planes import Bytes, Planes
from services.animatic.job_request import Order

Progress = Callable[[float], None]
Shot = Callable[[], Planes]

THREADS = 2
AHEAD = 1
THUMBNAIL_WIDTH = 480
X264 = {
    "preset": "veryfast",
    "crf": "22",
    # The number of threads shapes the stream, so it is fixed: the same order gives the same bytes.
    "threads": str(THREADS),
    # Against plain veryfast: the same size and look on these smooth pictures in a third of the time.
    "x264-params": "aq-mode=3:aq-strength=0.9:subme=0:me=dia:merange=8:ref=1:8x8dct=0:cabac=0:"
    "partitions=none:rc-lookahead=4:weightp=0:bframes=2:b-adapt=0:scenecut=0",
}


def save_film(shots: Iterator[Shot], order: Order, target: Path, progress: Progress) -> None:
    """`progress` is told the share of frames that have left the encoder; it calls the shots in a thread."""
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
        pump = _Pump(container, stream, order.frame_count, progress)
        try:
            for shot in shots:
                pump.take(shot)
        finally:
            pump.finish()
    _settle(part, target)


class _Pump:
    """Encodes in a thread of its own: drawing the next frames goes on meanwhile (both leave the GIL)."""

    def __init__(
        self, container: OutputContainer, stream: VideoStream, count: int, progress: Progress
    ) -> None:
        self._container, self._stream = container, stream
        self._count, self._progress, self._done = count, progress, 0
        self._shots: queue.Queue[Shot | None] = queue.Queue(AHEAD)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="encoder")
        self._thread.start()

    def take(self, shot: Shot) -> None:
        if self._error is None:
            self._shots.put(shot)

    def finish(self) -> None:
        """Raises what the encoder raised."""
        self._shots.put(None)
        self._thread.join()
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        shot: Shot | None
        number = 0
        try:
            while (shot := self._shots.get()) is not None:
                picture = _video_frame(shot())
                picture.pts, number = number, number + 1
                self._mux(self._stream.encode(picture))
            self._mux(self._stream.encode())
        except Exception as error:
            self._error = error
            while self._shots.get() is not None:
                pass

    def _mux(self, packets: "list[Packet[VideoStream]]") -> None:
        for packet in packets:
            self._container.mux(packet)
            self._done += 1
        self._progress(self._done / self._count)


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
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
        rows[: source.shape[0], : source.shape[1]] = source
    return picture


def _rgb(frame: Planes) -> Bytes:
    picture = _video_frame(frame)
    pixels = picture.to_ndarray(
        format="rgb24",
        src_colorspace=Colorspace.ITU709,
        src_color_range=ColorRange.MPEG,
        dst_color_range=ColorRange.JPEG,
    )
    return np.asarray(pixels, np.uint8)


def _settle(part: Path, target: Path) -> None:
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.replace(target)
