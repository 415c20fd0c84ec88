"""Two processes on one database: whose a row is, and until when."""

from __future__ import annotations

import asyncio

from services.core.errors import Sentence
from services.core.events import News
from services.core.model import LOCAL_OWNER, Generation, Phase
from services.diagnostics.drill.disk import disk_of
from services.diagnostics.drill.stage import Stage, expect
from services.diagnostics.drill.witness import RecordingBackend
from services.store.store import Store

QUIET_S = 0.5


async def other_process(stage: Stage) -> None:
    async with stage.house(stage.folder / "two", RecordingBackend()) as house:
        store, supervisor = house.engine.store, house.engine.supervisor
        generation = await house.start("other process", length_s=1e6, owner=LOCAL_OWNER)
        await house.until(generation, lambda row: row.job_id is not None, Sentence("it was never sent"))
        with disk_of(house.engine.settings) as disk:
            before = disk.lease_until(generation.id)
            await supervisor.look_around()
            expect(disk.lease_until(generation.id) > before, Sentence("its lease was not renewed"))
        other = Store(house.engine.settings.resolved_database_url, process="another")
        async with stage.opening:
            await other.open()
        try:
            await other.claim()
            taken = await store.claim(generation.id)
            expect(not taken, Sentence("it was taken from a process that lives"))
            await supervisor.look_around()
            expect(
                not supervisor.watches(generation.id), Sentence("what another process holds is watched on")
            )
            other.lease_s = 0.0
            await other.renew()
        finally:
            await other.close()
        house.backend.finish("other process")
        await supervisor.look_around()
        await house.done(generation)


async def slept(stage: Stage) -> None:
    # Between its word and the request the machine sleeps beyond its lease, and another process takes over.
    async with stage.house(stage.folder / "slept", RecordingBackend()) as house:
        house.engine.store.lease_s = 0.0
        with disk_of(house.engine.settings) as disk:

            def hear(news: News) -> None:
                if isinstance(news, Generation) and news.phase is Phase.SUBMITTING:
                    disk.take_over(news.id)

            house.engine.generations.bus.subscribe(hear)
            generation = await house.start("slept", owner=LOCAL_OWNER)
            sending = Sentence("it was never sent")
            await house.until(generation, lambda row: row.epoch > generation.epoch, sending)
            await asyncio.sleep(QUIET_S)
        sent = house.backend.submits[generation.id]
        expect(sent == 0, Sentence("it was sent {count} times", count=sent))
