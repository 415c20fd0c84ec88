"""Files as people bring them: trimmed, padded, turned, moving, in other containers."""

from __future__ import annotations

import io
import random
import struct
import zlib
from pathlib import Path

import av
import numpy
import pytest
from PIL import Image, PngImagePlugin

from services.core.model import Kind
from services.media.formats import Truncated, WrongKind
from services.media.posters import poster
from services.media.previews import preview
from services.media.probe import probe
from services.media.stills import make_plain, still
from tests.support.odd_media import CASES, RED_LEFT, animation, encoded, film


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def colour(image: Image.Image, x: float, y: float) -> str:
    red, _, blue = image.convert("RGB").getpixel((int(image.width * x), int(image.height * y)))  # type: ignore[misc]
    return "red" if red > blue else "blue"


# edit lists


@pytest.mark.parametrize("name", ["trim_h264.mp4", "trim_av1.mp4"])
def test_a_trimmed_film_is_kept_although_its_first_packets_show_nothing(name: str, out: Path) -> None:
    found = probe(CASES / name, Kind.VIDEO)
    assert (found.width, found.height, found.codec) == (320, 180, name[5:].partition(".")[0])
    assert found.duration_s == pytest.approx(1.3, abs=0.01)
    poster(CASES / name, out)
    still(CASES / name, out, Kind.VIDEO)


@pytest.mark.parametrize("codec", ["libx264", "libx265", "libvpx-vp9", "libsvtav1"])
def test_frames_that_an_edit_list_hides_are_not_drawn(path: Path, out: Path, codec: str) -> None:
    """The left is red in the 18 hidden frames, and blue in the 6 shown ones."""
    hidden = 18
    film(path, codec=codec, frames=lambda number: RED_LEFT if number < hidden else RED_LEFT.rotate(180))
    data = bytearray(path.read_bytes())
    at = data.index(b"elst") + 12
    _, starts_at = struct.unpack(">Ii", data[at : at + 8])
    data[at : at + 8] = struct.pack(">Ii", 500, starts_at + hidden * 1024)
    found = probe(written(path, bytes(data)), Kind.VIDEO)
    assert found.duration_s == pytest.approx(0.5, abs=0.01)
    poster(path, out)
    with Image.open(out) as drawn:
        assert colour(drawn, 0.1, 0.5) == "blue"
    preview(path, out)
    with av.open(str(out)) as small:
        assert colour(next(small.decode(video=0)).to_image(), 0.1, 0.5) == "blue"  # type: ignore[no-untyped-call]


def test_a_film_that_starts_with_packets_without_a_frame_is_kept(path: Path) -> None:
    """It begins in the middle of a group of pictures."""
    film(path.with_suffix(".0"), count=40, prepare=lambda stream: setattr(stream, "gop_size", 10))
    with (
        av.open(str(path.with_suffix(".0"))) as source,
        av.open(str(path), "w", format="matroska") as made,
    ):
        stream = made.add_stream_from_template(source.streams.video[0])
        for number, packet in enumerate(source.demux(video=0)):
            if number >= 3 and packet.dts is not None:
                packet.stream = stream
                made.mux(packet)
    assert probe(path, Kind.VIDEO).width == 160


# ends


@pytest.mark.parametrize(
    "junk", [b"\n", b"appended by a tool", b"\0" * 4096, b"\xff" * 100, b"PK\x03\x04 moov"]
)
@pytest.mark.parametrize("name", ["mp4", "mp4 with its index behind", "mp4 in fragments", "mov", "webm"])
def test_bytes_behind_a_film_s_end_are_tolerated(
    films: dict[str, bytes], path: Path, name: str, junk: bytes
) -> None:
    assert probe(written(path, films[name] + junk), Kind.VIDEO).width == 320


@pytest.mark.parametrize("junk", [b"\n", b"\0" * 4096, b"\xff\xd8 more"])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "AVIF", "BMP", "TIFF"])
def test_bytes_behind_a_picture_s_end_are_tolerated(path: Path, kind: str, junk: bytes) -> None:
    assert probe(written(path, encoded(RED_LEFT, kind) + junk), Kind.IMAGE).width == 160


@pytest.mark.parametrize("name", ["junk.mp4", "zeros.webm"])
def test_padded_films_are_kept(name: str) -> None:
    assert probe(CASES / name, Kind.VIDEO).width == 320


@pytest.mark.parametrize("name", ["noeoi.jpg", "notrailer.gif"])
def test_pictures_without_an_end_marker_are_kept_and_drawn(name: str, out: Path) -> None:
    assert probe(CASES / name, Kind.IMAGE).width == 320
    poster(CASES / name, out)
    still(CASES / name, out, Kind.IMAGE)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"quality": 98, "subsampling": 0}])
