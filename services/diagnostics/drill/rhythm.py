"""When polling asks although the stream is there, and how the loser of a race ends."""

from __future__ import annotations

import asyncio

from services.core.errors import Sentence
from services.core.events import News
from services.core.model import LOCAL_OWNER, Generation
from services.diagnostics.drill.stage import Stage, expect
from services.diagnostics.drill.witness import CALM

RACES = 12


async def comments_alone(stage: Stage) -> None:
    await stage.done(
        await stage.start("comments alone", CALM, length_s=2.5, streams=("silent",), owner=LOCAL_OWNER)
    )


async def just_before(stage: Stage) -> None:
    done = await stage.done(
        await stage.start("just before", CALM, length_s=0.0, streams=("silent",), owner=LOCAL_OWNER)
    )
    checks = [entry for entry in await stage.trace(done) if entry.data.get("because") == "connected"]
    expect(len(checks) > 0, Sentence("the open stream triggered no poll"))


async def slow_answer(stage: Stage) -> None:
    # The first poll alone would bring the result soon; the next one is due in a minute.
    prompt = "slow answer"
    stage.backend.slow.add(prompt)
    await stage.done(
        await stage.start(prompt, CALM, length_s=600.0, poll_knows_after_s=-600.0, owner=LOCAL_OWNER)
    )


async def closes_in_peace(stage: Stage) -> None:
    done = await stage.done(await stage.start("closes in peace", owner=LOCAL_OWNER))
    await stage.unwatched(done)
    expect(done.id not in stage.backend.cut_off, Sentence("it was cut off while it closed"))


async def check_at_the_end(stage: Stage) -> None:
    # The moment that matters is a few turns of the loop wide, so each race is asked one turn later.
    loop = asyncio.get_running_loop()

    def check(row: Generation, turns: int) -> None:
        if turns:
            loop.call_soon(check, row, turns - 1)
        else:
            stage.engine.supervisor.check(row)

    async def race(turns: int) -> None:
        generation = await stage.start(f"check at the end {turns}", length_s=0.3, owner=LOCAL_OWNER)

        def hear(news: News) -> None:
            if isinstance(news, Generation) and news.kept is not None:
                check(news, turns)

        end = stage.engine.generations.bus.subscribe(hear, generation_id=generation.id)
        try:
            await stage.unwatched(await stage.done(generation))
        finally:
            end()

    await asyncio.gather(*(race(turns) for turns in range(RACES)))
