"""The app as main.py runs it, with a probe on its loop: `python -m tests.bench.probed_app`.

Says when `resume` begins and ends, and once a second how late its loop was, a hundred times asked.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import AsyncIterator

import main
from services.app import server
from services.app.build import Engine
from services.core.model import Generation
from services.generations.supervisor import Supervisor

ASKED_EVERY_S = 0.01
TOLD_EVERY_S = 1.0
RESUME_BEGINS, RESUME_ENDS, LATENESS = "probe resume begins", "probe resume ends", "probe loop"

_running = server.running
_resume = Supervisor.resume


@contextlib.asynccontextmanager
async def running(engine: Engine) -> AsyncIterator[None]:
    watch = asyncio.create_task(_watch_the_loop(), name="bench probe")
    try:
        async with _running(engine):
            yield
    finally:
        watch.cancel()


async def resume(self: Supervisor) -> list[Generation]:
    print(RESUME_BEGINS, time.time(), flush=True)
    rows = await _resume(self)
    print(RESUME_ENDS, time.time(), flush=True)
    return rows


async def _watch_the_loop() -> None:
    loop = asyncio.get_running_loop()
    late_s: list[float] = []
    told = loop.time()
    while True:
        due = loop.time() + ASKED_EVERY_S
        await asyncio.sleep(ASKED_EVERY_S)
        late_s.append(max(0.0, loop.time() - due))
        if loop.time() - told >= TOLD_EVERY_S:
            print(LATENESS, json.dumps([round(each, 5) for each in late_s]), flush=True)
            late_s.clear()
            told = loop.time()


if __name__ == "__main__":
    server.running = running
    Supervisor.resume = resume  # type: ignore[method-assign]
    sys.exit(main.main())