def test_a_jpeg_without_its_end_marker_is_whole_and_one_without_its_last_rows_is_cut(
    path: Path, options: dict[str, object]
) -> None:
    data = encoded(Image.frombytes("RGB", (200, 150), random.Random(3).randbytes(90_000)), "JPEG", **options)
    for missing in (1, 2):
        probe(written(path, data[:-missing]), Kind.IMAGE)
    for missing in (40, len(data) // 3):
        with pytest.raises(Truncated):
            probe(written(path, data[:-missing]), Kind.IMAGE)


def test_a_png_without_its_end_chunk_is_whole(path: Path) -> None:
    probe(written(path, encoded(RED_LEFT, "PNG")[:-12]), Kind.IMAGE)


def test_a_bitmap_without_its_last_padding_is_whole(path: Path) -> None:
    data = encoded(RED_LEFT.resize((33, 20)), "BMP")
    probe(written(path, data[:-1]), Kind.IMAGE)


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_an_animation_that_is_cut_off_is_a_truncated_one(path: Path, kind: str) -> None:
    data = animation(kind, 12)
    for share in (0.5, 0.8):
        with pytest.raises(Truncated):
            probe(written(path, data[: int(len(data) * share)]), Kind.VIDEO)


def test_an_animated_gif_without_its_trailer_is_whole(path: Path) -> None:
    assert probe(written(path, animation("GIF")[:-1]), Kind.VIDEO).duration_s == pytest.approx(0.6)


def test_a_film_is_cut_where_only_the_sound_is_missing(path: Path) -> None:
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as made:
        pictures, sound = made.add_stream("libx264", rate=12), made.add_stream("aac", rate=44100)
        pictures.width, pictures.height, pictures.pix_fmt = 64, 48, "yuv420p"
        made.mux(pictures.encode(av.VideoFrame(64, 48, "yuv420p")))
        made.mux(pictures.encode(None))
        noise = numpy.random.default_rng(1).uniform(-1, 1, (1, 44100)).astype("float32")
        frame = av.AudioFrame.from_ndarray(noise, "fltp", "mono")
        frame.rate = 44100
        made.mux(sound.encode(frame))
        made.mux(sound.encode(None))
    probe(path, Kind.VIDEO)
    with pytest.raises(Truncated):
        probe(written(path, path.read_bytes()[:-50]), Kind.VIDEO)


# pictures that move


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "AVIF"])
def test_a_moving_picture_counts_as_a_film(path: Path, out: Path, kind: str) -> None:
    found = probe(written(path, animation(kind)), Kind.VIDEO)
    assert (found.width, found.height) == (64, 48)
    assert found.duration_s == pytest.approx(0.6, abs=0.01)
    assert found.fps == pytest.approx(10, abs=0.1)
    assert found.content_type.startswith("image/")
    preview(path, out)
    assert probe(out, Kind.VIDEO).duration_s == pytest.approx(0.6, abs=0.1)
    still(path, out, Kind.VIDEO)
    with Image.open(out) as last:
        assert colour(last, 0.5, 0.5) == "red"


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "AVIF"])
def test_a_moving_picture_counts_as_an_image_too(path: Path, kind: str) -> None:
    assert probe(written(path, animation(kind)), Kind.IMAGE).width == 64


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "AVIF", "BMP", "TIFF"])
def test_a_picture_that_does_not_move_is_no_film(path: Path, kind: str) -> None:
    with pytest.raises(WrongKind, match="not a video"):
        probe(written(path, encoded(RED_LEFT, kind)), Kind.VIDEO)


def test_a_large_picture_below_the_limit_is_kept_and_drawn(path: Path, out: Path) -> None:
    found = probe(written(path, encoded(Image.new("L", (9000, 9000), 128), "PNG")), Kind.IMAGE)
    assert (found.width, found.height) == (9000, 9000)
    poster(path, out)


def test_pages_are_no_frames(path: Path) -> None:
    pages = encoded(RED_LEFT, "TIFF", save_all=True, append_images=[RED_LEFT])
    with pytest.raises(WrongKind):
        probe(written(path, pages), Kind.VIDEO)


def test_frames_without_a_time_are_shown_as_browsers_do(path: Path) -> None:
    assert probe(written(path, animation("GIF", 6, ms=0)), Kind.VIDEO).duration_s == pytest.approx(0.6)


def test_the_poster_of_a_moving_picture_is_not_its_dark_beginning(path: Path, out: Path) -> None:
    poster(written(path, animation("GIF", 24, first="black")), out)
    with Image.open(out) as drawn:
        assert drawn.convert("L").getextrema()[1] > 60  # type: ignore[operator]


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF", "AVIF"])
def test_the_one_moment_with_a_picture_is_found_in_a_moving_one(path: Path, out: Path, kind: str) -> None:
    frames = [Image.new("RGB", (64, 48), (0, 0, number)) for number in range(10)]
    frames[1] = RED_LEFT.resize((64, 48))
    poster(written(path, encoded(frames[0], kind, save_all=True, append_images=frames[1:])), out)
    with Image.open(out) as drawn:
        assert colour(drawn, 0.25, 0.5) == "red"


