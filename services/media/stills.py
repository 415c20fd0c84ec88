"""Draws what a generation starts from: one picture, as a browser shows it."""

from collections import deque
from contextlib import suppress
from pathlib import Path

from PIL import Image

from services.core.errors import Words
from services.core.model import Kind
from services.media import films, frame_display, pictures
from services.media.formats import JPEG, Format
from services.media.probe import UNDECODABLE, format_of

_JPEG_QUALITY = 95


def still(path: Path, out: Path, kind: Kind) -> None:
    """Writes a PNG of the full size: of a video the last frame, of an image the first. Raises ValueError."""
    found = format_of(path)
    try:
        image = _last_frame(path, found) if found.kind is Kind.VIDEO else _frame(path, found, kind)
    except UNDECODABLE as error:
        raise ValueError(Words("The file cannot be decoded.")) from error
    image.save(out, "PNG", compress_level=2)


def make_plain(path: Path) -> None:
    """Draws a picture anew which not every tool shows as a browser does, or which moves; leaves all others.

    A backend may ignore the orientation, clip 16 bits or refuse long texts. Raises ValueError.
    """
    found = format_of(path)
    if found.kind is not Kind.IMAGE:
        return
    try:
        with pictures.open_image(path, found) as image:
            if pictures.is_plain(image, found) and not pictures.is_repaired(path, found):
                return
            profile = image.info.get("icc_profile")
            plain = pictures.displayed(image)
    except UNDECODABLE as error:
        raise ValueError(Words("The file cannot be decoded.")) from error
    if found is JPEG:
        plain.save(path, "JPEG", quality=_JPEG_QUALITY, icc_profile=profile)
    else:
        plain.save(path, "PNG", compress_level=2)


def _frame(path: Path, found: Format, kind: Kind) -> Image.Image:
    with pictures.open_image(path, found) as image:
        if kind is not Kind.VIDEO or not pictures.is_moving(image, found):
            return pictures.displayed(image)
        last = None
        with suppress(*UNDECODABLE):  # what follows a broken frame is not shown
            for number in range(getattr(image, "n_frames", 1)):
                image.seek(number)
                pictures.load(image)
                last = image.copy()
    if last is None:
        raise ValueError(films.NO_FRAME)
    return pictures.displayed(last)


def _last_frame(path: Path, found: Format) -> Image.Image:
    with films.open_film(path, found) as film:
        stream = films.video_stream(film, filtered=True)
        # A seek to the end lands on the key frame before it; a film without an index is read from its start.
        for start in (stream.duration or 0, 0):
            film.seek(start, stream=stream)
            if last := deque(films.decoded(film, stream), maxlen=1):
                return frame_display.displayed(last[0], stream)
    raise ValueError(films.NO_FRAME)
