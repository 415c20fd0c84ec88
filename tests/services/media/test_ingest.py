from __future__ import annotations

import asyncio
import hashlib
import logging
from pathlib import Path

import pytest

from services.core.errors import DeliveryFailed
from services.core.model import Kind
from tests.support.ingest_harness import IngestHarness
from tests.support.local_faults import FaultyDisk

pytestmark = pytest.mark.asyncio(loop_scope="module")
POINTS = ["before_download", "mid_download", "downloaded", "before_rename", "after_rename"]


async def why(harness: IngestHarness, kind: Kind, body: bytes) -> str:
    """The reason of the refusal, after which nothing is left."""
    failed = await harness.refusal(body, kind)
    await harness.ingest.release("one")
    assert harness.files() == []
    return failed.reason


@pytest.mark.parametrize("name", ["mp4", "mov", "webm"])
async def test_a_film_is_kept_as_it_came(harness: IngestHarness, films: dict[str, bytes], name: str) -> None:
    url = harness.site.respond("/result", "200 OK\nContent-Type: text/html", films[name])
    kept = await harness.ingest.download_and_store("one", Kind.VIDEO, url)
    assert harness.files() == [kept.name]
    assert harness.folder.path(kept.name).read_bytes() == films[name]
    assert kept.sha256 == hashlib.sha256(films[name]).hexdigest()
    assert kept.size_bytes == len(films[name])
    assert (kept.width, kept.height, kept.fps) == (320, 180, 12.0)
    assert kept.name.endswith(f".{name}")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "AVIF"])
async def test_a_picture_is_kept_as_it_came(
    harness: IngestHarness, pictures: dict[str, bytes], kind: str
) -> None:
    kept = await harness.ingest.download_and_store("one", Kind.IMAGE, harness.serve(pictures[kind]))
    assert harness.folder.path(kept.name).read_bytes() == pictures[kind]
    assert kept.content_type == f"image/{kind.lower()}"
    assert kept.duration_s is None


async def test_a_page_instead_of_a_film_is_named_as_a_text(harness: IngestHarness) -> None:
    page = b"<!doctype html><title>Your link has expired</title>"
    assert await why(harness, Kind.VIDEO, page) == "text_document"
    assert await why(harness, Kind.IMAGE, b'{"detail": "expired"}') == "text_document"


async def test_a_picture_instead_of_a_film_is_of_the_wrong_kind(
    harness: IngestHarness, pictures: dict[str, bytes]
) -> None:
    assert await why(harness, Kind.VIDEO, pictures["PNG"]) == "picture"


async def test_a_truncated_mp4_is_refused(harness: IngestHarness, films: dict[str, bytes]) -> None:
    assert await why(harness, Kind.VIDEO, films["mp4"][:-700]) == "cut_off"


async def test_a_film_that_does_not_decode_is_refused(
    harness: IngestHarness, films: dict[str, bytes]
) -> None:
    at = films["mp4"].index(b"mdat") + 4
    assert (
        await why(harness, Kind.VIDEO, films["mp4"][:at] + b"\x55" * (len(films["mp4"]) - at))
        == "undecodable"
    )


async def test_two_channels_may_deliver_the_same_result_at_once(
    harness: IngestHarness, films: dict[str, bytes]
) -> None:
    url = harness.serve(films["mp4"])
    first, second = await asyncio.gather(
        *(harness.ingest.download_and_store("one", Kind.VIDEO, url) for _ in range(2))
    )
    assert sorted(harness.files()) == sorted([first.name, second.name])
    await harness.ingest.discard(second.name)
    assert harness.files() == [first.name]


