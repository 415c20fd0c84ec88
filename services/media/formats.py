"""The accepted file types, recognised by their first bytes and never by an HTTP header."""

from dataclasses import dataclass

from services.core.model import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    name: str
    """The decoder's: PyAV's for films, Pillow's for pictures."""
    kind: Kind
    content_type: str
    extension: str


PNG = Format(name="PNG", kind=Kind.IMAGE, content_type="image/png", extension="png")
JPEG = Format(name="JPEG", kind=Kind.IMAGE, content_type="image/jpeg", extension="jpg")
WEBP = Format(name="WEBP", kind=Kind.IMAGE, content_type="image/webp", extension="webp")
GIF = Format(name="GIF", kind=Kind.IMAGE, content_type="image/gif", extension="gif")
BMP = Format(name="BMP", kind=Kind.IMAGE, content_type="image/bmp", extension="bmp")
TIFF = Format(name="TIFF", kind=Kind.IMAGE, content_type="image/tiff", extension="tif")
AVIF = Format(name="AVIF", kind=Kind.IMAGE, content_type="image/avif", extension="avif")
MP4 = Format(name="mp4", kind=Kind.VIDEO, content_type="video/mp4", extension="mp4")
MOV = Format(name="mov", kind=Kind.VIDEO, content_type="video/quicktime", extension="mov")
WEBM = Format(name="webm", kind=Kind.VIDEO, content_type="video/webm", extension="webm")
MKV = Format(name="matroska", kind=Kind.VIDEO, content_type="video/x-matroska", extension="mkv")

HEAD_BYTES = 4096
"""Enough for `sniff`."""

FORMATS = (PNG, JPEG, WEBP, GIF, AVIF, BMP, TIFF, MP4, MOV, WEBM, MKV)
ANIMATED = (PNG, WEBP, GIF, AVIF)
"""Pictures that may move, and then count as films."""
EXTENSIONS = {each.content_type: each.extension for each in FORMATS}
CONTENT_TYPES = EXTENSIONS.keys()

_PREFIXES = {
    b"\x89PNG\r\n\x1a\n": PNG,
    b"\xff\xd8\xff": JPEG,
    b"GIF87a": GIF,
    b"GIF89a": GIF,
    b"II*\0": TIFF,
    b"MM\0*": TIFF,
    b"II+\0": TIFF,  # BigTIFF
    b"MM\0+": TIFF,
}
_DOC_TYPES = {b"webm": WEBM, b"matroska": MKV}
_NO_FILMS = frozenset(
    {
        b"heic",
        b"heix",
        b"heim",
        b"heis",
        b"hevm",
        b"hevs",
        b"mif1",
        b"msf1",
        b"miaf",
        b"crx ",
        b"jpx ",
        b"jp2 ",
    }
    | {b"M4A ", b"M4B ", b"M4P ", b"F4A ", b"F4B ", b"aax "}
)
"""Major brands of pictures and sound. Films have so many that a list of theirs is never complete."""
_MIN_BMP_HEADER_BYTES, _MAX_BMP_HEADER_BYTES = 12, 124


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    content_type: str
    width: int
    height: int
    """As displayed: upright, with square pixels."""
    duration_s: float | None = None
    """A film's, and that of a picture that moves."""
    fps: float | None = None
    codec: str | None = None
    """A film's, by FFmpeg's name."""

    @property
    def extension(self) -> str:
        return EXTENSIONS[self.content_type]


class WrongKind(ValueError):
    """Neither a film nor a picture, or the wrong one of the two."""


class Truncated(ValueError):
    """The end is missing."""


def sniff(head: bytes) -> Format | None:
    for prefix, found in _PREFIXES.items():
        if head.startswith(prefix):
            return found
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return WEBP
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return _DOC_TYPES.get(_doc_type(head))
    if head[4:8] == b"ftyp":
        return _branded(head)
    if head[:2] == b"BM" and _is_bmp(head):
        return BMP
    if head[4:8] in (b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"):
        return MOV  # the oldest kind of QuickTime file has no ftyp
    return None


def _branded(head: bytes) -> Format | None:
    size = min(int.from_bytes(head[:4], "big"), len(head))
    major = head[8:12]
    brands = {major, *(head[at : at + 4] for at in range(16, size - 3, 4))}
    if brands & {b"avif", b"avis"}:
        return AVIF
    if major == b"qt  ":
        return MOV
    return None if major in _NO_FILMS else MP4


def _doc_type(head: bytes) -> bytes:
    """Reads the element of RFC 8794, 11.2.6, whose length takes one to eight bytes."""
    _, found, rest = head[:80].partition(b"\x42\x82")
    if not found or not rest or not rest[0]:
        return b""
    width = 9 - rest[0].bit_length()
    length = int.from_bytes(rest[:width], "big") & ((1 << 7 * width) - 1)
    return rest[width : width + length].rstrip(b"\0")


def _is_bmp(head: bytes) -> bool:
    """Two letters are not enough: many texts begin with them."""
    header_bytes = int.from_bytes(head[14:18], "little")
    return head[6:10] == b"\0\0\0\0" and _MIN_BMP_HEADER_BYTES <= header_bytes <= _MAX_BMP_HEADER_BYTES
