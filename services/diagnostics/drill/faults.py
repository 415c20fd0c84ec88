"""The faults, one by one. What each of them tries stands in the plan (drill.py), which the report shows."""

from __future__ import annotations

import asyncio

from services.core.errors import CannotStart, NotFound, Sentence
from services.core.events import News
from services.core.model import LOCAL_OWNER, Channel, Generation, Phase
from services.diagnostics.drill.stage import Broken, Stage, expect, written
from services.diagnostics.drill.witness import SOON_GIVEN_UP, SOON_LATE
from services.store.folder_lock import FolderLock

LOST = ("network",)
QUIET_S = 1.5
"""As long is waited for what must not happen."""
PAUSE_S = 1.2
"""What a busy backend asks for: longer than any pause that is made without being asked."""


async def intent_first(stage: Stage) -> None:
    done = await stage.done(await stage.start("intent", owner=LOCAL_OWNER))
    phase = stage.backend.phase_when_sent.get(done.id)
    expect(
        phase is Phase.SUBMITTING,
        Sentence("when the request was sent, the row said {phase}", phase=str(phase)),
    )
    expect(
        stage.backend.held_when_asked.get(done.id, True),
        Sentence("the job was asked for before its id was kept"),
    )


async def heard_twice(stage: Stage) -> None:
    urls = (stage.files.url("together/1"), stage.files.url("together/2"))
    generation = await stage.start("twice", urls=urls, repeats=3, owner=LOCAL_OWNER)
    first = await stage.done(generation)
    await stage.hand_over(stage.engine, first)
    again = await stage.engine.store.get(first.id)
    expect(
        again.kept == first.kept and again.receipt == first.receipt, Sentence("the row was completed again")
    )
    await stage.check_one_file(first)


async def same_address(stage: Stage) -> None:
    done = await stage.done(
        await stage.start("same address", urls=(stage.files.url("slow"),), repeats=3, owner=LOCAL_OWNER)
    )
    fetched = stage.files.asked["slow"]
    expect(fetched == 1, Sentence("it was fetched {count} times", count=fetched))
    await stage.check_one_file(done)


async def failure_meanwhile(stage: Stage) -> None:
    # Push brings the result, and while its bytes are on their way polling says that there is none.
    prompt, path = "failure meanwhile", "slow/meanwhile"
    stage.backend.knows[prompt] = lambda: stage.files.asked[path] > 0
    urls = (stage.files.url(path),)
    generation = await stage.start(
        prompt, fails="no", fails_on=frozenset({"poll"}), wrongly=True, urls=urls, owner=LOCAL_OWNER
    )
    row = await stage.until(generation, lambda row: row.final, Sentence("it never ended"))
    expect(row.phase is Phase.COMPLETED, Sentence("it ended as {phase}", phase=str(row.phase)))


async def wrong_failure(stage: Stage) -> None:
    generation = await stage.start(
        "wrong failure", fails="no", fails_on=frozenset({"push"}), wrongly=True, owner=LOCAL_OWNER
    )
    row = await stage.until(generation, lambda row: row.final, Sentence("it never ended"))
    expect(row.phase is Phase.COMPLETED, Sentence("it ended as {phase}", phase=str(row.phase)))


async def refused_stream(stage: Stage) -> None:
    done = await stage.done(await stage.start("refused stream", streams=("unauthorized",), owner=LOCAL_OWNER))
    await _won(done, Channel.POLL)


async def closed(stage: Stage) -> None:
    done = await stage.done(
        await stage.start("closed", streams=("ended", "ended", "ok"), polls=LOST, owner=LOCAL_OWNER)
    )
    await _won(done, Channel.PUSH)


async def late(stage: Stage) -> None:
    done = await stage.done(await stage.start("late", SOON_LATE, length_s=2.0, owner=LOCAL_OWNER))
    expect(done.late_since is not None, Sentence("nobody was told that it takes longer"))
    expect(bool(done.receipt and done.receipt.late_s), Sentence("the receipt does not say how late it was"))


async def given_up(stage: Stage) -> None:
    generation = await stage.start("given up", SOON_GIVEN_UP, length_s=1e6, owner=LOCAL_OWNER)
    row = await stage.until(generation, lambda row: row.final, Sentence("it never ended"))
    expect(row.error_code == "gave_up", Sentence("it ended as {phase}", phase=str(row.phase)))
    stage.backend.finish("given up")
    await stage.engine.generations.check(generation.id, owner=LOCAL_OWNER)
    await stage.done(generation)


