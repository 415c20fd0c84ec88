"""A hundred generations at once, default settings: jobs of 2-3 s, results of 250 KB over push.

How many were in flight together, backend finished to kept, and the CPU of each job: of the app's process, of the
processes that verify, and of the one that draws posters and previews afterwards.
"""

from __future__ import annotations

import random
import time

from tests.bench import rig
from tests.bench.table import Figure, one

JOBS, WARM_UP = 100, 5
WITHIN_S = 60.0
QUIET_AFTER_S = 60.0


def measure() -> list[Figure]:
    with rig.wire(result="small") as backend, rig.studio(backend) as app:
        rng = random.Random(1)
        warm_up = [f"warm-up number {number}" for number in range(WARM_UP)]
        rig.submit(app, warm_up)
        rig.wait_until_kept(app, WARM_UP, WITHIN_S)
        _until_quiet(app)
        prompts = [f"clip number {number}" for number in range(JOBS)]
        for prompt in prompts:
            backend.script(prompt, length_s=rng.uniform(2, 3))
        before = rig.cpu(app)
        ids = rig.submit(app, prompts)
        kept_at = rig.wait_until_kept(app, WARM_UP + JOBS, WITHIN_S)
        until_kept = rig.cpu(app).since(before)
        _until_quiet(app)
        spent = rig.cpu(app).since(before)
        jobs = backend.jobs()
    lag_ms = [
        1000 * (kept_at[file_id] - jobs[prompt]["finished_at"])
        for prompt, file_id in zip(prompts, ids, strict=True)
    ]
    last_accepted = max(jobs[prompt]["created_at"] for prompt in prompts)
    in_flight = sum(jobs[prompt]["finished_at"] > last_accepted for prompt in prompts)
    return [
        one("in flight when the last was accepted", f"of {JOBS}", in_flight),
        Figure(name="finished to kept", unit="ms", values=lag_ms, at_most={"p99": 300}),
        one("CPU a job: app and verifying", "ms", _each(spent.app_s + spent.verifying_s), at_most=30),
        one("CPU a job: the app's process", "ms", _each(spent.app_s)),
        one("CPU a job: the app's process, until kept", "ms", _each(until_kept.app_s)),
        one("CPU a job: verifying", "ms", _each(spent.verifying_s)),
        one("CPU a job: poster and preview, later", "ms", _each(spent.later_s)),
    ]


def _each(seconds: float) -> float:
    return 1000 * seconds / JOBS


def _until_quiet(app: rig.RunningApp) -> None:
    """Waits for posters and previews, which are drawn after the last result is kept."""
    deadline = time.monotonic() + QUIET_AFTER_S
    while time.monotonic() < deadline:
        before = rig.cpu(app)
        time.sleep(1.0)
        spent = rig.cpu(app).since(before)
        if spent.later_s + spent.app_s < 0.05:
            return
