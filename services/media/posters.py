"""Chooses a poster: a moment with a picture, and not the dark beginning."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from PIL import Image, ImageStat

from services.core.model import Kind
from services.media import films, frame_display, pictures
from services.media.formats import Format
from services.media.probe import UNDECODABLE, format_of

POSTER_WIDTH = 640
DARK, FLAT = 20, 4
"""Mean and deviation of luma, of 255; a frame below either shows next to nothing."""
_SHARES = (1 / 3, 2 / 3, 1 / 10, 1 / 2, 9 / 10)
_SEARCHED_S, _STEP_S = 10.0, 0.5
"""Of a film whose length is unknown."""


def poster(path: Path, out: Path) -> None:
    """Writes a WebP, at most 640 px wide."""
    found = format_of(path)
    image = _of_film(path, found) if found.kind is Kind.VIDEO else _of_picture(path, found)
    image.thumbnail((POSTER_WIDTH, POSTER_WIDTH * 4), Image.Resampling.BILINEAR, reducing_gap=2.0)
    image.save(out, "WEBP", quality=80, method=2)


def _of_picture(path: Path, found: Format) -> Image.Image:
    if best := _best(_moments(path, found)):
        return best
    with pictures.open_image(path, found) as image:
        image.draft("RGB", (POSTER_WIDTH * 2, POSTER_WIDTH * 2))
        return pictures.displayed(image)


def _moments(path: Path, found: Format) -> Iterator[Image.Image]:
    """Of a picture that moves. Opens it for each: Pillow does not find the way back in every format."""
    for share in _SHARES:
        with pictures.open_image(path, found) as image, suppress(*UNDECODABLE):
            if not pictures.is_moving(image, found):
                return
            image.seek(int(getattr(image, "n_frames", 1) * share))
            yield pictures.displayed(image)


def _of_film(path: Path, found: Format) -> Image.Image:
    for skipped in ("NONREF", "DEFAULT"):  # half the work; the frame may come a little later
        with films.open_film(path, found) as film:
            stream = films.video_stream(film)
            stream.codec_context.skip_frame = skipped
            shown = (
                frame_display.displayed(frame, stream, max_width=POSTER_WIDTH)
                for frame in _frames(film, stream)
            )
            if best := _best(shown):
                return best
    raise ValueError(films.NO_FRAME)


def _best(images: Iterable[Image.Image]) -> Image.Image | None:
    """The first one with a picture, or else the richest."""
    seen = []
    for image in images:
        luma = ImageStat.Stat(image.convert("L"))
        if luma.mean[0] > DARK and luma.stddev[0] > FLAT:
            return image
        seen.append((luma.stddev[0], luma.mean[0], image))
    return max(seen, key=lambda each: each[:2])[2] if seen else None


def _frames(film: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    length_s = films.known_duration_s(film, stream)
    if not length_s or not stream.time_base:
        yield from films.spaced(films.decoded(film, stream), every_s=_STEP_S, until_s=_SEARCHED_S)
        return
    for share in _SHARES:
        with suppress(av.FFmpegError):  # not every film can be searched
            pts = (stream.start_time or 0) + int(length_s * share / stream.time_base)
            if (frame := _frame_at(film, stream, pts)) is not None:
                yield frame


def _frame_at(film: InputContainer, stream: VideoStream, pts: int) -> VideoFrame | None:
    """Returns the frame shown at `pts`, in the stream's time base."""
    film.seek(pts, stream=stream)
    frame = None
    for frame in films.decoded(film, stream):
        if frame.pts is None or frame.pts >= pts:
            break
    return frame
