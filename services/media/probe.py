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
from services.media.formats import HEAD_BYTES, WEBM, Format, sniff
from services.media.probed import Probed, Truncated, WrongKind

MOST_PIXELS = 100_000_000
TOO_MANY_PIXELS = Words("The picture is larger than 100 megapixels.")
NOT_OF = {Kind.VIDEO: Words("The file is not a film."), Kind.IMAGE: Words("The file is not a picture.")}

_UNDECODABLE = (av.FFmpegError, OSError, EOFError, SyntaxError, MemoryError, Image.DecompressionBombError)

# Opening a film decodes a frame to guess its parameters: 8 ms at 720p, as much as the one we are after.
_OPENING = [{"skip_frame": "all", "threads": "1"}] * 8
_LOOKING_ONLY = {"skip_loop_filter": "all"}  # beauty costs a fifth of the time, and nobody sees this frame


def probe(path: Path, kind: Kind) -> Probed:
    """Complete, of the right kind, and one frame decodes: or ValueError with a sentence."""
    found = known_format(path)
    if found.kind is not kind:
        raise WrongKind(NOT_OF[kind])
    check_structure(path, found)
    try:
        return _film(path, found) if kind is Kind.VIDEO else _picture(path, found)
    except _UNDECODABLE as error:
        raise ValueError(Words("The file cannot be decoded.")) from error


def known_format(path: Path) -> Format:
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
        stream_options=_OPENING,  # type: ignore[arg-type]  # PyAV's stub says list[str]
        metadata_errors="replace",
    )


def picture_of(film: InputContainer) -> VideoStream:
    if not film.streams.video:
        raise ValueError(Words("The file has sound but no picture."))
    stream = film.streams.video[0]
    stream.codec_context.thread_count = 1
    if stream.codec_context.width * stream.codec_context.height > MOST_PIXELS:
        raise ValueError(Words("The film's picture is larger than 100 megapixels."))
    return stream


def open_picture(path: Path, found: Format) -> Image.Image:
    try:
        image = Image.open(path, formats=[found.name])
    except Image.DecompressionBombError as error:  # Pillow's own limit is twice ours
        raise ValueError(TOO_MANY_PIXELS) from error
    if image.width * image.height > MOST_PIXELS:
        image.close()
        raise ValueError(TOO_MANY_PIXELS)
    return image


def _film(path: Path, found: Format) -> Probed:
    with open_film(path, found) as film:
        stream = picture_of(film)
        stream.codec_context.options = _LOOKING_ONLY
        if found is not WEBM:
            _check_last_sample(stream, path.stat().st_size)
        frame = _first_frame(film, stream)
        length_s = _length_s(film, stream)
        return Probed(
            content_type=found.content_type,
            extension=found.extension,
            width=frame.width,
            height=frame.height,
            duration_s=length_s,
            fps=float(stream.average_rate) if stream.average_rate else None,
        )


def _first_frame(film: InputContainer, stream: VideoStream) -> VideoFrame:
    """One packet and a flush: waiting for a frame in the normal way decodes four."""
    for packet in film.demux(stream):
        frames = stream.codec_context.decode(packet) or stream.codec_context.decode(None)
        if frames:
            return frames[0]
        stream.codec_context.flush_buffers()
    raise ValueError(Words("The film has no frame that decodes."))


def _check_last_sample(stream: VideoStream, size_bytes: int) -> None:
    """The index may promise more than the file holds although all its boxes are whole."""
    if len(stream.index_entries):
        last = stream.index_entries[-1]
        if last.pos + last.size > size_bytes:
            raise Truncated(Words("The film is cut off: its last frames are missing."))


def _length_s(film: InputContainer, stream: VideoStream) -> float | None:
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return film.duration / av.time_base if film.duration else None


def _picture(path: Path, found: Format) -> Probed:
    with open_picture(path, found) as image:
        image.load()
        return Probed(
            content_type=found.content_type,
            extension=found.extension,
            width=image.width,
            height=image.height,
            duration_s=None,
            fps=None,
        )
