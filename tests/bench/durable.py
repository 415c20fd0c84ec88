"""Durable state changes: the time of `Store.advance`, synchronous=FULL, with eight concurrent writers.

Interleaved with it, the time of the disk itself for 4 KiB appended and synced.
"""

from __future__ import annotations

import asyncio
import os
import random
import tempfile
import time
from pathlib import Path

from services.core.model import Generation, Phase
from services.store.store import Store
from tests.bench.table import Figure, one
from tests.support.rows import a_generation, a_request

WRITERS, CHANGES = 8, 250
PAUSE_S = 0.02
PAGE = b"x" * 4096


def measure() -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="rushes-bench-") as folder:
        return asyncio.run(_measure(Path(folder)))


async def _measure(folder: Path) -> list[Figure]:
    store = Store(f"sqlite:///{folder / 'rushes.db'}", process="bench")
    await store.open()
    rows = await store.add([_row() for _ in range(WRITERS)])
    await asyncio.gather(*(_change(store, row, 20) for row in rows))
    spent_s = time.process_time()
    synced: list[float] = []
    beside = asyncio.create_task(_sync(folder / "beside", synced))
    taken = await asyncio.gather(*(_change(store, row, CHANGES) for row in rows))
    beside.cancel()
    await asyncio.gather(beside, return_exceptions=True)
    spent_s = time.process_time() - spent_s
    alone = await _change(store, rows[0], CHANGES)
    await store.close()
    return [
        Figure(
            name="advance, 8 at once",
            unit="ms",
            values=_ms([each for few in taken for each in few]),
            at_most={"p99": 5.0},
        ),
        Figure(name="advance, alone", unit="ms", values=_ms(alone), at_most={"p99": 5.0}),
        Figure(name="the disk alone: 4 KiB synced", unit="ms", values=_ms(synced)),
        one("CPU for each change", "ms", 1000 * spent_s / (WRITERS * CHANGES)),
    ]


async def _change(store: Store, row: Generation, times: int) -> list[float]:
    rng, taken = random.Random(row.id), []
    for number in range(times):
        await asyncio.sleep(rng.uniform(0, 2 * PAUSE_S))
        begun = time.perf_counter()
        moved = await store.advance(
            row.id, epoch=row.epoch, to=(Phase.COLLECTING, Phase.PROCESSING)[number % 2]
        )
        taken.append(time.perf_counter() - begun)
        assert moved is not None
    return taken


async def _sync(path: Path, taken: list[float]) -> None:
    def append() -> float:
        begun = time.perf_counter()
        os.write(handle, PAGE)
        os.fdatasync(handle)
        return time.perf_counter() - begun

    handle = os.open(path, os.O_WRONLY | os.O_CREAT)
    try:
        while True:
            await asyncio.sleep(PAUSE_S)
            taken.append(await asyncio.to_thread(append))
    finally:
        os.close(handle)


def _row() -> Generation:
    return a_generation(request=a_request(backend="bench", model="bench/film"), phase=Phase.PROCESSING)


def _ms(seconds: list[float]) -> list[float]:
    return [1000 * each for each in seconds]
