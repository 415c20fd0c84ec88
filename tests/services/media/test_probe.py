from __future__ import annotations

import struct
from pathlib import Path

import av
import pytest
from PIL import Image

from services.core.model import Kind
from services.media import films as films_module
from services.media import pictures as pictures_module
from services.media.films import open_film
from services.media.formats import AVIF, GIF, JPEG, MOV, MP4, PNG, WEBM, WEBP, Truncated, WrongKind, sniff
from services.media.probe import probe

FILMS = ["mp4", "mp4 with its index behind", "mp4 in fragments", "mov", "webm"]
PICTURES = {"PNG": PNG, "JPEG": JPEG, "WEBP": WEBP, "GIF": GIF, "AVIF": AVIF}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file"


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("name", FILMS)
def test_a_film_tells_its_size_length_and_rate(films: dict[str, bytes], path: Path, name: str) -> None:
    found = probe(written(path, films[name]), Kind.VIDEO)
    assert (found.width, found.height, found.fps) == (320, 180, 12.0)
    assert found.duration_s == pytest.approx(2.0, abs=0.1)
    assert found.extension == name.split()[0]
    types = {"mp4": "video/mp4", "mov": "video/quicktime", "webm": "video/webm"}
    assert found.content_type == types[found.extension]


@pytest.mark.parametrize("kind", PICTURES)
def test_a_picture_tells_its_size_and_type(pictures: dict[str, bytes], path: Path, kind: str) -> None:
    found = probe(written(path, pictures[kind]), Kind.IMAGE)
    assert (found.width, found.height) == (400, 300)
    assert (found.duration_s, found.fps) == (None, None)
    assert (found.content_type, found.extension) == (PICTURES[kind].content_type, PICTURES[kind].extension)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.999])
@pytest.mark.parametrize("name", FILMS)
def test_a_film_that_was_cut_off_is_refused(
    films: dict[str, bytes], path: Path, name: str, share: float
) -> None:
    data = films[name]
    with pytest.raises(ValueError):
        probe(written(path, data[: int(len(data) * share)]), Kind.VIDEO)


@pytest.mark.parametrize("missing", [1, 7, 100])
@pytest.mark.parametrize("name", FILMS)
def test_a_few_missing_bytes_are_noticed(
    films: dict[str, bytes], path: Path, name: str, missing: int
) -> None:
    with pytest.raises(Truncated):
        probe(written(path, films[name][:-missing]), Kind.VIDEO)


def test_a_truncated_mp4_is_refused_although_its_first_frame_decodes(
    films: dict[str, bytes], path: Path
) -> None:
    written(path, films["mp4"][:-500])
    with open_film(path, MP4) as film:
        assert next(film.decode(video=0)).width == 320
    with pytest.raises(Truncated):
        probe(path, Kind.VIDEO)


def test_a_film_whose_index_never_came_is_a_truncated_one(films: dict[str, bytes], path: Path) -> None:
    data = films["mp4 with its index behind"]
    with pytest.raises(Truncated):
        probe(written(path, data[: data.index(b"moov") - 4]), Kind.VIDEO)


def test_an_index_that_promises_more_than_the_file_holds_is_a_truncated_film(
    films: dict[str, bytes], path: Path
) -> None:
    """The box was closed early by whoever cut the film, so that all boxes are whole."""
    data = films["mp4"]
    at = data.index(b"mdat") - 4
    cut = data[at : len(data) - 500]
    written(path, data[:at] + struct.pack(">I", len(cut)) + cut[4:])
    with pytest.raises(Truncated, match="last frames"):
        probe(path, Kind.VIDEO)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
@pytest.mark.parametrize("kind", PICTURES)
def test_a_picture_that_was_cut_off_is_refused(
    pictures: dict[str, bytes], path: Path, kind: str, share: float
) -> None:
    data = pictures[kind]
    with pytest.raises(Truncated):
        probe(written(path, data[: int(len(data) * share)]), Kind.IMAGE)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_bytes_after_a_picture_s_end_are_tolerated(pictures: dict[str, bytes], path: Path, kind: str) -> None:
    probe(written(path, pictures[kind] + b"appended by a camera"), Kind.IMAGE)


def test_a_live_recording_without_lengths_is_walked_inside(films: dict[str, bytes], path: Path) -> None:
    data = bytearray(films["webm"])
    at = data.index(b"\x18\x53\x80\x67") + 4
    assert data[at] == 0x01
    data[at : at + 8] = b"\x01" + b"\xff" * 7
    assert probe(written(path, bytes(data)), Kind.VIDEO).width == 320
    with pytest.raises(Truncated):
        probe(written(path, bytes(data[:-3])), Kind.VIDEO)