@pytest.mark.parametrize("promised", [3, 50, 2_000_000_000])
def test_a_moving_picture_with_a_wrong_count_of_frames_is_drawn_and_measured(
    path: Path, out: Path, promised: int
) -> None:
    data = animation("PNG", 6)
    at = data.index(b"acTL")
    count = b"acTL" + promised.to_bytes(4, "big") + data[at + 8 : at + 12]
    written(path, data[:at] + count + zlib.crc32(count).to_bytes(4, "big") + data[at + 16 :])
    found = probe(path, Kind.VIDEO)
    assert (found.duration_s, found.fps) == (pytest.approx(0.6), pytest.approx(10))
    poster(path, out)
    preview(path, out)
    still(path, out, Kind.VIDEO)


def test_a_moving_picture_is_drawn_up_to_a_broken_frame(path: Path, out: Path) -> None:
    data = bytearray(animation("GIF", 12))
    middle = len(data) // 2
    data[middle : middle + 30] = b"\xff" * 30
    assert probe(written(path, bytes(data)), Kind.VIDEO).duration_s == pytest.approx(1.2)
    poster(path, out)
    preview(path, out)
    still(path, out, Kind.VIDEO)


# other containers and codecs


@pytest.mark.parametrize(
    ("name", "codec"), [("matroska", "libx264"), ("matroska", "libvpx-vp9"), ("webm", "libvpx")]
)
def test_a_matroska_film_is_kept(path: Path, out: Path, name: str, codec: str) -> None:
    found = probe(film(path, name=name, codec=codec), Kind.VIDEO)
    assert found.extension == {"matroska": "mkv", "webm": "webm"}[name]
    assert found.duration_s == pytest.approx(2, abs=0.1)
    poster(path, out)
    preview(path, out)


@pytest.mark.parametrize(("kind", "extension"), [("BMP", "bmp"), ("TIFF", "tif")])
def test_bitmaps_and_tiffs_are_kept(path: Path, out: Path, kind: str, extension: str) -> None:
    found = probe(written(path, encoded(RED_LEFT, kind)), Kind.IMAGE)
    assert (found.width, found.height, found.extension) == (160, 90, extension)
    poster(path, out)


@pytest.mark.parametrize(("codec", "name"), [("libx265", "hevc"), ("mpeg4", "mpeg4"), ("libsvtav1", "av1")])
def test_a_film_tells_its_codec(path: Path, codec: str, name: str) -> None:
    assert probe(film(path, codec=codec), Kind.VIDEO).codec == name


