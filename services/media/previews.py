"""Draws poster and hover preview of a kept file; pure functions that run in the worker."""

from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace
from av.video.stream import VideoStream
from PIL import Image, ImageStat

from services.core.model import Kind
from services.media.probe import known_format, open_film, open_picture, picture_of

POSTER_WIDTH = 640
PREVIEW_WIDTH = 320
PREVIEW_S = 3
PREVIEW_FPS = 12
DARK = 20  # mean luma of 255


def poster(path: Path, out: Path) -> None:
    """A WebP, at most 640 px wide."""
    found = known_format(path)
    image = _telling_frame(path) if found.kind is Kind.VIDEO else _first_image(path)
    image.thumbnail((POSTER_WIDTH, POSTER_WIDTH * 4), Image.Resampling.BILINEAR, reducing_gap=2.0)
    image.save(out, "WEBP", quality=80, method=2)


def still(path: Path, out: Path) -> None:
    """A PNG of its full size: a film's last frame, a picture's first."""
    found = known_format(path)
    if found.kind is Kind.VIDEO:
        image = _last_frame(path)
    else:
        with open_picture(path, found) as opened:
            image = opened.convert("RGBA" if opened.has_transparency_data else "RGB")
    image.save(out, "PNG", compress_level=2)


def preview(path: Path, out: Path) -> None:
    """The first three seconds as a silent H.264 film, 320 px wide, that plays from its first bytes."""
    with (
        open_film(path, known_format(path)) as film,
        av.open(str(out), "w", format="mp4", options={"movflags": "+faststart"}) as made,
    ):
        source = picture_of(film)
        source.codec_context.options = {"skip_loop_filter": "all"}  # not to be seen at this size
        frames = _thinned(film, source)
        first = next(frames)
        stream = made.add_stream("libx264", rate=PREVIEW_FPS, options=_X264)
        stream.width = PREVIEW_WIDTH
        stream.height = max(2, round(first.height * PREVIEW_WIDTH / first.width / 2) * 2)
        stream.pix_fmt = "yuv420p"
        stream.codec_context.thread_count = 1
        for number, frame in enumerate(_chained(first, frames)):
            small = frame.reformat(stream.width, stream.height, "yuv420p")
            small.pts, small.time_base = number, Fraction(1, PREVIEW_FPS)
            made.mux(stream.encode(small))
        made.mux(stream.encode(None))


_X264 = {"preset": "veryfast", "crf": "30", "maxrate": "160k", "bufsize": "320k"}


def _chained(first: VideoFrame, others: Iterator[VideoFrame]) -> Iterator[VideoFrame]:
    yield first
    yield from others


def _thinned(film: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    due_s = 0.0
    for number, frame in enumerate(film.decode(stream)):
        at_s = frame.time if frame.time is not None else number / PREVIEW_FPS
        if at_s >= PREVIEW_S:
            return
        if at_s >= due_s - 0.001:
            yield frame
            due_s = max(due_s + 1 / PREVIEW_FPS, at_s)


def _first_image(path: Path) -> Image.Image:
    with open_picture(path, known_format(path)) as image:
        image.draft("RGB", (POSTER_WIDTH * 2, POSTER_WIDTH * 2))
        return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _telling_frame(path: Path) -> Image.Image:
    """A third into the film, or later or earlier where that is dark; the brightest of a dark film."""
    with open_film(path, known_format(path)) as film:
        stream = picture_of(film)
        stream.codec_context.skip_frame = "NONREF"  # half the work; the frame may come a little later
        length = stream.duration or 0
        seen = []
        for share in (1 / 3, 2 / 3, 1 / 10):
            frame = _frame_at(film, stream, int(length * share))
            if frame is None:
                continue
            image: Image.Image = frame.reformat(*_poster_size(frame), "rgb24").to_image()  # type: ignore[no-untyped-call]
            luma = ImageStat.Stat(image.convert("L")).mean[0]
            seen.append((luma, image))
            if luma > DARK:
                break
        if not seen:
            raise ValueError("The film has no frame that decodes.")
        return max(seen, key=lambda each: each[0])[1]


def _last_frame(path: Path) -> Image.Image:
    with open_film(path, known_format(path)) as film:
        stream = picture_of(film)
        # A seek to the end lands on the key frame before it; a film without an index is read from its start.
        for start in (stream.duration or 0, 0):
            film.seek(start, stream=stream)
            if last := deque(film.decode(stream), maxlen=1):
                return _as_seen(last[0])
    raise ValueError("The film has no frame that decodes.")


def _as_seen(frame: VideoFrame) -> Image.Image:
    """In the colours that players show; untagged films are BT.709 from 720 lines on, as players guess."""
    guess = Colorspace.ITU709 if frame.height >= 720 else Colorspace.ITU601
    colours = _TAGGED.get(int(frame.colorspace), guess)
    return Image.fromarray(frame.to_ndarray(format="rgb24", src_colorspace=colours))


_TAGGED = {1: Colorspace.ITU709, 5: Colorspace.ITU601, 6: Colorspace.ITU601, 9: Colorspace.BT2020}
"""By ISO/IEC 23091-2, table 4."""


def _frame_at(film: InputContainer, stream: VideoStream, pts: int) -> VideoFrame | None:
    """The frame shown at `pts`, in the stream's time base."""
    film.seek(pts, stream=stream)
    last = None
    for frame in film.decode(stream):
        last = frame
        if frame.pts is None or frame.pts >= pts:
            break
    return last


def _poster_size(frame: VideoFrame) -> tuple[int, int]:
    width = min(frame.width, POSTER_WIDTH)
    return width, max(1, round(frame.height * width / frame.width))
