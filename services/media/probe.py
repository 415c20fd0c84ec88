"""Verifies a file; pure functions that run in the worker, since they decode untrusted bytes."""

from pathlib import Path

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from PIL import Image

from services.core.errors import Words
from services.core.model import Kind
from services.media.completeness import check_structure
from services.media.formats import HEAD_BYTES, WEBM, Format, Probed, Truncated, WrongKind, sniff

MAX_PIXELS = 100_000_000
TOO_MANY_PIXELS = Words("The picture is larger than 100 megapixels.")
WRONG_KIND = {Kind.VIDEO: Words("The file is not a film."), Kind.IMAGE: Words("The file is not a picture.")}
UNFILTERED = {"skip_loop_filter": "all"}
"""The filter takes a fifth of the time, and makes no difference in a frame that is small or not shown."""

_UNDECODABLE = (av.FFmpegError, OSError, EOFError, SyntaxError, MemoryError, Image.DecompressionBombError)

# Opening a film decodes a frame to guess its parameters: 8 ms at 720p, as much as the frame we need.
_WITHOUT_FRAMES = [{"skip_frame": "all", "threads": "1"}] * 8


def probe(path: Path, kind: Kind) -> Probed:
    """Raises ValueError with a sentence unless the file is whole, of that kind, and one frame decodes."""
    found = format_of(path)
    if found.kind is not kind:
        raise WrongKind(WRONG_KIND[kind])
    check_structure(path, found)
    try:
        return _film(path, found) if kind is Kind.VIDEO else _picture(path, found)
    except _UNDECODABLE as error:
        raise ValueError(Words("The file cannot be decoded.")) from error


def format_of(path: Path) -> Format:
    """Raises WrongKind for an unknown one."""
    with path.open("rb") as file:
        found = sniff(file.read(HEAD_BYTES))
    if found is None:
        raise WrongKind(Words("The file is neither a film nor a picture of a known type."))
    return found


def open_film(path: Path, found: Format) -> InputContainer:
    return av.open(
        str(path),
        format=found.name,
        options={"protocol_whitelist": "file"},
        stream_options=_WITHOUT_FRAMES,  # type: ignore[arg-type]  # PyAV's stub says list[str]
        metadata_errors="replace",
    )


def video_stream(film: InputContainer) -> VideoStream:
    """Raises ValueError where there is none, or its frames are too large."""
    if not film.streams.video:
        raise ValueError(Words("The file has sound but no picture."))
    stream = film.streams.video[0]
    stream.codec_context.thread_count = 1
    if stream.codec_context.width * stream.codec_context.height > MAX_PIXELS:
        raise ValueError(Words("The film's picture is larger than 100 megapixels."))
    return stream


def open_image(path: Path, found: Format) -> Image.Image:
    """Raises ValueError where it is too large."""
    try:
        image = Image.open(path, formats=[found.name])
    except Image.DecompressionBombError as error:  # above twice MAX_IMAGE_PIXELS
        raise ValueError(TOO_MANY_PIXELS) from error
    if image.width * image.height > MAX_PIXELS:
        image.close()
        raise ValueError(TOO_MANY_PIXELS)
    return image


def _film(path: Path, found: Format) -> Probed:
    with open_film(path, found) as film:
        stream = video_stream(film)
        stream.codec_context.options = UNFILTERED
        if found is not WEBM:
            _check_last_sample(stream, path.stat().st_size)
        frame = _first_frame(film, stream)
        return Probed(
            content_type=found.content_type,
            width=frame.width,
            height=frame.height,
            duration_s=_duration_s(film, stream),
            fps=float(stream.average_rate) if stream.average_rate else None,
        )


def _first_frame(film: InputContainer, stream: VideoStream) -> VideoFrame:
    """Decodes one packet and flushes: `film.decode` decodes four before it yields a frame."""
    for packet in film.demux(stream):
        if frames := stream.codec_context.decode(packet) or stream.codec_context.decode(None):
            return frames[0]
        stream.codec_context.flush_buffers()
    raise ValueError(Words("The film has no frame that decodes."))


def _check_last_sample(stream: VideoStream, size_bytes: int) -> None:
    """The index may list more than the file holds although all its boxes are whole."""
    entries = stream.index_entries
    if len(entries) and entries[-1].pos + entries[-1].size > size_bytes:
        raise Truncated(Words("The film is cut off: its last frames are missing."))


def _duration_s(film: InputContainer, stream: VideoStream) -> float | None:
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return film.duration / av.time_base if film.duration else None


def _picture(path: Path, found: Format) -> Probed:
    with open_image(path, found) as image:
        image.load()
        return Probed(content_type=found.content_type, width=image.width, height=image.height)
