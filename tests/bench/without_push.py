"""The stream refused (401), or open and silent: backend finished to kept, and the polls that it took.

Jobs of 3 to 20 s, all at once; polls are all requests for the file, the checks among them. A plain poller
asks for each job every 10 s, from its submit on.
"""

from __future__ import annotations

import asyncio

from tests.bench import rig
from tests.bench.table import Figure, one, percentile

JOBS = 60
MIN_LENGTH_S, MAX_LENGTH_S = 3.0, 20.0
MAX_POLLS = 12
WITHIN_S = 60.0


def measure() -> list[Figure]:
    return [*_measure("401", "refused"), *_measure("silent", "silent")]


def _measure(mode: str, word: str) -> list[Figure]:
    with rig.wire(push=mode, progress_every_s=0) as backend, rig.studio(backend) as app:
        prompts = [f"clip number {number}" for number in range(JOBS)]
        for number, prompt in enumerate(prompts):
            length_s = MIN_LENGTH_S + (MAX_LENGTH_S - MIN_LENGTH_S) * number / (JOBS - 1)
            backend.script(prompt, length_s=length_s)
        ids, polled = asyncio.run(_run(backend, app, prompts))
        kept_at, jobs = rig.wait_until_kept(app, JOBS, WITHIN_S), backend.jobs()
    kept, plain, polls = [], [], []
    for prompt, file_id, (polled_at, own_polls) in zip(prompts, ids, polled, strict=True):
        finished_at = jobs[prompt]["finished_at"]
        kept.append(kept_at[file_id] - finished_at)
        plain.append(polled_at - finished_at)
        polls.append(float(jobs[prompt]["polls"] - own_polls))
    return [
        Figure(name=f"{word}: finished to kept", unit="s", values=kept, at_most={"p50": 1.5, "p99": 3.0}),
        Figure(name=f"{word}: polls for each job", unit="", values=polls, at_most={"max": MAX_POLLS}),
        Figure(name=f"{word}: a plain 10 s poller", unit="s", values=plain),
        one(f"{word}: poller p50 / ours", "times", percentile(plain, 50) / percentile(kept, 50)),
    ]


async def _run(
    backend: rig.Wire, app: rig.RunningApp, prompts: list[str]
) -> tuple[list[str], list[tuple[float, int]]]:
    ids = await rig.submitted(app, prompts)
    await asyncio.to_thread(rig.until, lambda: len(backend.jobs()) == JOBS, WITHIN_S, every_s=0.2)
    jobs = await asyncio.to_thread(backend.jobs)
    polled = await asyncio.gather(*(rig.plain_poller(backend, jobs[prompt]["id"]) for prompt in prompts))
    return ids, list(polled)
