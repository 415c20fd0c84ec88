"""Two thousand open generations in one process, and some of them finish: finished at the backend to kept here.

Each has a stream with progress every 5 s and is polled every 10 s, so the app receives 400 events and sends 200 polls a
second meanwhile. `FINISHED` of them finish one after another at random moments; results of 250 KB.
"""

from __future__ import annotations

import random
import time

from tests.bench import rig
from tests.bench.open_watches import LENGTH_S, PROGRESS_EVERY_S, SETTLED_S, WARM_UP, open_them, warm_up
from tests.bench.table import Figure, one, percentile
from tests.support.proof_counts import proven

OPEN, FINISHED, APART_S = 2000, 300, 0.3
WITHIN_S = 60.0


def measure() -> list[Figure]:
    rng = random.Random(1)
    with (
        rig.wire(length_s=LENGTH_S, progress_every_s=PROGRESS_EVERY_S, result="small") as backend,
        rig.studio(backend, RUSHES_POLL_ATTEMPTS="1000") as app,
    ):
        warm_up(backend, app)
        prompt_of = open_them(backend, app, OPEN)
        time.sleep(SETTLED_S)
        jobs = backend.jobs()
        before = rig.cpu(app)
        for prompt in rng.sample(sorted(prompt_of.values()), FINISHED):
            time.sleep(rng.expovariate(1 / APART_S))
            backend.finish(jobs[prompt]["id"])
        kept_at = rig.wait_until_kept(app, WARM_UP + FINISHED, WITHIN_S)
        spent = rig.cpu(app).since(before)
        jobs = backend.jobs()
    lag_ms = [
        1000 * (at - jobs[prompt_of[file_id]]["finished_at"])
        for file_id, at in kept_at.items()
        if file_id in prompt_of
    ]
    proven(
        "many open",
        open=OPEN,
        delivered=len(lag_ms),
        ms_at_p50=percentile(lag_ms, 50),
        ms_at_p99=percentile(lag_ms, 99),
    )
    return [
        Figure(name="finished to kept, 2,000 open", unit="ms", values=lag_ms, at_most={"p99": 250}),
        one("CPU of the app meanwhile", "% core", spent.share),
    ]
