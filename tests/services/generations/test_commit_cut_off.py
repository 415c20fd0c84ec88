"""A commit that is cut off while the disk is slow goes on in the writer: its bytes must be there."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from services.channels.race import ReportedResult
from services.core.model import Channel, Phase, Result
from tests.support.engine_harness import FakeIngest
from tests.support.library_harness import LibraryHarness

REPORTED = ReportedResult(channel=Channel.PUSH, result=Result(url="https://a.example/1"), reported_at=1.0)


@pytest.mark.asyncio
async def test_an_end_during_a_slow_commit_does_not_take_the_bytes_away(tmp_path: Path) -> None:
    harness, files = LibraryHarness(tmp_path), FakeIngest(lambda _: True)
    await harness.store.open()
    delivery = harness.delivery(files)
    row = await harness.put(phase=Phase.COLLECTING)
    disk = threading.Event()
    keeping = asyncio.create_task(delivery.deliver(row, REPORTED, credentials={}))
    await asyncio.sleep(files.download_s / 2)
    slow = asyncio.create_task(harness.store.write(lambda _: disk.wait(10)))
    while not any(task.get_name().startswith("commit") for task in asyncio.all_tasks()):
        await asyncio.sleep(0.005)

    await delivery.close()
    disk.set()

    await slow
    await harness.store.ping()  # behind all that waited
    done = await harness.store.get(row.id)
    assert done.kept is not None
    assert files.files == {done.kept.name}
    with pytest.raises(asyncio.CancelledError):
        await keeping
    await harness.store.close()
