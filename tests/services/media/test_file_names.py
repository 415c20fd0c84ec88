"""Names of downloads keep every script's spelling and carry nothing that a file system refuses."""

from __future__ import annotations

import unicodedata
from urllib.parse import unquote

import pytest

from services.media.file_names import content_disposition, cut, safe_name, words_of


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("film.mp4", "film.mp4"),
        ("Möwe über Wasser.mp4", "Möwe über Wasser.mp4"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("..\\windows\\x.mp4", "_windows_x.mp4"),
        ("a\r\nX-Evil: yes\x00.mp4", "aX-Evil_ yes.mp4"),
        ("gnp.\u202eexe.mp4", "gnp.exe.mp4"),
        ('a"b.mp4', "a_b.mp4"),
        ("lone \ud800 half.mp4", "lone  half.mp4"),
        ("x" * 500 + ".mp4", "x" * 180 + ".mp4"),
        ("x" * 500, "x" * 180),
        (" . ", "file"),
        ("\u200d", "file"),
        ("", "file"),
        ("ทะเล.mp4", "ทะเล.mp4"),
        ("می\u200cخواهم.mp4", "می\u200cخواهم.mp4"),
    ],
)
def test_a_file_name_is_freed_of_what_could_harm(name: str, safe: str) -> None:
    assert safe_name(name) == safe


@pytest.mark.parametrize(
    "name", ["CON.mp4", "con", "Nul.tar.mp4", "COM1.mp4", "lpt9 .mp4", "COM¹.mp4", "aux."]
)
def test_a_device_of_windows_is_never_a_file_s_name(name: str) -> None:
    assert safe_name(name).startswith("_")
    assert safe_name("console.mp4") == "console.mp4"


def test_a_name_is_composed_so_that_every_system_finds_it_again() -> None:
    taken_apart = unicodedata.normalize("NFD", "Café Йод.mp4")
    assert safe_name(taken_apart) == "Café Йод.mp4"


@pytest.mark.parametrize("letter", ["x", "海", "😀", "หนึ่", "क्षि", "e\u0301\u0323"])
@pytest.mark.parametrize("room", [0, 1, 2, 3, 7, 20, 100])
def test_a_name_is_cut_by_bytes_and_never_inside_a_letter(letter: str, room: int) -> None:
    kept = cut(letter * 100, room)
    assert len(kept.encode()) <= room
    rest = (letter * 200)[len(kept) :]
    assert not unicodedata.category(rest[0]).startswith("M")
    assert len(safe_name(letter * 500 + ".mp4").encode()) <= 255


def test_words_keep_the_marks_of_every_script() -> None:
    assert words_of("a red, kite! 100%") == ["a", "red", "kite", "100"]
    assert words_of("น้ำ किताबें பட்டம்") == ["น้ำ", "किताबें", "பட்டம்"]
    assert words_of("می\u200cخواهم") == ["می\u200cخواهم"]
    assert words_of("風筝 😀 \ud800") == ["風筝"]


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("kite.mp4", 'attachment; filename="kite.mp4"'),
        ("red kite.mp4", 'attachment; filename="red kite.mp4"'),
        ("café.mp4", "attachment; filename=\"cafe.mp4\"; filename*=UTF-8''caf%C3%A9.mp4"),
        ("風筝-1b2c.mp4", "attachment; filename=\"1b2c.mp4\"; filename*=UTF-8''%E9%A2%A8%E7%AD%9D-1b2c.mp4"),
        ("風筝.mp4", "attachment; filename=\"file.mp4\"; filename*=UTF-8''%E9%A2%A8%E7%AD%9D.mp4"),
        ("100%41.mp4", "attachment; filename=\"100_41.mp4\"; filename*=UTF-8''100%2541.mp4"),
    ],
)
def test_a_download_s_header_names_it_for_old_and_new_clients(name: str, header: str) -> None:
    assert content_disposition(name) == header


def test_no_name_breaks_out_of_the_header() -> None:
    header = content_disposition('a";\r\nSet-Cookie: x="y\\.mp4')
    assert header.isascii()
    assert header.isprintable()
    assert header.count('"') == 2
    assert unquote(header.partition("''")[2] or "x")
