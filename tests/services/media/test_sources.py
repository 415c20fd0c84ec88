"""Source pictures: what is taken, what is refused and in which words, and that nothing is left behind."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from PIL import Image
from sqlalchemy import delete

from services.core.errors import InvalidRequest
from services.core.model import LOCAL_OWNER, Kept, Kind
from services.http.address_guard import AddressGuard
from services.media.download import Downloader
from services.media.ingest import Ingest
from services.media.sources import MAX_BYTES, Sources
from services.media.storage.folder import MediaFolder
from services.media.worker_pool import Worker
from services.store.sources import SourceRows
from services.store.store import Store
from services.store.tables import sources

CASES = Path(__file__).parents[2] / "media_cases"
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def worker() -> AsyncIterator[Worker]:
    worker = Worker(processes=1)
    yield worker
    await worker.close()


class Harness:
    def __init__(self, root: Path, worker: Worker) -> None:
        self.root = root
        self.folder = MediaFolder(root)
        self.ingest = Ingest(self.folder, Downloader(AddressGuard([])), worker)
        self.store = Store(f"sqlite:///{root.parent / 'rushes.db'}", process="this", inline=True)
        self.sources = Sources(self.folder, self.ingest, worker, SourceRows(self.store))

    def files(self) -> list[str]:
        return sorted(str(path.relative_to(self.root)) for path in self.root.rglob("*") if path.is_file())

    def image(self, name: str) -> Image.Image:
        with Image.open(self.folder.path(name)) as image:
            image.load()
            return image

    async def why(self, data: bytes) -> str:
        with pytest.raises(InvalidRequest) as refused:
            await self.sources.save(data, owner="a")
        assert self.files() == []
        assert refused.value.field == "file"
        return str(refused.value)

    async def kept(self, kind: Kind, data: bytes) -> Kept:
        """As a finished generation's."""
        part = self.folder.part("one")
        part.write_bytes(data)
        return await self.ingest.take(kind, part, mark="source")


@pytest_asyncio.fixture(loop_scope="module")
async def harness(tmp_path: Path, worker: Worker) -> AsyncIterator[Harness]:
    harness = Harness(tmp_path / "media", worker)
    await harness.store.open()
    yield harness
    await harness.store.close()


async def test_a_picture_is_found_by_its_owner_and_by_nobody_else(
    harness: Harness, pictures: dict[str, bytes]
) -> None:
    name = await harness.sources.save(pictures["PNG"], owner="a")
    assert await harness.sources.find(name, owner="a") == harness.folder.path(name)
    assert await harness.sources.find(name, owner=LOCAL_OWNER) is None
    with pytest.raises(InvalidRequest):
        await harness.sources.check(name, owner="b")


async def test_a_picture_older_than_the_owners_table_belongs_to_the_local_person(
    harness: Harness, pictures: dict[str, bytes]
) -> None:
    name = await harness.sources.save(pictures["PNG"], owner="a")
    await harness.store.write(lambda connection: connection.execute(delete(sources)))
    assert await harness.sources.find(name, owner=LOCAL_OWNER) is not None
    assert await harness.sources.find(name, owner="a") is None


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
async def test_a_picture_is_kept_as_it_came(harness: Harness, pictures: dict[str, bytes], kind: str) -> None:
    name = await harness.sources.save(pictures[kind], owner="a")
    assert harness.files() == [name]
    assert harness.folder.path(name).read_bytes() == pictures[kind]
    await harness.sources.check(name, owner="a")


async def test_a_picture_of_20_000_by_20_000_pixels_is_refused_before_it_is_decoded(harness: Harness) -> None:
    assert "100 megapixels" in await harness.why(a_png_that_says(20_000, 20_000))


async def test_a_picture_above_40_megapixels_is_refused(harness: Harness) -> None:
    image = Image.new("1", (8_000, 5_001))
    assert "40 megapixels" in await harness.why(encoded(image, "PNG"))


@pytest.mark.parametrize(
    "data",
    [
        b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        b"<!doctype html><html><body>picture.png</body></html>",
        b"GIF89a" + b"\0" * 20,
        b"\x89PNG\r\n\x1a\n" + b"broken" * 20,
    ],
    ids=["svg", "html", "gif", "broken png"],
)
async def test_what_is_no_usable_picture_is_refused_with_a_sentence(harness: Harness, data: bytes) -> None:
    assert (await harness.why(data)).endswith(".")


async def test_a_file_of_another_type_is_refused_with_the_types_to_use(harness: Harness) -> None:
    for data in (b"<!doctype html><html><body>picture.png</body></html>", b"%PDF-1.7 " * 20, b"words " * 99):
        assert await harness.why(data) == "Use a PNG, JPEG or WebP image of at most 40 megapixels."


async def test_a_png_that_was_cut_off_is_refused(harness: Harness, pictures: dict[str, bytes]) -> None:
    assert "incomplete" in await harness.why(pictures["PNG"][:-200])


async def test_an_empty_file_is_called_empty(harness: Harness) -> None:
    assert await harness.why(b"") == "The file is empty. Choose an image."


async def test_of_an_animated_webp_the_first_frame_is_taken(harness: Harness) -> None:
    frames = [Image.new("RGB", (64, 48), colour) for colour in ("red", "blue")]
    data = io.BytesIO()
    frames[0].save(data, "WEBP", save_all=True, append_images=frames[1:], duration=100, lossless=True)
    name = await harness.sources.save(data.getvalue(), owner="a")
    assert name.endswith(".png")
    assert harness.files() == [name]
    red, _green, blue = harness.image(name).convert("RGB").getpixel((5, 5))
    assert (red > 250, blue < 5) == (True, True)


