"""Opens an engine from the database upwards, and closes it in reverse order."""

import asyncio
import functools
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from services.animatic.process import AnimaticProcess
from services.app.container import Engine
from services.catalogue import Catalogue
from services.chat.llm import LanguageModel
from services.generations.reconciler import Reconciler
from services.library import retention

log = logging.getLogger("rushes")
ANIMATIC_OPENS_WITHIN_S = 5.0
OLDER_THAN_S = 0.1
"""A younger file may be about to be committed; the kernel's file clock lags by up to 0.01 s."""


@asynccontextmanager
async def running(engine: Engine, *, decoders: bool = True) -> AsyncIterator[None]:
    """Without `decoders` a decoding process starts only when there is work for it."""
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
        owned = [
            asyncio.create_task(engine.event_log.run(), name="journal"),
            asyncio.create_task(engine.supervisor.keep_leases(), name="leases"),
            tidying := asyncio.create_task(tidy(engine, started_at), name="tidy"),
        ]
        opening = asyncio.create_task(open_animatic(engine.animatic), name="animatic")
        owned += [opening, asyncio.create_task(list_models(engine.catalogue, opening), name="catalogue")]
        if engine.animatic is not None:
            stack.push_async_callback(engine.animatic.stop)
        at_the_end("tasks_ended", functools.partial(ended, owned))
        at_the_end("watching_closed", engine.supervisor.close)
        if engine.llm is not None:
            stack.push_async_callback(engine.llm.close)
            owned.append(asyncio.create_task(warm(engine.llm), name="language model"))
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
        owned.append(asyncio.create_task(draw_missing(engine, tidying, started_at), name="posters"))
        owned.append(asyncio.create_task(retention.apply_for_ever(engine.library), name="rules"))
        owned.append(asyncio.create_task(engine.library.scrub.run(), name="rounds"))
        owned.append(asyncio.create_task(reconcile_regularly(engine.reconciler, opening), name="ghosts"))
        yield


async def closed(close: Callable[[], Awaitable[None]], name: str, checkpoint: Callable[[str], None]) -> None:
    await close()
    checkpoint(name)


async def list_models(catalogue: Catalogue, opening: asyncio.Task[None]) -> None:
    """Waits a moment for the animatic first, so that its start causes no warning."""
    await asyncio.wait([opening], timeout=ANIMATIC_OPENS_WITHIN_S)
    await catalogue.run()


async def reconcile_regularly(reconciler: Reconciler, opening: asyncio.Task[None]) -> None:
    """Waits a moment for the animatic first, whose job list the first round may need."""
    await asyncio.wait([opening], timeout=ANIMATIC_OPENS_WITHIN_S)
    await reconciler.run()


async def warm(llm: LanguageModel) -> None:
    """Loads the library before the first message needs it."""
    await llm.open()


async def open_animatic(animatic: AnimaticProcess | None) -> None:
    if animatic is None:
        return
    try:
        await animatic.start()
    except RuntimeError as error:
        log.error("The animatic did not start: %s", error)


async def tidy(engine: Engine, started_at: float) -> None:
    """Removes files that no row names, left by a crash between rename and commit, or between the removal of a
    row and of its files. Reports files that a row names and the folder does not have.
    """
    await engine.orphans.tidy(older_than=started_at - OLDER_THAN_S)


async def draw_missing(engine: Engine, tidying: asyncio.Task[None], started_at: float) -> None:
    """Draws the posters and previews that the last run left out."""
    await asyncio.wait([tidying])
    for generation in await engine.store.without_poster(finished_before=started_at):
        engine.delivery.illustrate(generation)


async def ended(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
