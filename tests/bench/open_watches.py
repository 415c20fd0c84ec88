"""A thousand open generations: what watching them costs. Each has a stream with progress every 5 s and is polled every
10 s; the watch does not grow quieter after 3 minutes, as it would with default settings.

CPU of the app's process over 30 s with all of them open, its resident memory against none, and what the
processes beside it take.
"""

from __future__ import annotations

import time

from tests.bench import rig
from tests.bench.table import Figure, one

OPEN, WARM_UP = 1000, 20
LENGTH_S, PROGRESS_EVERY_S = 3600.0, 5.0
SETTLED_S, OBSERVED_S = 15.0, 30.0
WITHIN_S = 300.0
KIB = 1024


def measure() -> list[Figure]:
    with (
        rig.wire(length_s=LENGTH_S, progress_every_s=PROGRESS_EVERY_S) as backend,
        rig.studio(backend, RUSHES_POLL_ATTEMPTS="1000") as app,
    ):
        warm_up(backend, app)
        empty = rig.memory_bytes(app)
        open_them(backend, app)
        time.sleep(SETTLED_S)
        before, polls = rig.cpu(app), backend.stats()["totals"]["polls"]
        time.sleep(OBSERVED_S)
        spent, polled = rig.cpu(app).since(before), backend.stats()["totals"]["polls"] - polls
        full = rig.memory_bytes(app)
    return [
        one("1,000 open, CPU of the app", "% core", spent.share, at_most=25),
        one("memory for each", "KiB", (full - empty) / OPEN / KIB, at_most=64),
        one("the app, none open", "MB", empty / 1e6),
        one("polls meanwhile", "a second", polled / OBSERVED_S),
    ]


def open_them(backend: rig.Wire, app: rig.RunningApp, count: int = OPEN) -> dict[str, str]:
    """Returns when each is submitted and its stream is open: their prompts by id."""
    prompts = [f"clip number {number}" for number in range(count)]
    ids = rig.submit(app, prompts)

    def all_streaming() -> bool:
        jobs = backend.jobs()
        return sum(job["open_streams"] > 0 for job in jobs.values() if job["status"] != "completed") >= count

    rig.until(all_streaming, WITHIN_S, every_s=2.0)
    return dict(zip(ids, prompts, strict=True))


def warm_up(backend: rig.Wire, app: rig.RunningApp) -> None:
    """Loads and caches whatever the first use needs."""
    prompts = [f"warm-up number {number}" for number in range(WARM_UP)]
    for prompt in prompts:
        backend.script(prompt, length_s=1.0)
    rig.submit(app, prompts)
    rig.wait_until_kept(app, WARM_UP, WITHIN_S)
    time.sleep(5.0)
