"""Bytes that came whole are handed over, whatever they are; a text document never is."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import os
import time
import zipfile
from pathlib import Path
from typing import Any

import av
import pytest

from services.core.errors import DeliveryFailed, Unverified
from services.core.model import Kept, Kind
from services.http.address_guard import AddressGuard
from services.media.download import Downloader, Limits
from services.media.ingest import Ingest
from services.media.problems import is_text
from tests.support.ingest_harness import IngestHarness

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def handed_over(harness: IngestHarness, body: bytes, kind: Kind = Kind.VIDEO) -> Kept:
    """The first time they are held, the second time they are the result."""
    assert isinstance(await harness.refusal(body, kind), Unverified)
    kept = await harness.ingest.download_and_store("one", kind, harness.serve(body))
    assert harness.folder.path(kept.name).read_bytes() == body
    return kept


def a_zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("frame-1.png", os.urandom(300))
    return out.getvalue()


def a_sound(path: Path) -> bytes:
    with av.open(str(path), "w") as film:
        stream = film.add_stream("aac", rate=44_100)
        stream.layout = "mono"
        frame = av.AudioFrame(format="fltp", layout="mono", samples=1024)
        frame.sample_rate = 44_100
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        film.mux(stream.encode(frame))
        film.mux(stream.encode(None))
    return path.read_bytes()


@pytest.mark.parametrize("name", ["zip", "pdf", "unknown", "picture", "cut", "broken", "gz", "sound"])
async def test_what_came_whole_twice_is_kept_byte_for_byte_with_its_reason(
    harness: IngestHarness,
    films: dict[str, bytes],
    pictures: dict[str, bytes],
    tmp_path: Path,
    name: str,
) -> None:
    film = films["mp4"]
    at = film.index(b"mdat") + 4
    body, code, extension = {
        "zip": (a_zip(), "archive", "zip"),
        "gz": (gzip.compress(film), "archive", "gz"),
        "pdf": (b"%PDF-1.4\n1 0 obj\nendobj\ntrailer\n%%EOF\n", "document", "pdf"),
        "unknown": (b"\x00\x01\x02" + os.urandom(2000), "unknown", "bin"),
        "picture": (pictures["PNG"], "picture", "png"),
        "cut": (film[:-700], "cut_off", "mp4"),
        "broken": (film[:at] + b"\x55" * (len(film) - at), "undecodable", "mp4"),
        "sound": (a_sound(tmp_path / "sound.mp4"), "undecodable", "mp4"),
    }[name]
    kept = await handed_over(harness, body)
    assert kept.problem is not None
    assert (kept.problem.code, kept.name.rpartition(".")[2]) == (code, extension)
    assert (kept.size_bytes, kept.width, kept.content_type) == (len(body), None, "application/octet-stream")
    assert str(kept.problem).startswith("The file arrived, but this browser may not show it: ")
    assert await harness.ingest.illustrate(kept) == (None, None)
    await harness.ingest.release("one")
    assert harness.files() == [kept.name]


async def test_a_film_for_a_picture_is_handed_over_too(
    harness: IngestHarness, films: dict[str, bytes]
) -> None:
    kept = await handed_over(harness, films["mp4"], Kind.IMAGE)
    assert kept.problem is not None
    assert kept.problem.code == "film"


TEXTS = {
    "page": b"<!DOCTYPE html><title>403</title>",
    "page after a mark and spaces": b"\xef\xbb\xbf \r\n\t<HTML>no</HTML>",
    "page with a stray zero": b"<html>\x00</html>",
    "S3's error": b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>',
    "drawing": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    "JSON": json.dumps({"detail": "gone"}).encode(),
    "plain words": b"Not found\n",
    "UTF-16": '<?xml version="1.0" encoding="utf-16"?><e/>'.encode("utf-16"),
    "UTF-16 without a mark": '{"detail": "expired"}'.encode("utf-16-be"),
    "UTF-32": "expired".encode("utf-32"),
    "windows-1251": "Ссылка устарела".encode("cp1251"),
    "Shift JIS": '{"エラー": "期限切れ"}'.encode("shift_jis"),
    "ISO-2022-JP": "期限切れ".encode("iso2022_jp"),
    "spaces": b" \n" * 500,
}


@pytest.mark.parametrize("name", TEXTS)
async def test_a_text_document_is_never_a_result_however_often_it_comes(
    harness: IngestHarness, name: str
) -> None:
    for _ in range(3):
        failed = await harness.refusal(TEXTS[name])
        assert (failed.reason, isinstance(failed, Unverified)) == ("text_document", False)
    assert await harness.ingest.store_held("one", Kind.VIDEO) is None
    assert harness.files() == []


@pytest.mark.parametrize(
    "body",
    [
        os.urandom(4000),
        b"glTF\x02\0\0\0" + bytes(2000),
        b"P6\n640 480\n255\n" + os.urandom(70_000),
        b"".join(number.to_bytes(2, "little") for number in range(20_000, 24_000)),
    ],
    ids=["noise", "model", "a text head before many bytes", "16-bit numbers"],
)
async def test_bytes_are_not_taken_for_a_text(tmp_path: Path, body: bytes) -> None:
    (tmp_path / "file").write_bytes(body)
    assert not is_text(tmp_path / "file")


async def test_bytes_that_were_cut_in_transport_are_never_held(
    harness: IngestHarness, films: dict[str, bytes]
) -> None:
    url = harness.site.respond("/result", "200 OK\nContent-Length: 99999", films["mp4"], lengthy=False)
    for _ in range(2):
        with pytest.raises(DeliveryFailed) as failed:
            await harness.ingest.download_and_store("one", Kind.VIDEO, url)
        assert failed.value.reason == "truncated"
    assert harness.files() == []


async def test_a_whole_film_after_bad_bytes_is_the_result(
    harness: IngestHarness, films: dict[str, bytes]
) -> None:
    await harness.refusal(a_zip())
    kept = await harness.ingest.download_and_store("one", Kind.VIDEO, harness.serve(films["mp4"]))
    assert kept.problem is None
    await harness.ingest.release("one")
    assert harness.files() == [kept.name]


async def test_other_bytes_each_time_leave_the_best_of_them(
    harness: IngestHarness, films: dict[str, bytes]
) -> None:
    best = films["mp4"][:-700]
    for body in (a_zip(), best, b"\x00" + os.urandom(9000)):
        assert isinstance(await harness.refusal(body), Unverified)
    kept = await harness.ingest.store_held("one", Kind.VIDEO)
    assert kept is not None
    assert harness.folder.path(kept.name).read_bytes() == best


async def test_held_bytes_outlive_a_restart_whose_cleaning_spares_them(
    harness: IngestHarness, films: dict[str, bytes]
) -> None:
    body = films["mp4"][:-700]
    await harness.refusal(body)
    (harness.root / ".parts" / "two.abc.part").write_bytes(b"left")
    await harness.restart()
    assert await harness.folder.clean_parts() == 1
    assert await harness.ingest.held_ids() == {"one"}
    started_at = time.time()
    kept = await harness.ingest.store_held("one", Kind.VIDEO)
    assert kept is not None
    assert kept.problem is not None
    assert kept.problem.code == "cut_off"
    assert harness.folder.path(kept.name).read_bytes() == body
    written_at = (await harness.folder.files())[kept.name].written_at
    assert written_at >= started_at - 0.1, "an older file without a row is removed as an orphan"
    assert len(harness.files()) == 2, "until the commit they are held as well"


async def test_the_same_bytes_after_a_restart_count_as_the_second_time(harness: IngestHarness) -> None:
    body = a_zip()
    await harness.refusal(body)
    await harness.restart()
    kept = await harness.ingest.download_and_store("one", Kind.VIDEO, harness.serve(body))
    assert kept.problem is not None


@pytest.mark.parametrize("point", ["before_hold", "after_hold", "before_link", "after_link"])
async def test_a_cancel_while_bytes_are_held_loses_none(harness: IngestHarness, point: str) -> None:
    body, reached = a_zip(), asyncio.Event()

    async def hold(name: str) -> None:
        if name == point:
            reached.set()
            await asyncio.sleep(60)

    if "link" in point:
        await harness.refusal(body)
    await harness.restart(hold)
    keeping = asyncio.create_task(harness.ingest.download_and_store("one", Kind.VIDEO, harness.serve(body)))
    await reached.wait()
    keeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await keeping
    held = [] if point == "before_hold" else [".parts/one.archive.zip.held"]
    assert harness.files() == held


async def test_a_slow_machine_does_not_make_a_good_film_a_problem(
    harness: IngestHarness, films: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    run, tries = harness.worker.run, []

    async def too_slow(*args: Any, **named: Any) -> Any:
        tries.append(named)
        if len(tries) <= 2:
            raise DeliveryFailed("The file crashed the decoder.", reason="undecodable")
        return await run(*args, **named)

    monkeypatch.setattr(harness.worker, "run", too_slow)
    kept = await handed_over(harness, films["mp4"])
    assert kept.problem is None
    assert tries[2]["timeout_s"] == 60.0


async def test_a_file_above_the_limit_says_its_size_and_the_setting(
    harness: IngestHarness, films: dict[str, bytes]
) -> None:
    small = Downloader(AddressGuard([harness.site.origin]), limits=Limits(size_bytes=2_000_000))
    ingest = Ingest(harness.folder, small, harness.worker)
    url = harness.site.respond("/large", "200 OK\nContent-Length: 3500000", b"", lengthy=False)
    with pytest.raises(DeliveryFailed) as failed:
        await ingest.download_and_store("one", Kind.VIDEO, url)
    await small.close()
    assert (failed.value.reason, failed.value.stage) == ("too_large", "delivery_too_large:4:2")
    assert "RUSHES_RESULT_LIMIT_MB" in str(failed.value)
