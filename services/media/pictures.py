"""Opens pictures, also those without an end marker, and shows them as a browser does."""

import io
from pathlib import Path

from PIL import ExifTags, Image, ImageChops, PngImagePlugin

from services.core.errors import Words
from services.media.formats import ANIMATED, BMP, JPEG, WEBP, Format

MAX_PIXELS = 100_000_000
"""The limit of this process; `worker_main` sets it."""
TOO_MANY_PIXELS = Words("The image is larger than {limit} megapixels (RUSHES_PICTURE_LIMIT_MP).")
MAX_TEXT_BYTES = 64 * 1024**2
"""In one PNG. ComfyUI writes whole workflows, of several megabytes, and Pillow's own limit is 1 MiB."""
PngImagePlugin.MAX_TEXT_CHUNK = PngImagePlugin.MAX_TEXT_MEMORY = MAX_TEXT_BYTES

_MUCH_TEXT_BYTES = 512 * 1024
"""With more, tools with Pillow's own limit refuse a picture."""
_MAX_REPAIRED_BYTES = 256 * 1024**2
_TAIL_BYTES = 64 * 1024
_MAX_PADDING_BYTES = 3
_JPEG_END, _JPEG_SCAN = b"\xff\xd9", b"\xff\xda"
_NOISE = b"\x55" * 4096
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""By the EXIF orientation (CIPA DC-008, 4.6.6.1)."""
_SIDEWAYS = frozenset({5, 6, 7, 8})


def open_image(path: Path, found: Format) -> Image.Image:
    """Raises ValueError where it is too large."""
    data = _repaired(path, found)
    try:
        image = Image.open(path if data is None else io.BytesIO(data), formats=[found.name])
    except Image.DecompressionBombError as error:  # above twice MAX_IMAGE_PIXELS
        raise ValueError(too_many_pixels(TOO_MANY_PIXELS)) from error
    except ValueError as error:
        raise OSError(str(error)) from error
    if image.width * image.height > MAX_PIXELS:
        image.close()
        raise ValueError(too_many_pixels(TOO_MANY_PIXELS))
    return image


def load(image: Image.Image) -> None:
    """Decodes the current frame. Raises OSError also where Pillow raises a ValueError of its own words."""
    try:
        image.load()
    except ValueError as error:
        raise OSError(str(error)) from error


def is_moving(image: Image.Image, found: Format) -> bool:
    """A picture of several pages or sizes does not move."""
    return found in ANIMATED and bool(getattr(image, "is_animated", False))


def too_many_pixels(words: Words) -> str:
    return words.format(limit=f"{MAX_PIXELS / 1e6:g}")


def displayed_size(image: Image.Image) -> tuple[int, int]:
    return (image.height, image.width) if _orientation(image) in _SIDEWAYS else image.size


def displayed(image: Image.Image) -> Image.Image:
    """Upright, with 8 bits for each of RGB or RGBA."""
    load(image)
    turn = _TURNS.get(_orientation(image))
    image = _scaled(image)
    image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    return image if turn is None else image.transpose(turn)


def is_plain(image: Image.Image, found: Format) -> bool:
    """Whether every tool shows it as a browser does. Decodes it: a PNG may have texts behind its pixels."""
    load(image)
    text_bytes = sum(len(text) for text in image.info.values() if isinstance(text, str))
    return (
        not is_moving(image, found)
        and _orientation(image) == 1
        and not _is_deep(image)
        and text_bytes < _MUCH_TEXT_BYTES
    )


def is_repaired(path: Path, found: Format) -> bool:
    return _repaired(path, found) is not None


def lacks_end(path: Path, found: Format) -> bool:
    """Whether it has no end marker, or fewer bytes than it announces."""
    return _repaired(path, found) is not None


def lacks_pixels(path: Path, found: Format) -> bool:
    """Whether a JPEG without its end marker lacks more than that: then bytes behind it become pixels."""
    if found is not JPEG or (data := _repaired(path, found)) is None:
        return False
    noisy = data.removesuffix(_JPEG_END) + _NOISE + _JPEG_END
    with (
        Image.open(io.BytesIO(data), formats=[found.name]) as one,
        Image.open(io.BytesIO(noisy), formats=[found.name]) as other,
    ):
        return ImageChops.difference(one, other).getbbox() is not None


def _repaired(path: Path, found: Format) -> bytes | None:
    """Returns the bytes with the end that decoders insist on, and browsers do not; None if it is there."""
    size = path.stat().st_size
    if found not in (JPEG, WEBP, BMP) or size > _MAX_REPAIRED_BYTES:
        return None
    with path.open("rb") as file:
        head = file.read(12)
        file.seek(max(0, size - _TAIL_BYTES))
        tail = file.read()
    if found is JPEG:
        if tail.rfind(_JPEG_END) > tail.rfind(_JPEG_SCAN):
            return None
        return path.read_bytes().removesuffix(b"\xff") + _JPEG_END
    promised = (
        8 + int.from_bytes(head[4:8], "little") if found is WEBP else int.from_bytes(head[2:6], "little")
    )
    padding = promised - size
    return path.read_bytes() + b"\0" * padding if 0 < padding <= _MAX_PADDING_BYTES else None


def _orientation(image: Image.Image) -> int:
    """By EXIF alone: unlike Pillow, browsers do not ask the XMP packet."""
    data = image.info.get("exif")
    if not isinstance(data, bytes):
        return 1
    exif = Image.Exif()
    try:
        exif.load(data)
        found = exif.get(ExifTags.Base.Orientation)
    except (SyntaxError, ValueError, OSError, LookupError, TypeError):
        return 1
    return found if found in _TURNS else 1


def _is_deep(image: Image.Image) -> bool:
    return image.mode in ("I", "F") or image.mode.startswith("I;16")


def _scaled(image: Image.Image) -> Image.Image:
    """Pillow clips what has more than 8 bits; this scales it."""
    if not _is_deep(image):
        return image
    wide = image.convert("F")
    high = wide.getextrema()[1]
    assert isinstance(high, float)
    if image.mode == "F" and high <= 1.0:
        factor = 255.0
    else:
        factor = 1 / 257 if high > 255 or image.mode.startswith("I;16") else 1.0
    return wide.point(lambda value: value * factor + 0.5).convert("L")
