"""Opens an engine from the database upwards, and closes it in reverse order."""

import asyncio
import functools
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager

from services.animatic.process import AnimaticProcess
from services.app.build import Engine

log = logging.getLogger("rushes")
ANIMATIC_START_TIMEOUT_S = 5.0
FILE_CLOCK_LAG_S = 0.1
"""A younger file may be about to be committed; the kernel's file clock lags by up to 0.01 s."""


@asynccontextmanager
async def running(engine: Engine, *, decoders: bool = True) -> AsyncIterator[None]:
    """Without `decoders` a decoding process starts only when there is work for it."""
    tasks: list[asyncio.Task[object]] = []

    def start(work: Coroutine[object, object, object], name: str) -> asyncio.Task[object]:
        tasks.append(asyncio.create_task(work, name=name))
        return tasks[-1]

    async with AsyncExitStack() as stack:

        def at_the_end(name: str, close: Callable[[], Awaitable[None]]) -> None:
            stack.push_async_callback(closed, close, name, engine.checkpoint)

        await engine.store.open()
        at_the_end("store_closed", engine.store.close)
        await engine.folder.clean_parts()
        started_at = time.time()
        await engine.orphans.open()
        at_the_end("leases_released", engine.store.release)
        at_the_end("journal_flushed", engine.event_log.flush)
        for backend in engine.backends.values():
            at_the_end("backend_closed", backend.close)
        at_the_end("downloader_closed", engine.downloader.close)
        at_the_end("worker_closed", engine.worker.close)
        at_the_end("delivery_closed", engine.delivery.close)
        start(engine.event_log.run(), "event log")
        start(engine.supervisor.keep_leases(), "leases")
        # A crash leaves orphans between rename and commit, and between the removals of a row and its files.
        tidying = start(engine.orphans.remove(older_than=started_at - FILE_CLOCK_LAG_S), "orphans")
        opening = start(open_animatic(engine.animatic), "animatic")
        start(after_opening(opening, engine.catalogue.run), "catalogue")
        if engine.animatic is not None:
            stack.push_async_callback(engine.animatic.stop)
        at_the_end("tasks_ended", functools.partial(ended, tasks))
        at_the_end("watching_closed", engine.supervisor.close)
        if engine.llm is not None:
            stack.push_async_callback(engine.llm.close)
        await engine.delivery.release_completed()
        await engine.chats.open()
        at_the_end("chats_closed", engine.chats.close)
        await engine.diagnostics.open()
        stack.push_async_callback(engine.diagnostics.close)
        resumed = await engine.supervisor.resume()
        engine.metrics.resume(resumed)
        if resumed:
            log.info("Generations that are watched again: %d.", len(resumed))
        if decoders:
            await engine.worker.start()
        start(draw_missing(engine, tidying, started_at), "posters")
        start(engine.library.retention.run(), "retention")
        start(engine.library.scrub.run(), "scrub")
        start(engine.reindex.run(), "search words")
        start(after_opening(opening, engine.reconciler.run), "reconciler")
        yield


async def closed(close: Callable[[], Awaitable[None]], name: str, checkpoint: Callable[[str], None]) -> None:
    await close()
    checkpoint(name)


async def after_opening(opening: asyncio.Task[object], run: Callable[[], Awaitable[None]]) -> None:
    """Waits a moment for the animatic: its start causes no warning, and its job list can be read at once."""
    await asyncio.wait([opening], timeout=ANIMATIC_START_TIMEOUT_S)
    await run()


async def open_animatic(animatic: AnimaticProcess | None) -> None:
    if animatic is None:
        return
    try:
        await animatic.start()
    except RuntimeError as error:
        log.error("The animatic did not start: %s", error)


async def draw_missing(engine: Engine, tidying: asyncio.Task[object], started_at: float) -> None:
    """Draws the posters and previews that the last run left out."""
    await asyncio.wait([tidying])
    for generation in await engine.store.without_poster(finished_before=started_at):
        engine.delivery.illustrate(generation)


async def ended(tasks: list[asyncio.Task[object]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
