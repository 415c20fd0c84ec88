"""What is handed out: the kept bytes with their story put in between, and read back from any file."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import av
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from PIL import Image

from services.core.model import Kind
from services.media.probe import probe
from services.media.tagged_copy import Copy, copy_of
from services.media.xmp import Packet, facts_in, packet

PROMPT = 'Маяк & "rain" <b> ]]> {curly} 😀'
FACTS = {"prompt": PROMPT, "seed": 7, "receipt": {"won_by": "push"}}
FILMS = ["mp4", "mp4 with its index behind", "mp4 in fragments", "mov"]
PICTURES = ["PNG", "JPEG", "WEBP"]


@pytest.fixture
def story() -> Packet:
    return packet(FACTS, PROMPT)


def copied(tmp_path: Path, content: bytes, story: Packet) -> bytes:
    path = tmp_path / "kept"
    path.write_bytes(content)
    copy = copy_of(path, "hash", story)
    made = b"".join(copy.chunks())
    assert len(made) == copy.size_bytes
    assert path.read_bytes() == content
    return made


def frames(film: bytes) -> list[bytes]:
    with av.open(io.BytesIO(film)) as opened:
        return [frame.to_ndarray().tobytes() for frame in opened.decode(video=0)]


@pytest.mark.parametrize("kind", FILMS)
def test_a_copied_film_shows_the_same_pictures_and_tells_its_story(
    tmp_path: Path, films: dict[str, bytes], story: Packet, kind: str
) -> None:
    made = copied(tmp_path, films[kind], story)
    assert facts_in(made) == FACTS
    assert frames(made) == frames(films[kind])
    (tmp_path / "made").write_bytes(made)
    probe(tmp_path / "made", Kind.VIDEO)


@pytest.mark.parametrize("kind", ["mp4", "mp4 with its index behind", "mov"])
def test_players_find_title_and_comment_of_a_copied_film(
    tmp_path: Path, films: dict[str, bytes], story: Packet, kind: str
) -> None:
    with av.open(io.BytesIO(copied(tmp_path, films[kind], story))) as film:
        assert film.metadata["title"] == PROMPT
        assert json.loads(film.metadata["comment"]) == FACTS


@pytest.mark.parametrize("kind", PICTURES)
def test_a_copied_picture_is_the_same_picture_and_tells_its_story(
    tmp_path: Path, pictures: dict[str, bytes], story: Packet, kind: str
) -> None:
    made = copied(tmp_path, pictures[kind], story)
    assert facts_in(made) == FACTS
    with Image.open(io.BytesIO(pictures[kind])) as before, Image.open(io.BytesIO(made)) as after:
        assert after.tobytes() == before.tobytes()
        xmp = after.info.get("xmp") or after.info.get("XML:com.adobe.xmp")
        assert facts_in(xmp if isinstance(xmp, bytes) else xmp.encode()) == FACTS
    (tmp_path / "made").write_bytes(made)
    probe(tmp_path / "made", Kind.IMAGE)


@pytest.mark.parametrize("options", [{"lossless": True}, {"lossless": True, "alpha": True}, {"alpha": True}])
def test_every_kind_of_webp_keeps_its_pixels(tmp_path: Path, story: Packet, options: dict[str, bool]) -> None:
    image = Image.effect_noise((33, 17), 40).convert("RGBA" if options.get("alpha") else "RGB")
    if options.get("alpha"):
        image.putalpha(Image.effect_noise((33, 17), 90))
    out = io.BytesIO()
    image.save(out, "WEBP", lossless=options.get("lossless", False), exact=True)
    made = copied(tmp_path, out.getvalue(), story)
    with Image.open(io.BytesIO(out.getvalue())) as before, Image.open(io.BytesIO(made)) as after:
        assert (after.mode, after.tobytes()) == (before.mode, before.tobytes())


def test_a_copy_of_a_copy_has_one_story_and_it_is_the_last(
    tmp_path: Path, pictures: dict[str, bytes], story: Packet
) -> None:
    once = copied(tmp_path, pictures["WEBP"], story)
    twice = copied(tmp_path, once, packet({"seed": 8}, "another"))
    assert twice.count(b"<rushes:generation>") == 1
    assert facts_in(twice) == {"seed": 8}


@pytest.mark.parametrize(
    "content",
    [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"RIFF\xff\xff\xff\xffWEBPVP8 ", b"\xff\xd8\xff\xe0\xff"],
)
def test_what_is_not_built_as_it_says_is_handed_out_as_it_is(
    tmp_path: Path, story: Packet, content: bytes
) -> None:
    assert copied(tmp_path, content, story) == content


def test_a_webm_is_handed_out_as_it_is(tmp_path: Path, films: dict[str, bytes], story: Packet) -> None:
    assert copied(tmp_path, films["webm"], story) == films["webm"]


def test_a_file_that_shrank_breaks_off_instead_of_ending_early(
    tmp_path: Path, films: dict[str, bytes], story: Packet
) -> None:
    path = tmp_path / "kept"
    path.write_bytes(films["mp4"])
    copy = copy_of(path, "hash", story)
    os.truncate(path, 100)
    with pytest.raises(OSError, match="shorter"):
        list(copy.chunks())


def test_a_large_file_is_walked_in_small_chunks(tmp_path: Path, story: Packet) -> None:
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(10**9)
    copy = copy_of(path, "hash", story)
    assert isinstance(copy, Copy)
    assert max(len(chunk) for chunk, _ in zip(copy.chunks(), range(20), strict=False)) <= 256 * 1024


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    at=some.integers(0, 2000),
    value=some.binary(min_size=1, max_size=8),
    kind=some.sampled_from(["mp4", "mov", "mp4 in fragments"]),
)
def test_no_damaged_film_can_break_the_copying(
    tmp_path: Path, films: dict[str, bytes], story: Packet, at: int, value: bytes, kind: str
) -> None:
    damaged = bytearray(films[kind])
    damaged[at : at + len(value)] = value
    (tmp_path / "damaged").write_bytes(damaged)
    copy = copy_of(tmp_path / "damaged", "hash", story)
    assert len(b"".join(copy.chunks())) == copy.size_bytes


@pytest.mark.parametrize(
    "inside",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"7",
        b"{" * 5000,
        b"[" * 100_000,
        b"\xff\xfe",
        b'{"a": NaN',
        b"&" * 1000,
        b"x" * 300_000,
    ],
)
def test_a_strangers_packet_is_read_or_refused_and_never_raises(inside: bytes) -> None:
    assert facts_in(b"<rushes:generation>" + inside + b"</rushes:generation>") in (None, {})
    assert facts_in(b"<rushes:generation>" * 50_000) is None
