"""Names of downloaded files: letters and marks of every script, and nothing that a file system refuses."""

import re
import unicodedata
from urllib.parse import quote

MAX_STEM_BYTES = 180
"""With its ending well below the 255 bytes that most file systems allow."""
JOINERS = "\u200c\u200d"
"""Invisible, but part of the spelling in Persian, Sinhala, Malayalam and others."""
_MAX_EXTENSION_LENGTH = 10
_REFUSED = re.compile(r'[/\\:*?"<>|]')
_RESERVED = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³]) *(?:\.|$)", re.IGNORECASE)
"""Devices in Windows, whatever the ending."""


def safe_name(name: str) -> str:
    """Returns a file name without path, control and invisible characters, in Unicode's composed form."""
    visible = "".join(each for each in name if each.isprintable() or each in JOINERS)
    cleaned = _REFUSED.sub("_", unicodedata.normalize("NFC", visible)).strip(" ." + JOINERS)
    if _RESERVED.match(cleaned):
        cleaned = "_" + cleaned
    stem, dot, extension = cleaned.rpartition(".")
    if dot and len(extension) <= _MAX_EXTENSION_LENGTH:
        return f"{cut(stem, MAX_STEM_BYTES) or 'file'}.{extension}"
    return cut(cleaned, MAX_STEM_BYTES) or "file"


def words_of(text: str) -> list[str]:
    """Runs of letters, marks, digits and underscores, in any script."""
    kept = (each if _is_word(each) else " " for each in unicodedata.normalize("NFC", text))
    return [word for word in (run.strip(JOINERS) for run in "".join(kept).split()) if word]


def cut(text: str, max_bytes: int) -> str:
    """Cuts between characters as a reader counts them: a mark stays with its letter."""
    if len(text.encode()) <= max_bytes:
        return text
    kept = text.encode()[:max_bytes].decode(errors="ignore")
    end = len(kept)
    while end and _continues(text[end]):
        end -= 1
    return kept[:end].rstrip(" ." + JOINERS)


def content_disposition(name: str) -> str:
    """A download under that name: RFC 6266, with a plain name for clients that do not know RFC 8187."""
    name = safe_name(name)
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().replace("%", "_")
    stem, dot, extension = plain.rpartition(".")
    fallback = f"{stem.strip(' -_.') or 'file'}{dot}{extension}" if dot else plain or "file"
    if fallback == name:
        return f'attachment; filename="{name}"'
    return f"attachment; filename=\"{fallback}\"; filename*=UTF-8''{quote(name, safe='')}"


def _is_word(character: str) -> bool:
    return character == "_" or character in JOINERS or unicodedata.category(character)[0] in "LMN"


def _continues(character: str) -> bool:
    return character in JOINERS or unicodedata.category(character)[0] == "M"