async def test_of_an_apng_the_first_frame_is_taken(harness: Harness) -> None:
    frames = [Image.new("RGB", (64, 48), colour) for colour in ("red", "blue")]
    data = io.BytesIO()
    frames[0].save(data, "PNG", save_all=True, append_images=frames[1:], duration=100)
    image = harness.image(await harness.sources.save(data.getvalue(), owner="a"))
    assert (image.getpixel((5, 5)), getattr(image, "n_frames", 1)) == ((255, 0, 0), 1)


@pytest.mark.parametrize("name", ["exif6.jpg", "noeoi.jpg", "grey16.png", "bigztxt.png"])
async def test_a_source_looks_the_same_in_every_tool(harness: Harness, name: str) -> None:
    """Upright, with 8 bits, without long texts, with its end."""
    kept = await harness.sources.save((CASES / name).read_bytes(), owner="a")
    image = harness.image(kept)
    assert (image.size, image.mode, kept.rpartition(".")[2]) == ((320, 180), "RGB", name.rpartition(".")[2])
    assert not image.getexif()
    assert harness.files() == [kept]


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF"])
async def test_of_a_moving_picture_a_video_gives_the_last_frame_and_an_image_the_first(
    harness: Harness, kind: str
) -> None:
    frames = [Image.new("RGB", (64, 48), colour) for colour in ("red", "blue")]
    data = io.BytesIO()
    frames[0].save(data, kind, save_all=True, append_images=frames[1:], duration=100)
    for wanted, blue in ((Kind.VIDEO, True), (Kind.IMAGE, False)):
        kept = await harness.kept(wanted, data.getvalue())
        image = harness.image(await harness.sources.copy(kept, wanted, owner="a"))
        red_value, _, blue_value = image.convert("RGB").getpixel((5, 5))
        assert (blue_value > red_value) == blue


async def test_a_turned_film_gives_its_last_frame_upright(harness: Harness) -> None:
    kept = await harness.kept(Kind.VIDEO, (CASES / "rot90.mp4").read_bytes())
    assert (kept.width, kept.height, kept.codec) == (180, 320, "h264")
    assert harness.image(await harness.sources.copy(kept, Kind.VIDEO, owner="a")).size == (180, 320)


@pytest.mark.parametrize("kind", ["BMP", "TIFF"])
async def test_a_kept_bitmap_becomes_a_source(harness: Harness, kind: str) -> None:
    kept = await harness.kept(Kind.IMAGE, encoded(Image.new("RGB", (64, 48), "red"), kind))
    assert (await harness.sources.copy(kept, Kind.IMAGE, owner="a")).endswith(".png")


async def test_an_upload_of_200_mb_is_cut_off_while_it_is_read(harness: Harness) -> None:
    read_bytes = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read_bytes
        while read_bytes < 200 * 1024**2:
            read_bytes += 1024**2
            yield b"\x89PNG" + bytes(1024**2 - 4)

    with pytest.raises(InvalidRequest, match="50 MB"):
        await harness.sources.receive(endless(), owner="a")
    assert read_bytes <= MAX_BYTES + 1024**2
    assert harness.files() == []


async def test_an_upload_that_breaks_off_leaves_nothing(harness: Harness, pictures: dict[str, bytes]) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield pictures["PNG"][:100]
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await harness.sources.receive(broken(), owner="a")
    assert harness.files() == []


async def test_a_film_gives_its_last_frame_in_full_size(harness: Harness, films: dict[str, bytes]) -> None:
    kept = await harness.kept(Kind.VIDEO, films["mp4"])
    name = await harness.sources.copy(kept, Kind.VIDEO, owner="a")
    image = harness.image(name)
    assert (image.format, image.size) == ("PNG", (320, 180))
    # The film is a ramp from 40 to 220 that moves a pixel to the left with each of its 24 frames.
    assert image.getpixel((0, 90))[0] == pytest.approx(40 + 23 * 180 / 343, abs=4)


async def test_a_source_outlives_the_picture_it_was_taken_from(
    harness: Harness, pictures: dict[str, bytes]
) -> None:
    kept = await harness.kept(Kind.IMAGE, pictures["JPEG"])
    name = await harness.sources.copy(kept, Kind.IMAGE, owner="a")
    await harness.ingest.discard(kept.name)
    assert harness.folder.path(name).read_bytes() == pictures["JPEG"]


async def test_of_a_file_that_is_gone_no_source_is_taken(harness: Harness, films: dict[str, bytes]) -> None:
    for kind, data in ((Kind.VIDEO, films["mp4"]), (Kind.IMAGE, encoded(Image.new("RGB", (9, 9)), "PNG"))):
        kept = await harness.kept(kind, data)
        await harness.ingest.discard(kept.name)
        with pytest.raises(InvalidRequest):
            await harness.sources.copy(kept, kind, owner="a")
    assert harness.files() == []


@pytest.mark.parametrize("name", ["ab/" + "c" * 30 + ".source.png", "../../etc/passwd", ""])
async def test_a_source_that_is_not_here_is_told(harness: Harness, name: str) -> None:
    with pytest.raises(InvalidRequest, match="no longer available") as refused:
        await harness.sources.check(name, owner="a")
    assert refused.value.field == "source"


def encoded(image: Image.Image, kind: str) -> bytes:
    data = io.BytesIO()
    image.save(data, kind)
    return data.getvalue()


def a_png_that_says(width: int, height: int) -> bytes:
    """A few bytes that would unpack to a gigabyte."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(1000)))
        + chunk(b"IEND", b"")
    )
