"""The app as main.py runs it, with a probe on its loop: `python -m tests.bench.probed_app`.

Prints when `resume` begins and ends, and once a second the loop's lag at a hundred probes.
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

PROBED_EVERY_S = 0.01
PRINTED_EVERY_S = 1.0
RESUME_BEGINS, RESUME_ENDS, LOOP_LAG = "probe resume begins", "probe resume ends", "probe loop"

_running = server.running
_resume = Supervisor.resume


@contextlib.asynccontextmanager
async def running(engine: Engine) -> AsyncIterator[None]:
    watch = asyncio.create_task(_probe_loop(), name="bench probe")
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


async def _probe_loop() -> None:
    loop = asyncio.get_running_loop()
    lags_s: list[float] = []
    printed_at = loop.time()
    while True:
        due = loop.time() + PROBED_EVERY_S
        await asyncio.sleep(PROBED_EVERY_S)
        lags_s.append(max(0.0, loop.time() - due))
        if loop.time() - printed_at >= PRINTED_EVERY_S:
            print(LOOP_LAG, json.dumps([round(each, 5) for each in lags_s]), flush=True)
            lags_s.clear()
            printed_at = loop.time()


if __name__ == "__main__":
    server.running = running
    Supervisor.resume = resume  # type: ignore[method-assign]
    sys.exit(main.main())