async def stopped(stage: Stage) -> None:
    generation = await stage.start("stopped", length_s=1.0, owner=LOCAL_OWNER)
    await stage.until(generation, lambda row: row.job_id is not None, Sentence("it was never sent"))
    await stage.engine.generations.stop(generation.id, owner=LOCAL_OWNER)
    done = await stage.done(generation)
    expect(done.unwanted, Sentence("the result of a stopped one was not set apart"))


async def lost_answer(stage: Stage) -> None:
    stage.backend.unlisted.add("lost answer")
    generation = await stage.start("lost answer", submits=("lost_after", "ok"), owner=LOCAL_OWNER)
    await _unconfirmed(stage, generation)
    await asyncio.sleep(QUIET_S)
    sent = stage.backend.submits[generation.id]
    expect(sent == 1, Sentence("it was sent {count} times", count=sent))
    await _unconfirmed(stage, generation)


async def busy(stage: Stage) -> None:
    done = await stage.done(
        await stage.start("busy", submits=("not_taken", "ok"), retry_after_s=PAUSE_S, owner=LOCAL_OWNER)
    )
    _waited((done.submitted_at or 0.0) - done.created_at)
    paid = stage.backend.paid(done.id)
    expect(paid == 1, Sentence("it was paid {count} times", count=paid))


async def push_alone(stage: Stage) -> None:
    done = await stage.done(await stage.start("push alone", polls=LOST, owner=LOCAL_OWNER))
    await _won(done, Channel.PUSH)


async def poll_alone(stage: Stage) -> None:
    done = await stage.done(await stage.start("poll alone", streams=("silent",), owner=LOCAL_OWNER))
    await _won(done, Channel.POLL)


async def reopened(stage: Stage) -> None:
    done = await stage.done(
        await stage.start("reopened", streams=("dead", "ok"), polls=LOST, owner=LOCAL_OWNER)
    )
    await _won(done, Channel.PUSH)
    checks = [entry for entry in await stage.trace(done) if entry.data.get("because") == "connected"]
    expect(len(checks) > 1, Sentence("the second connection triggered no poll"))


async def talkative(stage: Stage) -> None:
    # Polling knows of the end half a second after the start, push not before six.
    done = await stage.done(
        await stage.start("talkative", length_s=6.0, poll_knows_after_s=-5.5, owner=LOCAL_OWNER)
    )
    await _won(done, Channel.POLL)


async def told_to_wait(stage: Stage) -> None:
    done = await stage.done(
        await stage.start(
            "wait", streams=("refused",), polls=("busy", "ok"), retry_after_s=PAUSE_S, owner=LOCAL_OWNER
        )
    )
    polls = [entry for entry in await stage.trace(done) if entry.lane == "poll"]
    lost = next(entry.at for entry in polls if entry.event == "lost")
    asked = [entry.at for entry in polls if entry.event in {"attempt", "check"} and entry.at > lost]
    _waited(asked[0] - lost)


async def progress(stage: Stage) -> None:
    # The stream is heard once, a third on the way; from then on polling alone, which begins at nothing.
    generation = await stage.start(
        "progress",
        length_s=1.5,
        event_every_s=0.5,
        poll_knows_after_s=0.5,
        streams=("drops", "refused"),
        owner=LOCAL_OWNER,
    )
    done = await stage.done(generation)
    _only_forwards(stage, done)


async def not_fetched_at_first(stage: Stage) -> None:
    urls = (stage.files.url("third"),)
    _only_forwards(
        stage,
        await stage.done(await stage.start("not fetched at first", urls=urls, polls=LOST, owner=LOCAL_OWNER)),
    )


def _only_forwards(stage: Stage, done: Generation) -> None:
    news = [each for each in stage.heard if each.id == done.id]
    told = [-1.0 if each.progress is None else each.progress for each in news]
    expect(len(set(told)) > 1, Sentence("no progress was told"))
    expect(told == sorted(told), Sentence("it went backwards"))


async def crash(stage: Stage) -> None:
    stage.backend.bugs.add("crash")
    beside = await stage.start("beside a crash", owner=LOCAL_OWNER)
    done = await stage.done(await stage.start("crash", owner=LOCAL_OWNER))
    await stage.done(beside)
    bugs = [entry for entry in await stage.trace(done) if entry.event == "bug"]
    expect(len(bugs) == 1, Sentence("the crash is not in the trace"))


