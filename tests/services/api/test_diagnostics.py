"""The drill and the doctor over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from services.api.diagnostics import router
from services.core.errors import Sentence
from services.diagnostics.drill.checks import CHECKS
from tests.services.api.stand_in import client_of
from tests.services.diagnostics.runs.test_drill_runs import played
from tests.support.fake_drill import diagnostics, lines, print_command

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    seen = {"lost_answer": Sentence("it was sent {count} times", count=2)}
    app = FastAPI()
    app.state.diagnostics = diagnostics(print_command(lines(broken=seen), code=1), tmp_path)
    app.include_router(router(app.state.diagnostics))
    async with client_of(app) as client:
        client.app = app  # type: ignore[attr-defined]
        yield client
    await app.state.diagnostics.close()


async def test_before_the_first_one_there_is_none(client: httpx.AsyncClient) -> None:
    assert (await client.get("/api/drill")).json() == {"success": True, "drill": None}


async def test_a_drill_is_begun_and_its_findings_are_told(client: httpx.AsyncClient) -> None:
    begun = await client.post("/api/drill")
    assert (begun.status_code, begun.json()["drill"]["held"]) == (202, None)
    await played(client.app.state.diagnostics.drills)  # type: ignore[attr-defined]
    drill = (await client.get("/api/drill")).json()["drill"]
    assert (drill["held"], drill["tried"], drill["of"]) == (False, len(CHECKS), len(CHECKS))
    (broken,) = (found for found in drill["findings"] if not found["held"])
    assert (broken["rule"], broken["seen"]) == ("R6", "it was sent 2 times")


async def test_the_doctor_tells_what_is_around(client: httpx.AsyncClient) -> None:
    (disk,) = (await client.get("/api/doctor")).json()["findings"]
    assert disk["what"] == "disk" and disk["mark"] in ("well", "doubtful")
