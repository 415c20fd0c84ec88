"""/health: 200 while work can be accepted, with the reasons inside."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from services.api.health import router
from services.core.errors import StoreFailed
from tests.services.api.stand_in import client_of, health


async def broken() -> int:
    raise StoreFailed("The database is locked.")


async def endless() -> int:
    await asyncio.sleep(3600)
    return 0


async def three() -> int:
    return 3


@pytest.mark.asyncio
async def test_a_sound_install_is_ok(tmp_path: Path) -> None:
    ok, body = await health(tmp_path, open_generations=three).report()
    assert ok
    assert body.pop("uptime_s") >= 0
    assert body == {
        "status": "ok",
        "reasons": [],
        "data_writable": True,
        "free_bytes": 10**12,
        "database": True,
        "models_known": True,
        "backends": {},
        "open_generations": 3,
        "version": "1.2.3",
    }
    assert list(tmp_path.iterdir()) == []


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"data_dir": Path("/proc/nowhere")}, "The data folder cannot be written."),
        ({"free_bytes": lambda _: 199_999_999}, "Less than 200 MB are free on the data folder's disk."),
        ({"open_generations": broken}, "The database does not answer."),
        ({"open_generations": endless}, "The database does not answer."),
        ({"models_known": lambda: False}, "No backend has told its models yet."),
    ],
)
async def test_what_prevents_work_is_a_reason(
    tmp_path: Path, changes: dict[str, Any], reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.api.health.CHECK_TIMEOUT_S", 1.0)
    ok, body = await health(tmp_path, **changes).report()
    assert not ok
    assert body["reasons"] == [reason]
    assert body["status"] == "error"


@pytest.mark.asyncio
async def test_an_unreachable_backend_is_a_reason_and_no_fault(tmp_path: Path) -> None:
    problems = {"cloud": "It does not answer."}
    ok, body = await health(tmp_path, problems=lambda: problems).report()
    assert ok
    assert body["reasons"] == ["cloud: It does not answer."]


@pytest.mark.asyncio
async def test_the_status_follows_the_report(tmp_path: Path) -> None:
    for changes, status in (({}, 200), ({"models_known": lambda: False}, 503)):
        app = FastAPI()
        app.include_router(router(health(tmp_path, **changes)))
        async with client_of(app) as client:
            answer = await client.get("/health")
        assert answer.status_code == status
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.asyncio
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_the_process_is_alive_even_when_it_takes_no_work(tmp_path: Path, method: str) -> None:
    app = FastAPI()
    app.include_router(router(health(tmp_path, damaged=lambda: True, models_known=lambda: False)))
    async with client_of(app) as client:
        answer = await client.request(method, "/alive")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
