"""One generation, and faults of its backend, its channels or its own watcher."""

import asyncio
import json
from dataclasses import asdict
from typing import Any

from services.core.errors import NotFound, Sentence, Words
from services.core.model import LOCAL_OWNER, Channel, Generation, Phase
from services.diagnostics.drill.loopback_service import MODEL
from services.diagnostics.drill.recording_backend import SOON_LATE
from services.diagnostics.drill.rules import check
from services.diagnostics.drill.sandbox import Sandbox, expect, expect_sent_once

QUIET_S = 1.5
"""How long to wait for a second submit, which must not come."""


@check("R1", Words("The intent is on disk before the request is sent, the job's id before it is polled."))
async def intent_first(sandbox: Sandbox) -> None:
    done = await sandbox.until_kept(await sandbox.start("intent first"))
    phase = str(sandbox.backend.phase_at_submit.get(done.id))
    expect(phase == Phase.SUBMITTING, Sentence("the row was {phase} when it was sent", phase=phase))
    stored = sandbox.backend.id_stored_at_poll.get(done.id, True)
    expect(stored, Sentence("the job was asked for before its id was kept"))


@check("R2", Words("A result comes over both channels, and once more afterwards: one row, one file."))
async def delivered_twice(sandbox: Sandbox) -> None:
    urls = (sandbox.service.link("both/1"), sandbox.service.link("both/2"))
    first = await sandbox.until_kept(await sandbox.start("delivered twice", urls=urls, repeats=3))
    await sandbox.deliver_again(first)
    again = await sandbox.engine.store.get(first.id)
    unchanged = again.kept == first.kept and again.receipt == first.receipt
    expect(unchanged, Sentence("the row was completed again"))
    await sandbox.expect_one_file(first)
    early = "".join(str(event.phase) for event in sandbox.uncommitted[:1])
    expect(not early, Sentence("{phase} was told before it stood in the database", phase=early))


@check("R4", Words("The stream says failed, polling says completed: it is completed."))
async def false_failure(sandbox: Sandbox) -> None:
    generation = await sandbox.start("false failure", fails="no", fails_on=frozenset({"push"}), wrongly=True)
    row = await sandbox.until_final(generation)
    expect(row.phase is Phase.COMPLETED, Sentence("it ended as {phase}", phase=str(row.phase)))


@check("R4", Words("A stream is closed at once, the next one falls silent: each time it is opened again."))
async def broken_streams(sandbox: Sandbox) -> None:
    _expect_won_by(Channel.PUSH, await sandbox.until_kept(await sandbox.start("broken-streams", MODEL)))


@check("R5", Words("A result after the message arrives by itself, with how late it was."))
async def late(sandbox: Sandbox) -> None:
    done = await sandbox.until_kept(await sandbox.start("late", SOON_LATE, length_s=2.0))
    expect(done.late_since is not None, Sentence("nobody was told that it takes longer"))
    expect(bool(done.receipt and done.receipt.late_s), Sentence("the receipt does not say how late it was"))


@check("R6", Words("The answer to a request was lost: unconfirmed, and never sent again by itself."))
async def lost_answer(sandbox: Sandbox) -> None:
    generation = await sandbox.start("lost answer", submits=("lost_after", "ok"))
    await sandbox.until_unconfirmed(generation)
    await asyncio.sleep(QUIET_S)
    expect_sent_once(sandbox.backend.submits[generation.id])
    await sandbox.until_unconfirmed(generation)


@check("R6", Words("A gateway answers 502: unconfirmed, and not sent again."))
async def gateway_error(sandbox: Sandbox) -> None:
    await sandbox.until_unconfirmed(await sandbox.start("bad-gateway", MODEL))
    expect_sent_once(sandbox.service.submits["bad-gateway"])


@check("R7", Words("Polling fails, and the stream breaks: it is opened again, and push brings the result."))
async def push_alone(sandbox: Sandbox) -> None:
    done = await sandbox.until_kept(
        await sandbox.start("push alone", streams=("dead", "ok"), polls=("network",))
    )
    _expect_won_by(Channel.PUSH, done)
    polls = [entry for entry in await sandbox.trace(done) if entry.data.get("because") == "connected"]
    expect(len(polls) > 1, Sentence("the second connection triggered no poll"))


