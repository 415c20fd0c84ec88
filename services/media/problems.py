"""Says why a file that came whole could not be verified. Reads bytes only; decodes nothing."""

import codecs
import re
import unicodedata
from pathlib import Path

from services.core.model import Kind, Problem
from services.core.phase_messages import PROBLEMS
from services.media.formats import HEAD_BYTES, Truncated, WrongKind, sniff

SAMPLE_BYTES = 64 * 1024
_OTHERS: tuple[tuple[int, bytes, str, str], ...] = (
    (0, b"%PDF-", "document", "pdf"),
    (0, b"PK\x03\x04", "archive", "zip"),
    (0, b"PK\x05\x06", "archive", "zip"),
    (0, b"\x1f\x8b", "archive", "gz"),
    (0, b"7z\xbc\xaf\x27\x1c", "archive", "7z"),
    (0, b"Rar!\x1a\x07", "archive", "rar"),
    (0, b"\xfd7zXZ\x00", "archive", "xz"),
    (0, b"\x28\xb5\x2f\xfd", "archive", "zst"),
    (0, b"BZh", "archive", "bz2"),
    (257, b"ustar", "archive", "tar"),
    (0, b"ID3", "sound", "mp3"),
    (0, b"\xff\xfb", "sound", "mp3"),
    (0, b"\xff\xf3", "sound", "mp3"),
    (0, b"\xff\xf1", "sound", "aac"),
    (0, b"fLaC", "sound", "flac"),
    (0, b"OggS", "sound", "ogg"),
    (4, b"ftypM4A", "sound", "m4a"),
    (8, b"WAVE", "sound", "wav"),
)
"""Offset, bytes, code of the problem and extension of the files that a backend may send instead."""
_MARKUP = re.compile(rb"<(!doctype|html|head|body|script|\?xml|svg|error|rss|!--)", re.IGNORECASE)
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CONTROLS = bytes(code for code in range(32) if code not in b"\t\n\v\f\r\x1b") + b"\x7f"
"""No text has them; ISO-2022 needs the escape."""


def problem_of(path: Path, kind: Kind, error: Exception) -> tuple[Problem, str]:
    """Returns the problem and the extension of the file's name; `error` is the verification's."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    found, (code, extension) = sniff(head), _other(head)
    if found is not None:
        extension = found.extension
    if isinstance(error, WrongKind):
        if found is not None and found.kind is not kind:
            code = "picture" if kind is Kind.VIDEO else "film"
        elif found is not None:
            code = "undecodable"
    elif isinstance(error, Truncated):
        code = "cut_off"
    elif isinstance(error, ValueError):
        return Problem(code="undecodable", reason=str(error)), extension
    else:
        code = "decoder_failed"
    return Problem(code=code, reason=PROBLEMS[code]), extension


def is_text(path: Path) -> bool:
    """Whether the file is HTML, XML, JSON or plain text, in any encoding: an error page, never a result."""
    with path.open("rb") as file:
        head = file.read(SAMPLE_BYTES)
        size = file.seek(0, 2)
        file.seek(max(0, size // 2 - SAMPLE_BYTES // 2))
        middle = file.read(SAMPLE_BYTES)
        file.seek(max(0, size - SAMPLE_BYTES))
        tail = file.read()
    if _is_markup(head):
        return True
    if 0 in head:
        return _is_wide_text(head)
    if _other(head)[0] == "document":  # a PDF may be all letters
        return False
    return not any(_has_controls(sample) for sample in (head, middle, tail))


def _other(head: bytes) -> tuple[str, str]:
    for at, magic, code, extension in _OTHERS:
        if head[at : at + len(magic)] == magic:
            return code, extension
    return "unknown", "bin"


def _is_markup(head: bytes) -> bool:
    return _MARKUP.match(head.removeprefix(codecs.BOM_UTF8).lstrip()) is not None


def _has_controls(sample: bytes) -> bool:
    return len(sample.translate(None, _CONTROLS)) != len(sample)


def _is_wide_text(head: bytes) -> bool:
    """UTF-16 or UTF-32, with a mark or without."""
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return _decodes(head.removeprefix(mark), encoding)
    return any(_decodes(head, encoding) for _, encoding in _MARKS)


def _decodes(head: bytes, encoding: str) -> bool:
    """Without a third of ASCII, numbers of 16 bits could pass for a text."""
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(head)
    except UnicodeDecodeError:
        return False
    plain = sum(letter.isascii() for letter in text)
    return plain > len(text) / 3 and all(
        letter.isspace() or unicodedata.category(letter) not in ("Cc", "Cn", "Co") for letter in text
    )
