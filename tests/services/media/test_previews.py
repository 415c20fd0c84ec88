from __future__ import annotations

import gc
from pathlib import Path

import av
import psutil
import pytest
from PIL import Image, ImageStat

from services.core.model import Kind
from services.media.posters import poster
from services.media.previews import preview
from services.media.probe import probe
from services.media.stills import still


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def written(tmp_path: Path, data: bytes) -> Path:
    (tmp_path / "file").write_bytes(data)
    return tmp_path / "file"


@pytest.mark.parametrize("name", ["mp4", "mov", "webm", "mp4 in fragments"])
def test_a_film_has_a_poster(films: dict[str, bytes], tmp_path: Path, out: Path, name: str) -> None:
    poster(written(tmp_path, films[name]), out)
    with Image.open(out, formats=["WEBP"]) as image:
        assert image.size == (320, 180)


def test_a_poster_is_not_the_dark_beginning(films: dict[str, bytes], tmp_path: Path, out: Path) -> None:
    poster(written(tmp_path, films["dark at first"]), out)
    with Image.open(out) as image:
        assert ImageStat.Stat(image.convert("L")).mean[0] > 60


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "AVIF"])
def test_a_large_picture_has_a_smaller_poster(tmp_path: Path, out: Path, kind: str) -> None:
    Image.radial_gradient("L").resize((1600, 1200)).convert("RGB").save(tmp_path / "file", kind)
    poster(tmp_path / "file", out)
    with Image.open(out, formats=["WEBP"]) as image:
        assert image.size == (640, 480)


def test_transparency_stays_in_the_poster(tmp_path: Path, out: Path) -> None:
    Image.new("RGBA", (700, 700), (255, 0, 0, 0)).save(tmp_path / "file", "PNG")
    poster(tmp_path / "file", out)
    with Image.open(out) as image:
        assert image.convert("RGBA").getpixel((5, 5))[3] == 0  # type: ignore[index]


@pytest.mark.parametrize("name", ["mp4", "webm", "mp4 in fragments"])
def test_a_preview_is_a_small_silent_film_that_plays_from_its_first_bytes(
    films: dict[str, bytes], tmp_path: Path, out: Path, name: str
) -> None:
    preview(written(tmp_path, films[name]), out)
    found = probe(out, Kind.VIDEO)
    assert found.width == 320
    assert found.duration_s is not None
    assert 1.5 < found.duration_s <= 3.1
    data = out.read_bytes()
    assert len(data) < 100_000
    assert data.index(b"moov") < data.index(b"mdat")
    with av.open(str(out)) as film:
        assert [stream.type for stream in film.streams] == ["video"]
        assert film.streams.video[0].codec_context.name == "h264"


def test_a_preview_of_a_long_film_ends_after_three_seconds(tmp_path: Path, out: Path) -> None:
    with av.open(str(tmp_path / "file"), "w", format="mp4") as film:
        stream = film.add_stream("libx264", rate=30, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 64, 128, "yuv420p"
        for _ in range(180):
            film.mux(stream.encode(av.VideoFrame(64, 128, "yuv420p")))
        film.mux(stream.encode(None))
    preview(tmp_path / "file", out)
    found = probe(out, Kind.VIDEO)
    assert found.duration_s == pytest.approx(3.0, abs=0.2)
    assert (found.width, found.height) == (320, 640)


def test_a_film_s_frames_and_their_threads_do_not_outlive_its_drawings(
    films: dict[str, bytes], tmp_path: Path, out: Path
) -> None:
    film = written(tmp_path, films["mp4"])
    gc.disable()  # what is in a cycle stays until it runs, and it counts objects, not their bytes
    try:
        before = psutil.Process().num_threads()
        for draw in (poster, preview):
            draw(film, out)
        still(film, out, Kind.VIDEO)
        assert psutil.Process().num_threads() <= before
    finally:
        gc.enable()
