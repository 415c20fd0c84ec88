"""Draws hover previews; pure functions that run in a worker process."""

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
from av.video.frame import VideoFrame
from PIL import Image

from services.core.model import Kind
from services.media import films, frame_display, pictures
from services.media.animations import frames_of
from services.media.formats import Format
from services.media.probe import UNDECODABLE, format_of

PREVIEW_WIDTH = 320
PREVIEW_S = 3
PREVIEW_FPS = 12
_X264 = {"preset": "veryfast", "crf": "30", "maxrate": "160k", "bufsize": "320k"}


def preview(path: Path, out: Path) -> None:
    """Writes the first 3 s as a silent H.264 film, 320 px wide, that plays from its first bytes."""
    found = format_of(path)
    opened = _of_film(path, found) if found.kind is Kind.VIDEO else _of_picture(path, found)
    with opened as images, av.open(str(out), "w", format="mp4", options={"movflags": "+faststart"}) as made:
        if (first := next(images, None)) is None:
            raise ValueError(films.NO_FRAME)
        stream = made.add_stream("libx264", rate=PREVIEW_FPS, options=_X264)
        stream.width = PREVIEW_WIDTH
        stream.height = max(2, round(first.height * PREVIEW_WIDTH / first.width / 2) * 2)
        stream.pix_fmt = "yuv420p"
        stream.codec_context.thread_count = 1
        for number, image in enumerate(chain([first], images)):
            frame = VideoFrame.from_image(image.convert("RGB"))  # type: ignore[no-untyped-call]
            small = frame.reformat(stream.width, stream.height, "yuv420p", threads=1)
            small.pts, small.time_base = number, Fraction(1, PREVIEW_FPS)
            made.mux(stream.encode(small))
        made.mux(stream.encode(None))


@contextmanager
def _of_film(path: Path, found: Format) -> Iterator[Iterator[Image.Image]]:
    with films.open_film(path, found) as film:
        stream = films.video_stream(film)
        frames = films.spaced(films.decoded(film, stream), every_s=1 / PREVIEW_FPS, until_s=PREVIEW_S)
        yield (frame_display.displayed(frame, stream, max_width=PREVIEW_WIDTH) for frame in frames)


@contextmanager
def _of_picture(path: Path, found: Format) -> Iterator[Iterator[Image.Image]]:
    with pictures.open_image(path, found) as image:
        yield _repeated(image, frames_of(path, found).delays_ms)


def _repeated(image: Image.Image, delays_ms: list[float]) -> Iterator[Image.Image]:
    """Each frame as often as its time asks for, up to one that does not decode."""
    drawn, end_s = 0, 0.0
    for number in range(getattr(image, "n_frames", 1)):
        end_s += delays_ms[number] / 1000 if number < len(delays_ms) else 1 / PREVIEW_FPS
        if drawn / PREVIEW_FPS >= end_s:
            continue
        try:
            image.seek(number)
            shown = pictures.displayed(image)
        except UNDECODABLE:
            return
        while drawn / PREVIEW_FPS < min(end_s, PREVIEW_S):
            yield shown
            drawn += 1
        if end_s >= PREVIEW_S:
            return