@check("R7", Words("The stream is refused: polling brings the result."))
async def poll_alone(sandbox: Sandbox) -> None:
    done = await sandbox.until_kept(await sandbox.start("poll alone", streams=("unauthorized",)))
    _expect_won_by(Channel.POLL, done)


def _expect_won_by(channel: Channel, done: Generation) -> None:
    winner = done.receipt and done.receipt.won_by
    expect(winner is channel, Sentence("{channel} won", channel=str(winner)))


@check("R8", Words("Polling lags behind the stream: progress never goes backwards."))
async def progress(sandbox: Sandbox) -> None:
    # One event at a third of the way; then polling alone, which lags, and a result that is refused twice.
    script: dict[str, Any] = {"length_s": 1.5, "event_every_s": 0.5, "poll_knows_after_s": 0.5}
    urls = (*[sandbox.service.link("gone")] * 2, sandbox.service.link("whole"))
    generation = await sandbox.start("progress", streams=("drops", "refused"), urls=urls, **script)
    done = await sandbox.until_kept(generation)
    events = sorted((one for one in sandbox.events if one.id == done.id), key=lambda one: one.revision)
    shown = [-1.0 if event.progress is None else event.progress for event in events]
    expect(len(set(shown)) > 1, Sentence("no progress was told"))
    expect(shown == sorted(shown), Sentence("it went backwards"))


@check("R10", Words("One watcher meets a bug: it begins again, the one beside it is not touched."))
async def watcher_bug(sandbox: Sandbox) -> None:
    sandbox.backend.bugs.add("watcher bug")
    beside = await sandbox.start("beside a watcher bug")
    done = await sandbox.until_kept(await sandbox.start("watcher bug"))
    await sandbox.until_kept(beside)
    bugs = [entry for entry in await sandbox.trace(done) if entry.event == "bug"]
    expect(len(bugs) == 1, Sentence("the crash is not in the trace"))


@check("R11", Words("Somebody else sees nothing; nobody can read the provider's link or the backend's key."))
async def private(sandbox: Sandbox) -> None:
    done = await sandbox.until_kept(await sandbox.start("private"))
    refused = await sandbox.until_final(await sandbox.start("refused", MODEL))
    try:
        shown = await sandbox.engine.generations.get(done.id, owner="somebody else")
    except NotFound:
        shown = None
    expect(shown is None, Sentence("somebody else was shown it"))
    rows: list[Any] = [done, refused, *await sandbox.trace(done), *await sandbox.trace(refused)]
    readable = json.dumps([asdict(row) for row in rows], default=str) + sandbox.log.getvalue()
    expect(sandbox.service.link_secret not in readable, Sentence("the provider's link can be read"))
    expect(sandbox.service.api_key not in readable, Sentence("the key can be read"))


@check("R12", Words("The receipt says who won, when, and what the other channel had said."))
async def receipt(sandbox: Sandbox) -> None:
    generation = await sandbox.start("receipt", length_s=1.5, streams=("drops", "refused"))
    done = await sandbox.until_kept(generation)
    kept = done.receipt
    expect(kept is not None and kept.backend_said_at <= kept.kept_at, Sentence("its times are not right"))
    expect(bool(kept and kept.other_said), Sentence("it does not say what the other channel had said"))
    await sandbox.engine.generations.shown(done.id, owner=LOCAL_OWNER)
    first = (await sandbox.engine.store.get(done.id)).receipt
    await sandbox.engine.generations.shown(done.id, owner=LOCAL_OWNER)
    second = (await sandbox.engine.store.get(done.id)).receipt
    noted_once = bool(first and first.shown_at) and first == second
    expect(noted_once, Sentence("the first showing is not noted once"))


CHECKS = (
    *(intent_first, delivered_twice, false_failure, broken_streams, late, lost_answer, gateway_error),
    *(push_alone, poll_alone, progress, watcher_bug, private, receipt),
)
