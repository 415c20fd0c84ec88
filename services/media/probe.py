"""Verifies a file; pure functions that run in the worker, since they decode untrusted bytes."""

from pathlib import Path

import av
from PIL import Image

from services.core.errors import Words
from services.core.model import Kind
from services.media import films, frame_display
from services.media.animations import INSTEAD_MS, frames_of
from services.media.completeness import CUT_OFF, check_film, has_boxes
from services.media.formats import (
    ANIMATED,
    AVIF,
    HEAD_BYTES,
    JPEG,
    WEBP,
    Format,
    Probed,
    Truncated,
    WrongKind,
    sniff,
)
from services.media.pictures import displayed_size, is_moving, lacks_end, lacks_pixels, load, open_image

WRONG_KIND = {Kind.VIDEO: Words("The file is not a video."), Kind.IMAGE: Words("The file is not an image.")}
UNDECODABLE = (av.FFmpegError, OSError, EOFError, SyntaxError, MemoryError, Image.DecompressionBombError)
_CUT = ("truncated", "unexpected end")
"""Words in Pillow's errors where a picture's bytes end too early."""


def probe(path: Path, kind: Kind) -> Probed:
    """Raises ValueError with a sentence unless the file is whole, of that kind, and one frame decodes."""
    found = format_of(path)
    if found.kind is not kind and not (kind is Kind.VIDEO and found in ANIMATED):
        raise WrongKind(WRONG_KIND[kind])
    if found.kind is Kind.VIDEO:
        check_film(path, found)
    try:
        return _film(path, found) if found.kind is Kind.VIDEO else _picture(path, found, kind)
    except UNDECODABLE as error:
        raise ValueError(Words("The file cannot be decoded.")) from error


def format_of(path: Path) -> Format:
    """Raises WrongKind for an unknown one."""
    with path.open("rb") as file:
        found = sniff(file.read(HEAD_BYTES))
    if found is None:
        raise WrongKind(Words("The file format is unknown."))
    return found


def _film(path: Path, found: Format) -> Probed:
    with films.open_film(path, found) as film:
        stream = films.video_stream(film)
        films.check_samples(film, found, path.stat().st_size)
        frame = films.first_frame(film, stream) or films.first_shown_frame(path, found)
        width, height = frame_display.displayed_size(frame, stream)
        return Probed(
            content_type=found.content_type,
            width=width,
            height=height,
            duration_s=films.duration_s(film, stream),
            fps=films.fps_of(stream),
            codec=films.codec_of(stream),
        )


def _picture(path: Path, found: Format, kind: Kind) -> Probed:
    try:
        return _decoded(path, found, kind)
    except UNDECODABLE as error:
        if _is_cut(path, found, str(error)):
            raise Truncated(CUT_OFF) from error
        raise


def _decoded(path: Path, found: Format, kind: Kind) -> Probed:
    with open_image(path, found) as image:
        moves = is_moving(image, found)
        if kind is Kind.VIDEO and not moves:
            raise WrongKind(WRONG_KIND[kind])
        load(image)
        if lacks_pixels(path, found):
            raise Truncated(CUT_OFF)
        width, height = displayed_size(image)
        duration_s, fps = _movement(image, path, found) if moves else (None, None)
        return Probed(
            content_type=found.content_type, width=width, height=height, duration_s=duration_s, fps=fps
        )


def _movement(image: Image.Image, path: Path, found: Format) -> tuple[float, float]:
    """Returns duration and rate. Decodes all frames where the end marker is missing."""
    frames, count = frames_of(path, found), getattr(image, "n_frames", 1)
    duration_s = frames.duration_s or count * (image.info.get("duration") or INSTEAD_MS) / 1000
    if not frames.ended:
        image.seek(count - 1)
        load(image)
    return duration_s, (len(frames.delays_ms) or count) / duration_s  # the count may be wrong


def _is_cut(path: Path, found: Format, error: str) -> bool:
    if any(word in error.lower() for word in _CUT) or not frames_of(path, found).ended:
        return True
    if found is JPEG and lacks_end(path, found):
        return True
    with path.open("rb") as file:
        size = file.seek(0, 2)
        if found is AVIF:
            return not has_boxes(file, size, frozenset({b"meta"}))
        file.seek(4)
        return found is WEBP and 8 + int.from_bytes(file.read(4), "little") > size
