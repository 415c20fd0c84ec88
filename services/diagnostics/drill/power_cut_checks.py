"""A power cut: a second engine starts on the data that were on the disk at that moment."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.core.errors import Sentence, Words
from services.core.model import LOCAL_OWNER, Generation
from services.diagnostics.drill.database_probe import copy_data, probing
from services.diagnostics.drill.recording_backend import RecordingBackend
from services.diagnostics.drill.rules import check
from services.diagnostics.drill.sandbox import FOREVER_S, Sandbox, expect, expect_sent_once

OPEN, SUBMITTED, STOPPED, EXPIRING = "open", "being submitted", "stopped", "expiring"
AGE_S = 7200.0
REMAINING_S = 1.0
"""Of the watch limit, after the cut."""


@asynccontextmanager
async def restarted_after_power_cut(sandbox: Sandbox) -> AsyncIterator[Sandbox]:
    backend = RecordingBackend()
    first = sandbox.beside(sandbox.folder / "before", backend)
    second = sandbox.beside(sandbox.folder / "after", backend)
    hold = backend.holds[SUBMITTED] = asyncio.Event()
    async with first.opened():
        second.before = await _open_generations(first)
        await asyncio.to_thread(first.engine.folder.part("left").write_bytes, b"half a file")
        await asyncio.to_thread(copy_data, first.engine.settings, second.folder)
        hold.set()
    backend.finish(OPEN)
    with probing(first.engine.settings.model_copy(update={"data_dir": second.folder})) as probe:
        probe.age(second.before[EXPIRING].id, AGE_S, watch_until=time.time() + REMAINING_S)
    async with second.opened():
        yield second


async def _open_generations(first: Sandbox) -> dict[str, Generation]:
    prompts = (OPEN, SUBMITTED, STOPPED, EXPIRING)
    rows = {prompt: await first.start(prompt, length_s=FOREVER_S) for prompt in prompts}
    submitted = first.backend.phase_at_submit
    await first.until(rows[SUBMITTED], lambda row: row.id in submitted, Sentence("it was never sent"))
    for prompt in (OPEN, STOPPED, EXPIRING):
        await first.until_sent(rows[prompt])
    await first.engine.generations.stop(rows[STOPPED].id, owner=LOCAL_OWNER)
    return {prompt: await first.engine.store.get(row.id) for prompt, row in rows.items()}


@check("R9", Words("A job that finishes during a power cut is polled right after the start."))
async def polled_at_start(after: Sandbox) -> None:
    done = await after.until_kept(after.before[OPEN])
    trace = await after.trace(done)
    resumed = next((entry.seq for entry in trace if entry.event == "resumed"), 0)
    polls = [entry for entry in trace if entry.event in {"attempt", "check"} and entry.seq > resumed]
    at_once = bool(polls) and polls[0].data.get("because") == "resumed"
    expect(at_once, Sentence("it was not polled right after the start"))


@check("R5", Words("Stopped before a power cut: the result is kept apart afterwards."))
async def stopped_before_power_cut(after: Sandbox) -> None:
    after.backend.finish(STOPPED)
    done = await after.until_kept(after.before[STOPPED])
    expect(done.unwanted, Sentence("the stopped generation's result was not kept apart"))


@check("R6", Words("Power is cut during sending: unconfirmed, not sent again at the start."))
async def power_cut_during_submit(after: Sandbox) -> None:
    row = after.before[SUBMITTED]
    await after.until_unconfirmed(row)
    expect_sent_once(after.backend.submits[row.id])


@check("R5", Words("A power cut does not extend the time limit; a result after the limit is saved."))
async def watch_limit(after: Sandbox) -> None:
    before = after.before[EXPIRING]
    row = await after.until(before, lambda row: row.final, Sentence("its time limit started again"))
    expect(row.error_code == "gave_up", Sentence("it ended as {phase}", phase=str(row.phase)))
    after.backend.finish(EXPIRING)
    await after.engine.generations.check(row.id, owner=LOCAL_OWNER)
    await after.until_kept(row)


@check("R9", Words("Leftovers of an interrupted download are removed at the next start."))
async def partial_files(after: Sandbox) -> None:
    left = list(after.engine.settings.media_dir.rglob("left.*"))
    expect(not left, Sentence("the leftovers are still there"))


CHECKS = (polled_at_start, stopped_before_power_cut, power_cut_during_submit, watch_limit, partial_files)
