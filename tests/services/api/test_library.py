"""The library over HTTP, with real rows and files."""

from __future__ import annotations

import io
import itertools
import time
import tracemalloc
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from PIL import Image

from services.api import Metrics, include
from services.core.model import LOCAL_OWNER, Phase
from services.media.xmp import facts_in
from tests.services.api.stand_in import client_of, health, parts
from tests.support.library_harness import LibraryHarness

pytestmark = pytest.mark.asyncio


@pytest.fixture
def harness(library_harness: LibraryHarness) -> LibraryHarness:
    return library_harness


@pytest_asyncio.fixture
async def client(harness: LibraryHarness, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI(docs_url=None, redoc_url=None)
    metrics = Metrics(harness.bus, backends=[])
    services = parts(
        generations=harness.generations,
        library=harness.library,
        chats=harness.chats,
        health=health(tmp_path),
        metrics=metrics,
    )
    include(app, services, public_url=None)
    async with client_of(app) as client:
        yield client


async def listed(client: httpx.AsyncClient, **query: str) -> list[str]:
    answer = await client.get("/api/files", params=query)
    assert answer.status_code == 200, answer.text
    kind = "image_generation"
    return [item[kind]["prompt"] for item in answer.json()["items"]]


async def test_the_list_is_searched_and_filtered(client: httpx.AsyncClient, harness: LibraryHarness) -> None:
    await harness.put("a red kite", model="a")
    await harness.put("a blue kite", phase=Phase.ERROR)
    await harness.put("old rain", trashed_at=1.0)
    assert await listed(client, q="kit") == ["a blue kite", "a red kite"]
    assert await listed(client, q="kite red") == ["a red kite"]
    assert await listed(client, state="failed") == ["a blue kite"]
    assert await listed(client, model="a", backend="animatic") == ["a red kite"]
    assert await listed(client, model="a") == ["a red kite"]
    assert await listed(client, trashed="true") == ["old rain"]
    assert await listed(client, since="2100-01-01T00:00:00Z") == []
    assert len(await listed(client, until="2100-01-01T00:00:00Z", q="kite", ranked="true")) == 2


@pytest.mark.parametrize(
    "query",
    [
        {"state": "odd"},
        {"since": "yesterday"},
        {"since": "2026-01-01"},
        {"starred": "perhaps"},
        {"cursor": "x"},
    ],
)
async def test_a_filter_that_is_none_is_refused_with_a_sentence(
    client: httpx.AsyncClient, query: dict[str, str]
) -> None:
    answer = await client.get("/api/files", params=query)
    assert answer.status_code == 422
    assert answer.json()["error"].endswith(".")


async def test_a_time_that_is_none_is_told_how_one_is_written(client: httpx.AsyncClient) -> None:
    for since in ("yesterday", "2026-01-01", "2026-01-01T10:00:00"):
        answer = await client.get("/api/files", params={"since": since})
        assert answer.json()["error"] == "since must be a time with its zone, as 2026-01-31T18:00:00Z."


async def test_stars_and_tags_are_given_and_taken(client: httpx.AsyncClient, harness: LibraryHarness) -> None:
    row = await harness.put()
    assert (await client.put(f"/api/file/{row.id}/star")).json()["starred"] is True
    assert (await client.put(f"/api/file/{row.id}/tags/night shoot")).json()["tags"] == ["night shoot"]
    assert await listed(client, starred="true", tag="night shoot") == ["a kite"]
    assert (await client.delete(f"/api/file/{row.id}/star")).json()["starred"] is False
    assert (await client.delete(f"/api/file/{row.id}/tags/night shoot")).json()["tags"] == []
    assert (await client.put(f"/api/file/{row.id}/tags/{'x' * 41}")).status_code == 422
    assert (await client.put("/api/file/unknown/star")).status_code == 404


async def test_the_trash_is_restored_and_emptied(client: httpx.AsyncClient, harness: LibraryHarness) -> None:
    first, second = await harness.put("one"), await harness.put("two")
    for row in (first, second):
        assert (await client.delete(f"/api/file/{row.id}")).status_code == 200
    assert (await client.post(f"/api/file/{first.id}/restore")).json()["trashed"] is False
    waits = await harness.put(
        "three", phase=Phase.DROPPED, trashed_at=1.0, job_id="job", watch_until=time.time() + 60
    )
    assert (await client.delete("/api/trash")).json() == {"removed": 1, "waiting": 1}
    assert (await client.post(f"/api/file/{waits.id}/restore")).json()["phase"] == "dropped"
    assert (await client.delete(f"/api/file/{waits.id}")).status_code == 200
    assert (await client.post(f"/api/file/{second.id}/restore")).status_code == 404
    assert await listed(client) == ["one"]


async def test_a_download_tells_its_story_and_the_file_stays_as_it_came(
    client: httpx.AsyncClient, harness: LibraryHarness
) -> None:
    row = await harness.put("a kite & rain")
    assert row.kept is not None
    original = harness.folder.path(row.kept.name).read_bytes()
    assert (await client.get(f"/media/{row.id}/file")).content == original
    answer = await client.get(f"/media/{row.id}/download")
    facts = facts_in(answer.content)
    assert facts is not None
    assert (facts["prompt"], facts["seed"], facts["receipt"]["won_by"]) == ("a kite & rain", 7, "push")
    assert len(answer.content) == int(answer.headers["Content-Length"]) > len(original)
    with Image.open(io.BytesIO(answer.content)) as copy, Image.open(io.BytesIO(original)) as kept:
        assert copy.tobytes() == kept.tobytes()
    head = await client.head(f"/media/{row.id}/download")
    assert (head.content, head.headers["Content-Length"]) == (b"", answer.headers["Content-Length"])
    read = await client.post("/api/settings-in-file", content=answer.content)
    assert {name: read.json()[name] for name in ("prompt", "seed", "type", "model")} == {
        "prompt": "a kite & rain", "seed": 7, "type": "image", "model": "animatic/still",
    }  # fmt: skip


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"nothing",
        b"<rushes:generation>{}</rushes:generation>",
        b'<rushes:generation>{"type": "video", "prompt": 7}</rushes:generation>',
    ],
)
async def test_a_file_without_settings_is_refused_with_a_sentence(
    client: httpx.AsyncClient, content: bytes
) -> None:
    answer = await client.post("/api/settings-in-file", content=content)
    assert answer.status_code == 422
    assert answer.json()["error"].endswith(".")