async def watcher_cut_off(stage: Stage) -> None:
    generation = await stage.start("watcher cut off", length_s=1e6, owner=LOCAL_OWNER)
    await stage.until(generation, lambda row: row.job_id is not None, Sentence("it was never sent"))
    await stage.cut_off_watcher(generation)
    await stage.engine.supervisor.look_around()
    stage.backend.finish("watcher cut off")
    await stage.done(generation)


async def broken_listener(stage: Stage) -> None:
    def breaks(_: News) -> None:
        raise RuntimeError("The drill's own bug.")

    generation = await stage.start("broken listener", owner=LOCAL_OWNER)
    end = stage.engine.generations.bus.subscribe(breaks, generation_id=generation.id)
    try:
        done = await stage.done(generation)
    finally:
        end()
    bugs = [entry for entry in await stage.trace(done) if entry.event == "bug"]
    expect(not bugs, Sentence("the listener's bug reached the watcher"))


async def seen_by_others(stage: Stage) -> None:
    done = await stage.done(await stage.start("seen", owner=LOCAL_OWNER))
    try:
        await stage.engine.generations.get(done.id, owner="somebody else")
    except NotFound:
        pass
    else:
        raise Broken(Sentence("somebody else was shown it"))
    said = [written(done), *map(written, await stage.trace(done)), *stage.told]
    expect(not any(stage.files.key in one for one in said), Sentence("the provider's link can be read"))


async def receipt(stage: Stage) -> None:
    done = await stage.done(
        await stage.start("receipt", length_s=1.5, streams=("drops", "refused"), owner=LOCAL_OWNER)
    )
    kept = done.receipt
    expect(kept is not None and kept.backend_reported_at <= kept.kept_at, Sentence("its times are not right"))
    expect(bool(kept and kept.other_event), Sentence("it does not say what the other channel had said"))
    await stage.engine.generations.shown(done.id, owner=LOCAL_OWNER)
    first = (await stage.engine.store.get(done.id)).receipt
    await stage.engine.generations.shown(done.id, owner=LOCAL_OWNER)
    second = (await stage.engine.store.get(done.id)).receipt
    expect(
        bool(first and first.shown_at) and first == second, Sentence("the first showing is not noted once")
    )


async def restart(stage: Stage) -> None:
    # The first one is not even dead: it wakes with a result in its hand.
    held = await stage.start("restart", length_s=1e6, owner=LOCAL_OWNER)
    held = await stage.until(held, lambda row: row.job_id is not None, Sentence("it was never sent"))
    async with stage.house(stage.folder, stage.backend) as second:
        taken = await stage.until(held, lambda row: row.epoch > held.epoch, Sentence("nobody took it over"))
        await stage.hand_over(stage.engine, held)
        row = await second.engine.store.get(taken.id)
        expect(
            row.phase is not Phase.COMPLETED,
            Sentence("the old process completed what was not its own any more"),
        )
        stage.backend.finish("restart")
        await stage.done(taken)
        sent = stage.backend.submits[taken.id]
        expect(sent == 1, Sentence("it was sent {count} times", count=sent))
        await stage.check_one_file(await stage.engine.store.get(taken.id))


async def told_early(stage: Stage) -> None:
    """Of all that was told so far."""
    early = [news.phase for news in stage.early]
    expect(
        not early, Sentence("{phase} was told before it stood in the database", phase=str(early and early[0]))
    )


async def second_process(stage: Stage) -> None:
    folder = stage.folder / "held"
    first, second = FolderLock(folder), FolderLock(folder)
    first.take()
    try:
        second.take()
    except CannotStart:
        return
    finally:
        first.release()
        second.release()
    raise Broken(Sentence("it was let in"))


async def left_over(stage: Stage) -> None:
    left = stage.engine.folder.part("left")
    await asyncio.to_thread(left.write_bytes, b"half a file")
    async with stage.house(stage.folder, stage.backend):
        still_there = await asyncio.to_thread(left.exists)
    expect(not still_there, Sentence("what was left still lies there"))


async def _won(done: Generation, channel: Channel) -> None:
    won_by = done.receipt and done.receipt.won_by
    expect(won_by is channel, Sentence("{channel} won", channel=str(won_by)))


def _waited(seconds: float) -> None:
    """Two clocks are compared, so a little less will do."""
    expect(
        seconds > 0.9 * PAUSE_S,
        Sentence("it came again after {seconds} s", seconds=round(seconds, 1)),
    )


async def _unconfirmed(stage: Stage, generation: Generation) -> None:
    await stage.until(
        generation, lambda row: row.phase is Phase.UNCONFIRMED, Sentence("it is not shown as unconfirmed")
    )
