"""What the doctor makes of what it saw."""

from __future__ import annotations

import time
from email.utils import formatdate
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from services.api.doctor_probes import router, sending_times
from services.diagnostics.doctor import disk as disk_room
from services.diagnostics.doctor.address import PATTERN
from services.diagnostics.doctor.clock import clock
from services.diagnostics.doctor.disk import disk
from services.diagnostics.doctor.stream import StreamMeasurement, judge


def test_a_clock_that_is_a_day_off_is_told_with_its_direction() -> None:
    found = clock("the-backend", {"Date": formatdate(time.time() + 86_400, usegmt=True)})
    assert found is not None
    assert found.mark == "!"
    assert "ahead of" in str(found.says)


def test_a_clock_that_agrees_is_well_and_one_that_is_not_told_is_not_judged() -> None:
    found = clock("the-backend", {"Date": formatdate(time.time(), usegmt=True)})
    assert found is not None
    assert found.mark == "✓"
    assert clock("the-backend", {}) is None
    assert clock("the-backend", {"Date": "yesterday"}) is None


@pytest.mark.parametrize(("free_bytes", "mark"), [(1_000_000, "✗"), (1_000_000_000, "!"), (10**11, "✓")])
def test_a_full_disk_is_ill_and_one_that_fills_is_doubtful(
    free_bytes: int, mark: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = disk_room.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(disk_room.shutil, "disk_usage", lambda _: usage._replace(free=free_bytes))
    assert disk(tmp_path).mark == mark


def test_a_folder_that_is_not_there_is_ill(tmp_path: Path) -> None:
    assert disk(tmp_path / "nowhere").mark == "✗"


def test_two_clocks_that_differ_do_not_look_like_a_buffer() -> None:
    measured_stream = StreamMeasurement(status=200, lags_s=[3600.0, 3600.1, 3600.05], complete=True)
    assert [finding.mark for finding in judge(measured_stream, 5)] == ["✓", "✓"]


def test_a_stream_of_which_nothing_comes_is_one_finding() -> None:
    (found,) = judge(StreamMeasurement(status=200, lived_s=10.0), 5)
    assert found.mark == "✗"


def test_the_stream_is_brisk_and_then_as_quiet_as_a_real_one() -> None:
    assert sending_times(5) == [0, 1, 2, 3, 4, 5]
    assert sending_times(35) == [0, 1, 2, 3, 4, 5, 20, 35]
    assert sending_times(1) == [0, 1]


@pytest.mark.asyncio
async def test_the_bytes_come_whole_or_in_part() -> None:
    app = FastAPI()
    app.include_router(router())
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://localhost", trust_env=False
    ) as client:
        whole = await client.get("/api/doctor/bytes")
        part = await client.get("/api/doctor/bytes", headers={"Range": "bytes=10-19"})
        beyond = await client.get("/api/doctor/bytes", headers={"Range": "bytes=0-99999"})
    assert (whole.status_code, whole.content) == (200, PATTERN)
    assert (part.status_code, part.content) == (206, PATTERN[10:20])
    assert part.headers["Content-Range"] == f"bytes 10-19/{len(PATTERN)}"
    assert beyond.status_code == 200
