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


@check("R1", Words("The request is on disk before it is sent; the job ID, before the first poll."))
async def intent_first(sandbox: Sandbox) -> None:
    done = await sandbox.until_kept(await sandbox.start("intent first"))
    phase = str(sandbox.backend.phase_at_submit.get(done.id))
    expect(phase == Phase.SUBMITTING, Sentence("the row was {phase} when the request was sent", phase=phase))
    stored = sandbox.backend.id_stored_at_poll.get(done.id, True)
    expect(stored, Sentence("the job was polled before its ID was saved"))


@check("R2", Words("A result arrives by push, by poll and once again: one row, one file."))
async def delivered_twice(sandbox: Sandbox) -> None:
    urls = (sandbox.service.link("both/1"), sandbox.service.link("both/2"))
    first = await sandbox.until_kept(await sandbox.start("delivered twice", urls=urls, repeats=3))
    await sandbox.deliver_again(first)
    again = await sandbox.engine.store.get(first.id)
    unchanged = again.kept == first.kept and again.receipt == first.receipt
    expect(unchanged, Sentence("the row was completed twice"))
    await sandbox.expect_one_file(first)
    early = "".join(str(event.phase) for event in sandbox.uncommitted[:1])
    expect(not early, Sentence("{phase} was announced before it was saved", phase=early))


@check("R4", Words("Push reports failure, polling reports completion: it is completed."))
async def false_failure(sandbox: Sandbox) -> None:
    generation = await sandbox.start("false failure", fails="no", fails_on=frozenset({"push"}), wrongly=True)
    row = await sandbox.until_final(generation)
    expect(row.phase is Phase.COMPLETED, Sentence("it ended as {phase}", phase=str(row.phase)))


@check("R4", Words("One stream closes, the next goes silent: each is reopened."))
async def broken_streams(sandbox: Sandbox) -> None:
    _expect_won_by(Channel.PUSH, await sandbox.until_kept(await sandbox.start("broken-streams", MODEL)))


@check("R5", Words("A late result is delivered automatically, with its delay."))
async def late(sandbox: Sandbox) -> None:
    done = await sandbox.until_kept(await sandbox.start("late", SOON_LATE, length_s=2.0))
    expect(done.late_since is not None, Sentence("the delay was not announced"))
    expect(bool(done.receipt and done.receipt.late_s), Sentence("the receipt has no delay"))


@check("R6", Words("The answer to a request is lost: unconfirmed, not sent again automatically."))
async def lost_answer(sandbox: Sandbox) -> None:
    generation = await sandbox.start("lost answer", submits=("lost_after", "ok"))
    await sandbox.until_unconfirmed(generation)
    await asyncio.sleep(QUIET_S)
    expect_sent_once(sandbox.backend.submits[generation.id])
    await sandbox.until_unconfirmed(generation)


@check("R6", Words("A gateway answers 502: unconfirmed, not sent again."))
async def gateway_error(sandbox: Sandbox) -> None:
    await sandbox.until_unconfirmed(await sandbox.start("bad-gateway", MODEL))
    expect_sent_once(sandbox.service.submits["bad-gateway"])


@check("R7", Words("Polling fails and the stream breaks: it is reopened, and push delivers the result."))
async def push_alone(sandbox: Sandbox) -> None:
    done = await sandbox.until_kept(
        await sandbox.start("push alone", streams=("dead", "ok"), polls=("network",))
    )
    _expect_won_by(Channel.PUSH, done)
    polls = [entry for entry in await sandbox.trace(done) if entry.data.get("because") == "connected"]
    expect(len(polls) > 1, Sentence("reconnecting triggered no poll"))


@check("R7", Words("The stream is refused: polling delivers the result."))
async def poll_alone(sandbox: Sandbox) -> None:
    done = await sandbox.until_kept(await sandbox.start("poll alone", streams=("unauthorized",)))
    _expect_won_by(Channel.POLL, done)


def _expect_won_by(channel: Channel, done: Generation) -> None:
    winner = done.receipt and done.receipt.won_by
    expect(winner is channel, Sentence("{channel} delivered it", channel=str(winner)))


@check("R8", Words("Polling lags behind push: progress never goes backwards."))
async def progress(sandbox: Sandbox) -> None:
    # One event at a third of the way; then polling alone, which lags, and a result that is refused twice.
    script: dict[str, Any] = {"length_s": 1.5, "event_every_s": 0.5, "poll_knows_after_s": 0.5}
    urls = (*[sandbox.service.link("gone")] * 2, sandbox.service.link("whole"))
    generation = await sandbox.start("progress", streams=("drops", "refused"), urls=urls, **script)
    done = await sandbox.until_kept(generation)
    events = sorted((one for one in sandbox.events if one.id == done.id), key=lambda one: one.revision)
    shown = [-1.0 if event.progress is None else event.progress for event in events]
    expect(len(set(shown)) > 1, Sentence("no progress was reported"))
    expect(shown == sorted(shown), Sentence("progress went backwards"))


@check("R10", Words("One generation hits a bug: it restarts, and the one next to it is not affected."))
async def watcher_bug(sandbox: Sandbox) -> None:
    sandbox.backend.bugs.add("watcher bug")
    beside = await sandbox.start("beside a watcher bug")
    done = await sandbox.until_kept(await sandbox.start("watcher bug"))
    await sandbox.until_kept(beside)
    bugs = [entry for entry in await sandbox.trace(done) if entry.event == "bug"]
    expect(len(bugs) == 1, Sentence("the error is not in the timeline"))


@check("R11", Words("Other people see nothing; the backend's links and key cannot be read."))
async def private(sandbox: Sandbox) -> None:
    done = await sandbox.until_kept(await sandbox.start("private"))
    refused = await sandbox.until_final(await sandbox.start("refused", MODEL))
    try:
        shown = await sandbox.engine.generations.get(done.id, owner="somebody else")
    except NotFound:
        shown = None
    expect(shown is None, Sentence("another person could see it"))
    rows: list[Any] = [done, refused, *await sandbox.trace(done), *await sandbox.trace(refused)]
    readable = json.dumps([asdict(row) for row in rows], default=str) + sandbox.log.getvalue()
    expect(sandbox.service.link_secret not in readable, Sentence("the backend's link can be read"))
    expect(sandbox.service.api_key not in readable, Sentence("the key can be read"))


@check("R12", Words("The receipt records the channel, the time and the other channel's last answer."))
async def receipt(sandbox: Sandbox) -> None:
    generation = await sandbox.start("receipt", length_s=1.5, streams=("drops", "refused"))
    done = await sandbox.until_kept(generation)
    kept = done.receipt
    expect(
        kept is not None and kept.backend_said_at <= kept.kept_at, Sentence("the receipt's times are wrong")
    )
    expect(bool(kept and kept.other_said), Sentence("the receipt lacks the other channel's answer"))
    await sandbox.engine.generations.shown(done.id, owner=LOCAL_OWNER)
    first = (await sandbox.engine.store.get(done.id)).receipt
    await sandbox.engine.generations.shown(done.id, owner=LOCAL_OWNER)
    second = (await sandbox.engine.store.get(done.id)).receipt
    noted_once = bool(first and first.shown_at) and first == second
    expect(noted_once, Sentence("the first display was not recorded once"))


CHECKS = (
    *(intent_first, delivered_twice, false_failure, broken_streams, late, lost_answer, gateway_error),
    *(push_alone, poll_alone, progress, watcher_bug, private, receipt),
)
