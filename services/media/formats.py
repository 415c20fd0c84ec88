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
AVIF = Format(name="AVIF", kind=Kind.IMAGE, content_type="image/avif", extension="avif")
MP4 = Format(name="mp4", kind=Kind.VIDEO, content_type="video/mp4", extension="mp4")
MOV = Format(name="mov", kind=Kind.VIDEO, content_type="video/quicktime", extension="mov")
WEBM = Format(name="webm", kind=Kind.VIDEO, content_type="video/webm", extension="webm")

HEAD_BYTES = 4096
"""Enough for `sniff`."""

FORMATS = (PNG, JPEG, WEBP, GIF, AVIF, MP4, MOV, WEBM)
EXTENSIONS = {each.content_type: each.extension for each in FORMATS}
CONTENT_TYPES = EXTENSIONS.keys()

_PREFIXES = {b"\x89PNG\r\n\x1a\n": PNG, b"\xff\xd8\xff": JPEG, b"GIF87a": GIF, b"GIF89a": GIF}
_MP4_BRANDS = frozenset(
    {b"isom", b"iso2", b"iso3", b"iso4", b"iso5", b"iso6", b"iso7", b"iso8", b"iso9", b"avc1", b"av01"}
    | {b"mp41", b"mp42", b"mp71", b"M4V ", b"M4VP", b"M4VH", b"MSNV", b"dash", b"hvc1", b"f4v ", b"cmfc"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    content_type: str
    width: int
    height: int
    duration_s: float | None = None
    fps: float | None = None

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
        return WEBM if b"\x42\x82\x84webm" in head[:80] else None
    if head[4:8] == b"ftyp":
        return _branded(head)
    if head[4:8] in (b"moov", b"mdat", b"wide"):
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
    return MP4 if brands & _MP4_BRANDS else None
