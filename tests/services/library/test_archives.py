"""ZIP archives of chosen generations."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace

import pytest
from PIL import Image

from services.core.model import LOCAL_OWNER, Problem
from services.store.listing import first_id_at
from tests.support.library_harness import LibraryHarness, a_picture

pytestmark = pytest.mark.asyncio


async def test_what_carries_a_problem_is_packed_as_it_came(harness: LibraryHarness) -> None:
    row = await harness.put(content=(bytes_ := a_picture() + b"tail"))
    assert row.kept is not None
    problem = Problem(code="unknown", reason="The file format is unknown.")
    await harness.store.update(row.id, kept=replace(row.kept, width=None, height=None, problem=problem))
    archive = await harness.library.archive([row.id], owner=LOCAL_OWNER)
    with zipfile.ZipFile(io.BytesIO(b"".join(archive))) as packed:
        assert [packed.read(name) for name in packed.namelist()] == [bytes_]
    _, copy = await harness.library.copy(row.id, owner=LOCAL_OWNER)
    assert b"".join(copy.chunks()) == bytes_
    assert (await harness.library.scrub.run_once(force=True)).damaged == ()


async def test_an_archive_keeps_every_script_and_loses_no_file(harness: LibraryHarness) -> None:
    tail = "-7000-8000-0000000abcde"
    rows = [
        await harness.put("ทะเล 風筝 Straße", id=first_id_at(1.0) + tail),
        await harness.put("ทะเล 風筝 Straße", id=first_id_at(2.0) + tail),
    ]
    made = b"".join(await harness.library.archive([row.id for row in rows], owner=LOCAL_OWNER))
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        first, second = archive.namelist()
        assert archive.testzip() is None
    assert first.startswith("ทะเล-風筝-straße-")
    assert second == first.replace(".png", "-2.png")


async def test_an_archive_names_the_texts_that_had_no_room(harness: LibraryHarness) -> None:
    out = io.BytesIO()
    Image.new("RGB", (4, 4)).save(out, "JPEG")
    jpeg = replace(harness.file(out.getvalue()), content_type="image/jpeg")
    long, short = await harness.put("😀" * 20_000, kept=jpeg), await harness.put("short", kept=jpeg)
    made = b"".join(await harness.library.archive([long.id, short.id], owner=LOCAL_OWNER))
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        first, second, note = archive.namelist()
        told = archive.read(note).decode()
    assert note == "shortened-in-this-archive.txt"
    assert f"{first}: prompt" in told
    assert second not in told
