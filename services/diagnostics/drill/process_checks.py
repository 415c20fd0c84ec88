"""Two processes on one database or one folder."""

from services.core.errors import CannotStart, Sentence, Words
from services.core.model import Phase
from services.diagnostics.drill.database_probe import probing
from services.diagnostics.drill.recording_backend import RecordingBackend
from services.diagnostics.drill.rules import check
from services.diagnostics.drill.sandbox import FOREVER_S, RuleBroken, Sandbox, expect, expect_sent_once
from services.store.folder_lock import FolderLock
from services.store.store import Store


@check(
    "R9", Words("Another process takes over and dies: never two at once, and the generation is taken back.")
)
async def lease(sandbox: Sandbox) -> None:
    async with sandbox.beside(sandbox.folder / "leased", RecordingBackend()).opened() as own:
        supervisor = own.engine.supervisor
        generation = await own.until_sent(await own.start("lease", length_s=FOREVER_S))
        with probing(own.engine.settings) as probe:
            before = probe.lease_until(generation.id)
            await supervisor.renew_leases()
            renewed = probe.lease_until(generation.id)
        expect(renewed > before, Sentence("its lease was not renewed"))
        other = Store(own.engine.settings.resolved_database_url, process="another")
        async with sandbox.opening:
            await other.open()
        try:
            await other.claim()
            taken = await own.engine.store.claim(generation.id)
            expect(not taken, Sentence("it was taken from a running process"))
            await supervisor.renew_leases()
            watched = generation.id in supervisor.tasks
            expect(not watched, Sentence("it kept tracking a generation another process holds"))
            other.lease_s = 0.0
            await other.renew()
        finally:
            await other.close()
        own.backend.finish("lease")
        await supervisor.renew_leases()
        await own.until_kept(generation)


@check("R9", Words("A second process cannot open the data folder."))
async def folder_lock(sandbox: Sandbox) -> None:
    folder = sandbox.folder / "locked"
    first, second = FolderLock(folder), FolderLock(folder)
    first.acquire()
    try:
        second.acquire()
        raise RuleBroken(Sentence("the second process opened the folder"))
    except CannotStart:
        return
    finally:
        first.release()
        second.release()


@check("R9", Words("A second process takes over while the first is paused: delivered once."))
async def takeover(sandbox: Sandbox) -> None:
    # The first process does not end: it wakes up with a result.
    old = await sandbox.until_sent(await sandbox.start("takeover", length_s=FOREVER_S))
    async with sandbox.beside(sandbox.folder, sandbox.backend).opened() as second:
        taken = await sandbox.until(
            old, lambda row: row.epoch > old.epoch, Sentence("no process took it over")
        )
        await sandbox.deliver_again(old)
        row = await second.engine.store.get(taken.id)
        completed = Sentence("the first process completed a generation it no longer owned")
        expect(row.phase is not Phase.COMPLETED, completed)
        sandbox.backend.finish("takeover")
        done = await sandbox.until_kept(taken)
        expect_sent_once(sandbox.backend.submits[taken.id])
        await sandbox.expect_one_file(done)


CHECKS = (lease, folder_lock)
