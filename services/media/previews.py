"""Draws posters and hover previews; pure functions that run in a worker process."""

from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace
from av.video.stream import VideoStream
from PIL import Image, ImageStat

from services.core.model import Kind
from services.media.formats import Format
from services.media.probe import UNFILTERED, format_of, open_film, open_image, video_stream

POSTER_WIDTH = 640
PREVIEW_WIDTH = 320
PREVIEW_S = 3
PREVIEW_FPS = 12
DARK = 20
"""Mean luma, of 255."""

_X264 = {"preset": "veryfast", "crf": "30", "maxrate": "160k", "bufsize": "320k"}
_COLOURS = {1: Colorspace.ITU709, 5: Colorspace.ITU601, 6: Colorspace.ITU601, 9: Colorspace.BT2020}
"""By ISO/IEC 23091-2, table 4."""


def poster(path: Path, out: Path) -> None:
    """Writes a WebP, at most 640 px wide."""
    found = format_of(path)
    image = _poster_frame(path, found) if found.kind is Kind.VIDEO else _first_image(path, found, small=True)
    image.thumbnail((POSTER_WIDTH, POSTER_WIDTH * 4), Image.Resampling.BILINEAR, reducing_gap=2.0)
    image.save(out, "WEBP", quality=80, method=2)


def still(path: Path, out: Path) -> None:
    """Writes a PNG of the full size: a film's last frame, a picture's first. `out` may be `path`."""
    found = format_of(path)
    image = _last_frame(path, found) if found.kind is Kind.VIDEO else _first_image(path, found)
    image.save(out, "PNG", compress_level=2)


def preview(path: Path, out: Path) -> None:
    """Writes the first 3 s as a silent H.264 film, 320 px wide, that plays from its first bytes."""
    with (
        open_film(path, format_of(path)) as film,
        av.open(str(out), "w", format="mp4", options={"movflags": "+faststart"}) as made,
    ):
        source = video_stream(film)
        source.codec_context.options = UNFILTERED
        frames = _preview_frames(film, source)
        first = next(frames)
        stream = made.add_stream("libx264", rate=PREVIEW_FPS, options=_X264)
        stream.width = PREVIEW_WIDTH
        stream.height = max(2, round(first.height * PREVIEW_WIDTH / first.width / 2) * 2)
        stream.pix_fmt = "yuv420p"
        stream.codec_context.thread_count = 1
        for number, frame in enumerate(chain([first], frames)):
            small = frame.reformat(stream.width, stream.height, "yuv420p")
            small.pts, small.time_base = number, Fraction(1, PREVIEW_FPS)
            made.mux(stream.encode(small))
        made.mux(stream.encode(None))


def _preview_frames(film: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    due_s = 0.0
    for number, frame in enumerate(film.decode(stream)):
        at_s = frame.time if frame.time is not None else number / PREVIEW_FPS
        if at_s >= PREVIEW_S:
            return
        if at_s >= due_s - 0.001:
            yield frame
            due_s = max(due_s + 1 / PREVIEW_FPS, at_s)


def _first_image(path: Path, found: Format, *, small: bool = False) -> Image.Image:
    with open_image(path, found) as image:
        if small:
            image.draft("RGB", (POSTER_WIDTH * 2, POSTER_WIDTH * 2))
        return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _poster_frame(path: Path, found: Format) -> Image.Image:
    """Returns the first bright frame at 1/3, 2/3 and 1/10 of the film, or the brightest of the three."""
    with open_film(path, found) as film:
        stream = video_stream(film)
        stream.codec_context.skip_frame = "NONREF"  # half the work; the frame may come a little later
        seen = []
        for share in (1 / 3, 2 / 3, 1 / 10):
            frame = _frame_at(film, stream, int((stream.duration or 0) * share))
            if frame is None:
                continue
            width = min(frame.width, POSTER_WIDTH)
            height = max(1, round(frame.height * width / frame.width))
            image: Image.Image = frame.reformat(width, height, "rgb24").to_image()  # type: ignore[no-untyped-call]
            luma = ImageStat.Stat(image.convert("L")).mean[0]
            seen.append((luma, image))
            if luma > DARK:
                break
        if not seen:
            raise ValueError("The film has no frame that decodes.")
        return max(seen, key=lambda each: each[0])[1]


def _last_frame(path: Path, found: Format) -> Image.Image:
    with open_film(path, found) as film:
        stream = video_stream(film)
        # A seek to the end lands on the key frame before it; a film without an index is read from its start.
        for start in (stream.duration or 0, 0):
            film.seek(start, stream=stream)
            if last := deque(film.decode(stream), maxlen=1):
                return _as_displayed(last[0])
    raise ValueError("The film has no frame that decodes.")


def _as_displayed(frame: VideoFrame) -> Image.Image:
    """Takes an untagged film for BT.709 from 720 lines on, as players do."""
    guess = Colorspace.ITU709 if frame.height >= 720 else Colorspace.ITU601
    colours = _COLOURS.get(int(frame.colorspace), guess)
    return Image.fromarray(frame.to_ndarray(format="rgb24", src_colorspace=colours))


def _frame_at(film: InputContainer, stream: VideoStream, pts: int) -> VideoFrame | None:
    """Returns the frame shown at `pts`, in the stream's time base."""
    film.seek(pts, stream=stream)
    frame = None
    for frame in film.decode(stream):
        if frame.pts is None or frame.pts >= pts:
            break
    return frame
