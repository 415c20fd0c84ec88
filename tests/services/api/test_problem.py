"""A kept file with a problem: named in every answer, and served as a download only."""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest

from services.core.model import Phase, Problem
from tests.services.api.stand_in import StandIn, generation

PAGE = b"\x00<script>alert(1)</script>" + bytes(range(256))
PROBLEM = Problem(code="unknown", reason="The file format is unknown.")
SENTENCE = "The file arrived, but this browser may not show it: the file format is unknown."

pytestmark = pytest.mark.asyncio


@pytest.fixture
def arrived(stand_in: StandIn) -> str:
    stand_in.commit(generation())
    row = stand_in.finish("gen-0", PAGE)
    assert row.kept is not None
    stand_in.commit(
        replace(
            row, revision=row.revision + 1, kept=replace(row.kept, width=None, height=None, problem=PROBLEM)
        )
    )
    return row.id


@pytest.mark.parametrize("route", ["file", "download"])
async def test_it_is_served_as_a_download_of_unknown_bytes(
    client: httpx.AsyncClient, arrived: str, route: str
) -> None:
    for method in ("GET", "HEAD"):
        answer = await client.request(method, f"/media/{arrived}/{route}")
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == "application/octet-stream"
        assert answer.headers["Content-Disposition"].startswith("attachment; ")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert method == "HEAD" or answer.content == PAGE


async def test_a_range_of_it_is_a_download_too(client: httpx.AsyncClient, arrived: str) -> None:
    answer = await client.get(f"/media/{arrived}/file", headers={"Range": "bytes=0-3"})
    assert (answer.status_code, answer.content) == (206, PAGE[:4])
    assert answer.headers["Content-Disposition"].startswith("attachment; ")
    assert answer.headers["Content-Type"] == "application/octet-stream"


async def test_every_answer_names_the_problem(client: httpx.AsyncClient, arrived: str) -> None:
    answer = (await client.get(f"/api/file/{arrived}")).json()
    assert (answer["status"], answer["phase"]) == ("completed", "completed")
    assert answer["problem"] == {"code": "unknown", "sentence": SENTENCE}
    assert answer["message"] == SENTENCE
    assert answer["url"].endswith(f"/media/{arrived}/file")
    (listed,) = (await client.get("/api/files")).json()["items"]
    assert listed["problem"] == answer["problem"]
    events = await client.get(f"/api/events/file.{arrived}")
    assert '"contentType":"application/octet-stream"' in events.text
    assert SENTENCE in events.text


async def test_an_ordinary_result_names_none(client: httpx.AsyncClient, stand_in: StandIn) -> None:
    stand_in.commit(generation())
    row = stand_in.finish("gen-0", PAGE)
    assert (await client.get(f"/api/file/{row.id}")).json()["problem"] is None


async def test_while_it_is_fetched_again_the_message_is_the_reason(
    client: httpx.AsyncClient, stand_in: StandIn
) -> None:
    stand_in.commit(generation(phase=Phase.PROCESSING, stage="delivery_too_large:3500:2048", late_since=1.0))
    message = (await client.get("/api/file/gen-0")).json()["message"]
    assert "3500 MB" in message
    assert "2048 MB (RUSHES_RESULT_LIMIT_MB)" in message
    stand_in.commit(generation(revision=1, phase=Phase.COLLECTING, stage="delivery_held:picture"))
    message = (await client.get("/api/file/gen-0")).json()["message"]
    assert "The file is an image, not a video." in message
