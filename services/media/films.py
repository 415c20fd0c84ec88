"""Opens films and decodes them as players do: what is hidden or broken is passed over."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from services.core.errors import Words
from services.media import pictures
from services.media.formats import MOV, MP4, Format, Truncated

_UNFILTERED = {"skip_loop_filter": "all"}
"""The filter takes a fifth of the time, and makes no difference in a frame that is small or not shown."""
TOO_MANY_PIXELS = Words("The video's frames are larger than {limit} megapixels (RUSHES_PICTURE_LIMIT_MP).")

# Opening a film decodes a frame to guess its parameters: 8 ms at 720p, as much as the frame we need.
_WITHOUT_FRAMES = [{"skip_frame": "all", "threads": "1"}] * 8
_MAX_PACKETS = 200_000
_MAX_BROKEN_PACKETS = 100
NO_FRAME = Words("No frame of the video can be decoded.")


def open_film(path: Path, found: Format) -> InputContainer:
    return av.open(
        str(path),
        format=found.name,
        options={"protocol_whitelist": "file"},
        stream_options=_WITHOUT_FRAMES,  # type: ignore[arg-type]  # PyAV's stub says list[str]
        metadata_errors="replace",
    )


def video_stream(film: InputContainer, *, filtered: bool = False) -> VideoStream:
    """`filtered` is for frames of the full size.

    Raises ValueError where there is none, or its frames are too large.
    """
    moving = [each for each in film.streams.video if not each.disposition & Disposition.attached_pic]
    if not moving:
        if film.streams.video:
            raise ValueError(Words("The file has sound and a cover image, but no video."))
        raise ValueError(Words("The file has sound only, no picture."))
    stream = moving[0]
    stream.codec_context.thread_count = 1
    if not filtered:
        stream.codec_context.options = _UNFILTERED
    if stream.codec_context.width * stream.codec_context.height > pictures.MAX_PIXELS:
        raise ValueError(pictures.too_many_pixels(TOO_MANY_PIXELS))
    return stream


def check_samples(film: InputContainer, found: Format, size_bytes: int) -> None:
    """The index may list more than the file holds although all its boxes are whole. Raises Truncated."""
    if found not in (MP4, MOV):
        return
    for stream in film.streams:
        entries = stream.index_entries
        if len(entries) and entries[-1].pos + entries[-1].size > size_bytes:
            raise Truncated(Words("The video is incomplete: its last frames are missing."))


def first_frame(film: InputContainer, stream: VideoStream) -> VideoFrame | None:
    """Decodes one packet and flushes: `film.decode` decodes four before it yields a frame.

    None where that packet shows nothing: then the film must be opened again.
    """
    for packet in film.demux(stream):
        if packet.is_discard:
            return None
        try:
            return next(iter(stream.codec_context.decode(packet) or stream.codec_context.decode(None)), None)
        except av.FFmpegError:
            return None
    return None


def first_shown_frame(path: Path, found: Format) -> VideoFrame:
    """Skips packets without a frame, such as those that an edit list hides. Raises ValueError."""
    with open_film(path, found) as film:
        for frame in decoded(film, video_stream(film)):
            return frame
    raise ValueError(NO_FRAME)


def decoded(film: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    """From the current position; what does not decode is passed over, as players do."""
    broken = 0
    for packet in islice(film.demux(stream), _MAX_PACKETS):
        try:
            yield from stream.codec_context.decode(packet)
        except av.FFmpegError:
            broken += 1
            if broken > _MAX_BROKEN_PACKETS:
                return


def spaced(frames: Iterator[VideoFrame], *, every_s: float, until_s: float) -> Iterator[VideoFrame]:
    """Passes on the frames of so many seconds, with at least that time between them."""
    start_s, due_s = None, 0.0
    for number, frame in enumerate(frames):
        at_s = frame.time if frame.time is not None else number * every_s
        start_s = at_s if start_s is None else start_s
        at_s -= start_s
        if at_s >= until_s:
            return
        if at_s >= due_s - 0.001:
            yield frame
            due_s = max(due_s + every_s, at_s)


def duration_s(film: InputContainer, stream: VideoStream) -> float | None:
    """A live recording's header has none: then its packets tell."""
    return known_duration_s(film, stream) or _last_moment_s(film, stream)


def known_duration_s(film: InputContainer, stream: VideoStream) -> float | None:
    """What the header says."""
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return film.duration / av.time_base if film.duration else None


def fps_of(stream: VideoStream) -> float | None:
    rate = stream.average_rate or stream.guessed_rate
    return float(rate) if rate else None


def codec_of(stream: VideoStream) -> str:
    """By FFmpeg's name of the codec, and not of the decoder."""
    return stream.codec_context.codec.canonical_name


def _last_moment_s(film: InputContainer, stream: VideoStream) -> float | None:
    ends = (
        float((packet.pts + (packet.duration or 0)) * packet.time_base)
        for packet in islice(film.demux(stream), _MAX_PACKETS)
        if packet.pts is not None
    )
    return max(ends, default=0.0) or None
