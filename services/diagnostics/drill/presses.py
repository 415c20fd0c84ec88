"""What a person does at an awkward moment: twice at once, too early, or to clear up."""

from __future__ import annotations

import asyncio

from services.core.errors import NotFound, Sentence
from services.core.model import LOCAL_OWNER, Phase
from services.diagnostics.drill.stage import Broken, Stage, expect

CLEARS, EMPTIES = "drill who clears", "drill who empties"
"""Owners of their own, so that what the other trials have stays where it is."""


async def same_key(stage: Stage) -> None:
    stage.script("same key")
    draft = stage.draft("same key")
    started = await asyncio.gather(
        *(
            stage.engine.generations.start(draft, key="drill", fingerprint="same", owner=LOCAL_OWNER)
            for _ in range(2)
        ),
        return_exceptions=True,
    )
    ids = {row.id for rows in started if not isinstance(rows, BaseException) for row in rows}
    refused = [rows for rows in started if isinstance(rows, BaseException)]
    expect(len(ids) == 1 and not refused, Sentence("it was not taken for the same request"))


async def pressed_twice(stage: Stage) -> None:
    prompt = "pressed twice"
    generation = await stage.start(prompt, submits=("lost_before",), owner=LOCAL_OWNER)
    await stage.until(
        generation, lambda row: row.phase is Phase.UNCONFIRMED, Sentence("it is not shown as unconfirmed")
    )
    stage.script(prompt)
    sent = stage.backend.holds[prompt]
    await stage.engine.generations.submit_again(generation.id, owner=LOCAL_OWNER)
    await stage.being_sent(prompt)
    again = await stage.engine.supervisor.submit_again(generation.id)
    expect(again is None, Sentence("the second press was taken too"))
    sent.set()
    await stage.done(generation)
    paid = stage.backend.paid(generation.id)
    expect(paid == 1, Sentence("it was paid {count} times", count=paid))


async def cleared(stage: Stage) -> None:
    generation = await stage.start("cleared", owner=CLEARS, length_s=1.0)
    await stage.until(generation, lambda row: row.job_id is not None, Sentence("it was never sent"))
    await stage.engine.generations.stop(generation.id, owner=CLEARS)
    done = await stage.done(generation)
    await stage.engine.generations.clear(owner=CLEARS)
    row = await stage.engine.store.get(done.id)
    expect(row.trashed_at is None, Sentence("it was thrown away unasked"))


async def emptied(stage: Stage) -> None:
    generation = await stage.start("emptied", owner=EMPTIES, length_s=1e6)
    await stage.until(generation, lambda row: row.job_id is not None, Sentence("it was never sent"))
    await stage.engine.generations.delete(generation.id, owner=EMPTIES)
    await stage.engine.library.empty(owner=EMPTIES)
    stage.backend.finish("emptied")
    try:
        await stage.done(generation)
    except NotFound:
        raise Broken(Sentence("it was removed with the trash")) from None