@pytest.mark.parametrize(
    "fault", ["link ENOSPC", "link EACCES", "sync EIO", "folder EIO", "write ENOSPC", "close EIO"]
)
async def test_a_disk_that_refuses_is_named_and_nothing_is_left(
    harness: IngestHarness, films: dict[str, bytes], fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    FaultyDisk(monkeypatch).faults["one"] = (fault, 1)
    assert await why(harness, Kind.VIDEO, films["mp4"]) == "disk_full"
    url = harness.serve(films["mp4"])
    assert (await harness.ingest.download_and_store("one", Kind.VIDEO, url)).size_bytes == len(films["mp4"])


async def test_a_name_that_is_taken_is_left_to_whose_it_is(
    harness: IngestHarness, films: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = FaultyDisk(monkeypatch)
    disk.faults["one"] = ("link EEXIST", 1)
    url = harness.serve(films["mp4"])
    with pytest.raises(DeliveryFailed):
        await harness.ingest.download_and_store("one", Kind.VIDEO, url)
    assert [harness.root / name for name in harness.files()] == disk.foreign_files


async def test_the_points_of_a_keep_come_in_order(harness: IngestHarness, films: dict[str, bytes]) -> None:
    reached: list[str] = []
    url = harness.serve(films["mp4"])
    await harness.restart(reached.append)
    await harness.ingest.download_and_store("one", Kind.VIDEO, url)
    assert reached == POINTS


@pytest.mark.parametrize("point", POINTS)
async def test_a_cancel_at_any_point_leaves_nothing(
    harness: IngestHarness, films: dict[str, bytes], point: str
) -> None:
    held = asyncio.Event()

    async def hold(name: str) -> None:
        if name == point:
            held.set()
            await asyncio.sleep(60)

    url = harness.serve(films["mp4"])
    await harness.restart(hold)
    keeping = asyncio.create_task(harness.ingest.download_and_store("one", Kind.VIDEO, url))
    await held.wait()
    keeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await keeping
    assert harness.files() == []


@pytest.mark.parametrize("after_ms", range(0, 24, 2))
async def test_a_cancel_at_any_time_leaves_nothing_or_all(
    harness: IngestHarness, films: dict[str, bytes], after_ms: int
) -> None:
    url = harness.serve(films["mp4"])
    keeping = asyncio.create_task(harness.ingest.download_and_store("one", Kind.VIDEO, url))
    await asyncio.sleep(after_ms / 1000)
    keeping.cancel()
    done = await asyncio.gather(keeping, return_exceptions=True)
    kept = [result.name for result in done if not isinstance(result, BaseException)]
    assert harness.files() == kept


async def test_an_upload_is_verified_like_a_result(
    harness: IngestHarness, pictures: dict[str, bytes]
) -> None:
    part = harness.folder.part("upload")
    part.write_bytes(pictures["PNG"])
    kept = await harness.ingest.take(Kind.IMAGE, part, mark="source")
    assert kept.sha256 == hashlib.sha256(pictures["PNG"]).hexdigest()
    part = harness.folder.part("upload")
    part.write_bytes(b"<svg/>")
    with pytest.raises(DeliveryFailed):
        await harness.ingest.take(Kind.IMAGE, part, mark="source")
    assert harness.files() == [kept.name]


async def test_a_film_gets_a_poster_and_a_preview(harness: IngestHarness, films: dict[str, bytes]) -> None:
    url = harness.serve(films["mp4"])
    kept = await harness.ingest.download_and_store("one", Kind.VIDEO, url)
    poster, preview = await harness.ingest.illustrate(kept)
    assert (poster, preview) == (
        kept.name.replace(".mp4", ".poster.webp"),
        kept.name.replace(".mp4", ".preview.mp4"),
    )
    assert await harness.ingest.illustrate(kept) == (poster, preview)  # again, as after a crash
    assert len(harness.files()) == 3


async def test_a_picture_gets_a_poster_only(harness: IngestHarness, pictures: dict[str, bytes]) -> None:
    kept = await harness.ingest.download_and_store("one", Kind.IMAGE, harness.serve(pictures["PNG"]))
    poster, preview = await harness.ingest.illustrate(kept)
    assert poster is not None
    assert preview is None


async def test_a_poster_that_fails_only_tells_the_log(
    harness: IngestHarness, films: dict[str, bytes], caplog: pytest.LogCaptureFixture
) -> None:
    kept = await harness.ingest.download_and_store("one", Kind.VIDEO, harness.serve(films["mp4"]))
    harness.folder.path(kept.name).write_bytes(b"spoilt")
    with caplog.at_level(logging.WARNING):
        assert await harness.ingest.illustrate(kept) == (None, None)
    assert harness.files() == [kept.name]
    assert "poster" in caplog.text


async def test_a_poster_that_breaks_off_half_way_leaves_nothing(
    harness: IngestHarness, films: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def break_off(_: object, __: str, out: str) -> None:
        Path(out).write_bytes(b"half")
        raise DeliveryFailed("The file crashed the decoder.", reason="undecodable")

    kept = await harness.ingest.download_and_store("one", Kind.VIDEO, harness.serve(films["mp4"]))
    monkeypatch.setattr(harness.worker, "run_later", break_off)
    assert await harness.ingest.illustrate(kept) == (None, None)
    assert harness.files() == [kept.name]


async def test_a_file_that_breaks_the_decoder_is_undecodable(
    harness: IngestHarness, films: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run(*_: object) -> None:
        raise DeliveryFailed("The file crashed the decoder.", reason="undecodable")

    monkeypatch.setattr(harness.worker, "run", run)
    assert await why(harness, Kind.VIDEO, films["mp4"]) == "decoder_failed"


async def test_a_poster_whose_preview_broke_off_is_not_left(
    harness: IngestHarness, films: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, made = harness.serve(films["mp4"]), harness.ingest._draw
    kept = await harness.ingest.download_and_store("one", Kind.VIDEO, url)

    async def breaks(draw: object, kept: object, name: str) -> str | None:
        if "preview" in name:
            raise ZeroDivisionError
        return await made(draw, kept, name)  # type: ignore[arg-type]

    monkeypatch.setattr(harness.ingest, "_draw", breaks)
    with pytest.raises(ZeroDivisionError):
        await harness.ingest.illustrate(kept)
    assert harness.files() == [kept.name]