def test_a_film_of_an_unknown_brand_is_a_film(films: dict[str, bytes], path: Path) -> None:
    data = films["mp4"]
    brands = b"XAVC" + data[12:16] + b"XAVC" * ((data[3] - 16) // 4)
    assert probe(written(path, data[:8] + brands + data[data[3] :]), Kind.VIDEO).extension == "mp4"


def test_sound_with_a_cover_is_no_film() -> None:
    with pytest.raises(ValueError, match="sound and a cover image, but no video"):
        probe(CASES / "coveraudio.mp4", Kind.VIDEO)


def test_a_live_recording_without_a_length_is_measured(path: Path, out: Path) -> None:
    with io.BytesIO() as stream:
        with av.open(_Pipe(stream), "w", format="webm", options={"live": "1"}) as made:  # type: ignore[call-overload]
            video = made.add_stream("libvpx", rate=12)
            video.width, video.height, video.pix_fmt = 160, 90, "yuv420p"
            for _ in range(24):
                made.mux(video.encode(av.VideoFrame.from_image(RED_LEFT)))
            made.mux(video.encode(None))
        written(path, stream.getvalue())
    assert probe(path, Kind.VIDEO).duration_s == pytest.approx(2, abs=0.1)
    poster(path, out)


class _Pipe:
    """Cannot be searched, so that nothing is filled in later."""

    def __init__(self, stream: io.BytesIO) -> None:
        self._stream = stream

    def write(self, data: bytes) -> int:
        return self._stream.write(data)


# as displayed


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_turned_film_is_shown_upright(path: Path, out: Path, degrees: int) -> None:
    """`degrees` are counted against the clock; the left is red."""
    film(path, prepare=lambda stream: stream.set_display_rotation(degrees))
    upright = {90: (90, 160), 180: (160, 90), 270: (90, 160)}[degrees]
    red = {90: (0.5, 0.9), 180: (0.9, 0.5), 270: (0.5, 0.1)}[degrees]
    found = probe(path, Kind.VIDEO)
    assert (found.width, found.height) == upright
    for draw in (poster, lambda film, drawn: still(film, drawn, Kind.VIDEO)):
        draw(path, out)
        with Image.open(out) as drawn:
            assert drawn.size == upright
            assert colour(drawn, *red) == "red"
            assert colour(drawn, 1 - red[0], 1 - red[1]) == "blue"
    preview(path, out)
    small = probe(out, Kind.VIDEO)
    assert (small.width > small.height) == (degrees == 180)


def test_a_film_with_wide_pixels_is_shown_wide(path: Path, out: Path) -> None:
    def widen(stream: av.VideoStream) -> None:
        stream.codec_context.sample_aspect_ratio = 2

    found = probe(film(path, prepare=widen), Kind.VIDEO)
    assert (found.width, found.height) == (320, 90)
    poster(path, out)
    with Image.open(out) as drawn:
        assert drawn.size == (320, 90)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_turned_picture_is_shown_upright(path: Path, out: Path, kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    written(path, encoded(RED_LEFT, kind, exif=exif))
    found = probe(path, Kind.IMAGE)
    assert (found.width, found.height) == ((160, 90) if orientation < 5 else (90, 160))
    red = {1: (0, 0.5), 2: (0.9, 0.5), 3: (0.9, 0.5), 4: (0, 0.5), 5: (0.5, 0), 6: (0.5, 0), 7: (0.5, 0.9)}
    poster(path, out)
    with Image.open(out) as drawn:
        assert drawn.size == (found.width, found.height)
        assert colour(drawn, *red.get(orientation, (0.5, 0.9))) == "red"
    make_plain(path)
    with Image.open(path) as source:
        assert source.size == (found.width, found.height)
        assert source.getexif().get(0x0112, 1) == 1 or orientation == 1


def test_sixteen_bits_are_scaled_and_not_clipped(path: Path, out: Path) -> None:
    ramp = numpy.tile(numpy.linspace(0, 1, 256), (64, 1))
    for numbers, kind in (((ramp * 65535).astype("uint16"), "PNG"), (ramp.astype("float32"), "TIFF")):
        written(path, encoded(Image.fromarray(numbers), kind))
        poster(path, out)
        with Image.open(out) as drawn:
            grey = numpy.asarray(drawn.convert("L"))
        assert 100 < grey.mean() < 140
        assert (grey > 250).mean() < 0.1


def test_the_poster_shows_a_moment_with_a_picture(path: Path, out: Path) -> None:
    black, white = Image.new("RGB", (160, 90)), Image.new("RGB", (160, 90), "white")
    for ground in (black, white):
        film(path, frames=lambda number, ground=ground: ground if number < 20 else RED_LEFT)
        poster(path, out)
        with Image.open(out) as drawn:
            assert colour(drawn, 0.1, 0.5) == "red"
            assert colour(drawn, 0.9, 0.5) == "blue"


def test_the_poster_of_a_film_without_a_length_in_its_stream_is_not_black(path: Path, out: Path) -> None:
    black = Image.new("RGB", (160, 90))
    film(
        path,
        name="webm",
        codec="libvpx-vp9",
        frames=lambda number: black if number < 12 else RED_LEFT,
        count=48,
    )
    poster(path, out)
    with Image.open(out) as drawn:
        assert colour(drawn, 0.1, 0.5) == "red"
        assert max(drawn.convert("L").getextrema()) > 40  # type: ignore[type-var]


# texts in pictures


@pytest.mark.parametrize("compressed", [True, False])
def test_a_png_with_a_workflow_of_megabytes_is_kept_and_used(path: Path, out: Path, compressed: bool) -> None:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("workflow", "x" * 5_000_000, zip=compressed)
    texts.add_itxt("prompt", "y" * 3_000_000, zip=compressed)
    written(path, encoded(RED_LEFT, "PNG", pnginfo=texts))
    assert probe(path, Kind.IMAGE).width == 160
    poster(path, out)
    make_plain(path)
    assert path.stat().st_size < 100_000, "a backend with Pillow's own limit would refuse it"


def test_texts_that_would_fill_the_memory_are_refused(path: Path) -> None:
    body = b"bomb\0\0" + zlib.compress(b"\0" * 200_000_000)
    chunk = struct.pack(">I", len(body)) + b"zTXt" + body
    chunk += struct.pack(">I", zlib.crc32(chunk[4:]))
    data = encoded(RED_LEFT, "PNG")
    with pytest.raises(ValueError, match=r"^The file cannot be decoded\.$"):
        probe(written(path, data[:33] + chunk + data[33:]), Kind.IMAGE)