@pytest.mark.parametrize("name", FILMS)
def test_a_film_is_no_picture(films: dict[str, bytes], path: Path, name: str) -> None:
    with pytest.raises(WrongKind, match="not an image"):
        probe(written(path, films[name]), Kind.IMAGE)


@pytest.mark.parametrize("kind", PICTURES)
def test_a_picture_is_no_film(pictures: dict[str, bytes], path: Path, kind: str) -> None:
    with pytest.raises(WrongKind, match="not a video"):
        probe(written(path, pictures[kind]), Kind.VIDEO)


@pytest.mark.parametrize(
    "data",
    [
        b"<!doctype html><title>Expired</title>",
        b'{"error": "expired"}',
        b'<svg xmlns="http://www.w3.org/2000/svg"/>',
        b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>',
        b"%PDF-1.7",
        b"#EXTM3U\nhttp://127.0.0.1/secret",
        b"ffconcat version 1.0\nfile /etc/passwd",
        b"RIFF\x00\x00\x00\x00AVI LIST",
        b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
        b"PK\x03\x04",
        b"",
        b"\0" * 100,
    ],
)
def test_anything_but_the_known_types_is_refused(path: Path, data: bytes) -> None:
    assert sniff(data) is None
    for kind in Kind:
        with pytest.raises(WrongKind):
            probe(written(path, data), kind)


def test_types_are_told_by_the_first_bytes_alone(films: dict[str, bytes]) -> None:
    assert sniff(films["mp4"][:64]) is MP4
    assert sniff(films["mov"][:64]) is MOV
    assert sniff(films["webm"][:64]) is WEBM
    assert sniff(b"\0\0\0\x08wide\0\0\0\0mdat") is MOV


@pytest.mark.parametrize("kind", PICTURES)
def test_a_broken_picture_is_refused_with_a_sentence(
    pictures: dict[str, bytes], path: Path, kind: str
) -> None:
    data = bytearray(pictures[kind])
    data[30 : len(data) - 20] = b"\x55" * (len(data) - 50)
    with pytest.raises(ValueError, match=r"^The .*\.$"):
        probe(written(path, bytes(data)), Kind.IMAGE)


def test_a_film_whose_frames_do_not_decode_is_refused(films: dict[str, bytes], path: Path) -> None:
    data = bytearray(films["mp4"])
    at = data.index(b"mdat") + 4
    data[at:] = b"\x55" * (len(data) - at)
    with pytest.raises(ValueError, match=r"^No frame of the video|^The file cannot be decoded"):
        probe(written(path, bytes(data)), Kind.VIDEO)


def test_sound_without_a_picture_is_no_film(path: Path) -> None:
    import numpy

    with av.open(str(path), "w", format="mp4") as film:
        stream = film.add_stream("aac", rate=44100)
        frame = av.AudioFrame.from_ndarray(numpy.zeros((1, 4096), "float32"), "fltp", "mono")
        frame.rate = 44100
        film.mux(stream.encode(frame))
        film.mux(stream.encode(None))
    with pytest.raises(ValueError, match="sound only, no picture"):
        probe(path, Kind.VIDEO)


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.new("1", (1000, 1001)).save(path, "PNG")
    monkeypatch.setattr(pictures_module, "MAX_PIXELS", 1_000_000)
    monkeypatch.setattr(Image.Image, "load", lambda _: pytest.fail("was decoded"))
    with pytest.raises(ValueError, match="larger than 1 megapixel"):
        probe(path, Kind.IMAGE)


def test_a_film_of_too_many_pixels_is_refused_before_it_is_decoded(
    films: dict[str, bytes], path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures_module, "MAX_PIXELS", 1000)
    monkeypatch.setattr(films_module, "first_frame", lambda *_: pytest.fail("was decoded"))
    with pytest.raises(ValueError, match=r"larger than 0.001 megapixel"):
        probe(written(path, films["mp4"]), Kind.VIDEO)


def test_decoders_may_open_the_file_and_nothing_else(
    films: dict[str, bytes], path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[dict[str, object]] = []
    true = av.open

    def opened(*args: object, **options: object) -> object:
        seen.append(options)
        return true(*args, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(av, "open", opened)
    probe(written(path, films["mp4"]), Kind.VIDEO)
    assert [(each["format"], each["options"]) for each in seen] == [("mp4", {"protocol_whitelist": "file"})]