async def test_more_than_a_megabyte_is_cut_off(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/settings-in-file", content=b"x" * (1024**2 + 1))
    assert answer.status_code == 413


@pytest.mark.parametrize("as_form", [False, True])
async def test_a_zip_holds_the_copies_and_says_what_is_missing(
    client: httpx.AsyncClient, harness: LibraryHarness, as_form: bool
) -> None:
    first, second, gone = await harness.put("one"), await harness.put("two"), await harness.put("gone")
    assert gone.kept is not None
    harness.folder.path(gone.kept.name).unlink()
    wanted = [first.id, second.id, gone.id, first.id, "unknown"]
    if as_form:
        answer = await client.post("/api/files/zip", data={"ids": ",".join(wanted)})
    else:
        answer = await client.post("/api/files/zip", json={"ids": wanted})
    assert answer.headers["Content-Type"] == "application/zip"
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert [name.split("-")[0] for name in names] == ["one", "two", "not"]
        facts = facts_in(archive.read(names[0]))
        assert facts is not None
        assert facts["id"] == first.id
        assert "gone-" in archive.read(names[2]).decode()


@pytest.mark.parametrize("body", [{}, {"ids": []}, {"ids": "x"}, {"ids": [7]}, {"ids": [""]}])
async def test_a_zip_of_nothing_is_refused(client: httpx.AsyncClient, body: dict[str, object]) -> None:
    answer = await client.post("/api/files/zip", json=body)
    assert answer.status_code == 400
    assert answer.json()["field"] == "ids"
    assert (await client.post("/api/files/zip", json={"ids": ["unknown"]})).status_code == 404


async def test_a_zip_of_five_gigabytes_is_streamed_and_not_held(
    harness: LibraryHarness, tmp_path: Path, client: httpx.AsyncClient
) -> None:
    size = 1024**3
    rows = []
    for number in range(5):
        kept = harness.file(b"")
        with harness.folder.path(kept.name).open("r+b") as file:
            file.truncate(size)  # a hole: it takes no room
        rows.append(await harness.put(str(number), kept=kept))
    archive = await harness.library.archive([row.id for row in rows], owner=LOCAL_OWNER)
    assert len(archive) > 5 * size
    tracemalloc.start()
    came = sum(len(chunk) for chunk in itertools.islice(archive, 2000))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert came > 400 * 1024**2
    assert most < 8 * 1024**2
