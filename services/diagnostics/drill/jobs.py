"""What was perhaps taken unheard: whose a job in the backend's list is, and whose it is not."""

from __future__ import annotations

import asyncio
import time

from services.backends.job_listing import ListedJob
from services.core.errors import Sentence
from services.core.model import LOCAL_OWNER, Generation, Phase
from services.diagnostics.drill.stage import Stage, expect

HOUR_S = 3600.0
SEARCHED_S = 0.5
"""A search that has begun is over by then."""


async def older_job(stage: Stage) -> None:
    await _nobodys(stage, "older job", made_ago_s=HOUR_S, submits=("lost_before",))


async def two_jobs(stage: Stage) -> None:
    await _nobodys(stage, "two jobs", made_ago_s=0.0, submits=("lost_after",))


async def _nobodys(stage: Stage, prompt: str, *, made_ago_s: float, submits: tuple[str, ...]) -> None:
    """A job stands in the list that looks like ours."""
    stage.backend.unlisted.add(prompt)
    generation = await stage.start(prompt, submits=submits, owner=LOCAL_OWNER)
    await _unheard(stage, generation)
    stage.backend.strangers.append(
        ListedJob(
            job_id=f"stranger-{len(stage.backend.strangers)}",
            prompt=prompt,
            seed=generation.request.seed,
            model=generation.request.model,
            created_at=time.time() - made_ago_s,
        )
    )
    stage.backend.unlisted.discard(prompt)
    await _look_again(stage, generation)
    await _has_none(stage, generation)


async def twins_job(stage: Stage) -> None:
    # Only the first one's request was taken, and neither heard of it.
    prompt = "twin's job"
    stage.backend.unlisted.add(prompt)
    first = await stage.start(prompt, submits=("lost_after",), owner=LOCAL_OWNER)
    await _unheard(stage, first)
    stage.script(prompt, submits=("lost_before",))
    twin = await stage.engine.generations.retry(first.id, owner=LOCAL_OWNER)
    await _unheard(stage, twin)
    stage.backend.unlisted.discard(prompt)
    await _look_again(stage, twin)
    await _has_none(stage, twin)


async def job_of_another(stage: Stage) -> None:
    # The same was asked for before, and its job is in the list too.
    prompt = "job of another"
    first = await stage.done(await stage.start(prompt, owner=LOCAL_OWNER))
    stage.script(prompt, submits=("lost_after",))
    again = await stage.done(await stage.engine.generations.retry(first.id, owner=LOCAL_OWNER))
    held = (await stage.engine.store.get(first.id)).job_id
    expect(again.job_id != held, Sentence("both have the same job"))


async def never_heard_of(stage: Stage) -> None:
    prompt = "never heard of"
    stage.backend.unlisted.add(prompt)
    generation = await stage.start(prompt, submits=("lost_after",), owner=LOCAL_OWNER)
    await _unheard(stage, generation)
    await stage.cut_off_watcher(generation)  # as after the four minutes of its own search
    stage.backend.unlisted.discard(prompt)
    await stage.engine.reconciler.run_once()
    await stage.done(generation)


async def stopped_while_sent(stage: Stage) -> None:
    prompt = "stopped while sent"
    sent = stage.backend.holds[prompt]
    generation = await stage.start(prompt, submits=("lost_after",), owner=LOCAL_OWNER)
    await stage.being_sent(prompt)
    await stage.engine.generations.stop(generation.id, owner=LOCAL_OWNER)
    sent.set()
    done = await stage.done(generation)
    expect(done.unwanted, Sentence("the result of a stopped one was not set apart"))
    looked = [entry for entry in await stage.trace(done) if entry.event == "looking"]
    expect(len(looked) > 0, Sentence("it was not looked for at once"))


async def _unheard(stage: Stage, generation: Generation) -> None:
    """It was looked for once, in vain."""
    await stage.until(
        generation, lambda row: row.phase is Phase.UNCONFIRMED, Sentence("it is not shown as unconfirmed")
    )
    await asyncio.sleep(SEARCHED_S)


async def _look_again(stage: Stage, generation: Generation) -> None:
    await stage.cut_off_watcher(generation)
    await stage.engine.generations.check(generation.id, owner=LOCAL_OWNER)
    await asyncio.sleep(SEARCHED_S)


async def _has_none(stage: Stage, generation: Generation) -> None:
    row = await stage.engine.store.get(generation.id)
    expect(row.job_id is None, Sentence("it was taken for its own"))
