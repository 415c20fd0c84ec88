"""POST /api/source and what a request may start from."""

from __future__ import annotations

import httpx
import pytest

from services.core.model import Draft, Kind
from tests.services.api.stand_in import StandIn

PNG = b"\x89PNG\r\n\x1a\n" + b"picture"
pytestmark = pytest.mark.asyncio


async def test_a_picture_is_brought_as_the_bare_body_and_named_in_a_request(
    client: httpx.AsyncClient, stand_in: StandIn
) -> None:
    answer = await client.post("/api/source", content=PNG)
    assert answer.status_code == 201
    assert answer.json() == {"success": True, "source": "source-1.png", "url": "/media/source/source-1.png"}
    body = {"prompt": "a kite", "source": answer.json()["source"]}
    assert (await client.post("/api/generate/image", json=body)).status_code == 202
    assert stand_in.drafts == [Draft(kind=Kind.IMAGE, prompt="a kite", source="source-1.png")]


async def test_a_kept_file_gives_a_source(client: httpx.AsyncClient, stand_in: StandIn) -> None:
    started = await client.post("/api/generate/video", json={"prompt": "a kite"})
    answer = await client.post(f"/api/file/{started.json()['fileId']}/source")
    assert (answer.status_code, answer.json()["source"]) == (201, "source-1.png")
    assert (await client.post("/api/file/unknown/source")).status_code == 404


async def test_what_is_no_picture_is_a_422_with_its_sentence(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/source", content=b"<svg/>")
    assert answer.status_code == 422
    assert answer.json() == {
        "success": False,
        "error": "The picture must be a PNG, a JPEG or a WebP.",
        "field": "file",
    }


async def test_a_body_above_the_limit_is_not_read_to_its_end(
    client: httpx.AsyncClient, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.api.request_body.MAX_SOURCE_BYTES", 100_000)
    asked = 0

    async def endless():  # type: ignore[no-untyped-def]
        nonlocal asked
        while asked < 1000:
            asked += 1
            yield bytes(10_000)

    assert (await client.post("/api/source", content=bytes(100_001))).status_code == 413
    assert (await client.post("/api/source", content=endless())).status_code == 413
    assert asked < 1000
    assert stand_in.sources == []


async def test_a_source_is_shown_and_other_kept_files_are_not_by_that_address(
    client: httpx.AsyncClient, stand_in: StandIn
) -> None:
    folder = stand_in.media("ab")
    folder.mkdir(exist_ok=True)
    for name in ("cd.source.png", "cd.png"):
        (folder / name).write_bytes(PNG)
    answer = await client.get("/media/source/ab/cd.source.png")
    assert (answer.status_code, answer.content) == (200, PNG)
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["x-content-type-options"] == "nosniff"
    for missing in ("ab/cd.png", "ab/none.source.png"):
        assert (await client.get(f"/media/source/{missing}")).status_code == 404
