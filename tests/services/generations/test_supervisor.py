"""A generation's life from the intent to the kept bytes, in virtual time and over a real database."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from services.backends.scripted import Script
from services.core.errors import Conflict
from services.core.model import LOCAL_OWNER, Channel, Draft, Generation, Kept, Kind, Phase
from tests.support.engine_harness import EngineHarness, after, set_script

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


async def test_a_prompt_becomes_a_kept_result(harness: EngineHarness) -> None:
    done = await after(6, harness, await harness.start())
    assert done.phase is Phase.COMPLETED
    assert done.progress == 1.0
    assert done.kept is not None
    assert done.receipt is not None
    assert done.receipt.won_by is Channel.PUSH
    assert done.poster == f"{done.kept.name}.poster"


async def test_the_intent_is_committed_before_the_request_is_sent(harness: EngineHarness) -> None:
    seen: list[Phase] = []
    submit = harness.backend.submit

    async def watched(generation: Generation, *, source: bytes | None = None) -> str:
        seen.append((await harness.get(generation)).phase)
        return await submit(generation, source=source)

    harness.backend.submit = watched  # type: ignore[method-assign]
    await after(1, harness, await harness.start())
    assert seen == [Phase.SUBMITTING]


async def test_each_commit_is_told_once_and_in_order(harness: EngineHarness) -> None:
    generation = await harness.start()
    await after(6, harness, generation)
    revisions = [news.revision for news in harness.snapshots(generation)]
    assert revisions == sorted(set(revisions))
    phases = list(dict.fromkeys(news.phase for news in harness.snapshots(generation)))
    assert phases == [
        Phase.PENDING,
        Phase.SUBMITTING,
        Phase.PROCESSING,
        Phase.COLLECTING,
        Phase.COMPLETED,
    ]


async def test_progress_grows_and_is_never_told_backwards(harness: EngineHarness) -> None:
    set_script(harness, Script(length_s=20.0, streams=("drops", "ok", "drops", "ok")))
    generation = await harness.start()
    await after(30, harness, generation)
    progress = [news.progress for news in harness.snapshots(generation) if news.progress is not None]
    assert len(progress) > 5
    assert progress == sorted(progress)


async def test_the_message_is_told_once_by_time_and_the_late_result_says_how_late(
    harness: EngineHarness,
) -> None:
    set_script(harness, Script(length_s=400.0, streams=("refused",)))
    generation = await harness.start()
    late = await after(181, harness, generation)
    assert late.late_since is not None
    assert late.late_since - late.created_at == pytest.approx(180.0, abs=0.1)
    done = await after(400, harness, generation)
    assert done.receipt is not None
    assert done.receipt.late_s == pytest.approx(done.receipt.kept_at - done.created_at - 180.0, abs=0.01)
    assert len(harness.trace_entries(generation, "engine", "late")) == 1


async def test_silence_for_a_day_ends_it_with_a_reason_and_check_now_still_finds_the_result(
    harness: EngineHarness,
) -> None:
    set_script(harness, Script(length_s=90_000.0, streams=("no_content",)))
    generation = await harness.start()
    ended = await after(86_500, harness, generation)
    assert (ended.phase, ended.error_code) == (Phase.ERROR, "gave_up")
    await asyncio.sleep(4000)
    await harness.generations.check(generation.id, owner=LOCAL_OWNER)
    assert (await after(2, harness, generation)).phase is Phase.COMPLETED


async def test_a_restart_does_not_lengthen_the_watch_and_tells_nothing_again(harness: EngineHarness) -> None:
    set_script(harness, Script(length_s=200_000.0, streams=("no_content",)))
    generation = await harness.start()
    await after(80_000, harness, generation)
    await harness.crash()
    await harness.open()
    ended = await after(6_500, harness, generation)
    assert (ended.phase, ended.error_code) == (Phase.ERROR, "gave_up")
    assert len(harness.trace_entries(generation, "engine", "late")) == 1


async def test_a_restart_watches_every_open_one_again_and_pays_for_none_twice(harness: EngineHarness) -> None:
    set_script(harness, Script(length_s=30.0))
    started = [await harness.start(f"kite {number}") for number in range(20)]
    await asyncio.sleep(5)
    await harness.crash()
    await asyncio.sleep(100)
    await harness.open()
    for generation in started:
        done = await after(2 if generation is started[0] else 0, harness, generation)
        assert done.phase is Phase.COMPLETED
        assert harness.backend.paid(generation.id) == 1


async def test_a_crash_between_sending_and_hearing_leaves_it_unconfirmed(harness: EngineHarness) -> None:
    generation = await harness.start()
    await asyncio.sleep(0.005)
    await harness.crash()
    await harness.open()
    ended = await after(600, harness, generation)
    assert ended.phase is Phase.UNCONFIRMED
    assert harness.backend.submits[generation.id] == 1


async def test_an_old_process_that_comes_back_to_life_can_write_nothing(harness: EngineHarness) -> None:
    set_script(harness, Script(length_s=1000.0))
    generation = await harness.start()
    old = await after(2, harness, generation)
    await harness.store.claim(generation.id)
    assert await harness.store.advance(generation.id, epoch=old.epoch, to=Phase.ERROR) is None
    assert (await harness.get(generation)).phase is Phase.PROCESSING


async def test_the_second_copy_of_the_bytes_is_taken_away_again(harness: EngineHarness) -> None:
    set_script(harness, Script(length_s=9.0, urls=("https://a.example/1", "https://b.example/2")))
    harness.ingest.download_s = 3.0
    both, download = asyncio.Barrier(2), harness.ingest.download_and_store

    async def together(*about: Any, **named: Any) -> Kept:
        kept = await download(*about, **named)
        await both.wait()
        return kept

    harness.ingest.download_and_store = together  # type: ignore[method-assign]
    generation = await harness.start()
    done = await after(60, harness, generation)
    assert done.kept is not None
    assert harness.ingest.downloads == 2
    assert harness.ingest.files == {done.kept.name}


async def test_a_bug_in_one_watcher_is_told_and_the_watcher_begins_again(
    harness: EngineHarness, caplog: pytest.LogCaptureFixture
) -> None:
    poll = harness.backend.poll
    bugs = iter([True, False])

    async def buggy(job_id: str):  # type: ignore[no-untyped-def]
        if next(bugs, False):
            raise ZeroDivisionError
        return await poll(job_id)

    harness.backend.poll = buggy  # type: ignore[method-assign]
    generation, other = await harness.start(), await harness.start()
    assert (await after(30, harness, generation)).phase is Phase.COMPLETED
    assert (await harness.get(other)).phase is Phase.COMPLETED
    assert (
        len(
            harness.trace_entries(generation, "engine", "bug") + harness.trace_entries(other, "engine", "bug")
        )
        == 1
    )
    assert "begins again" in caplog.text


async def test_the_log_says_which_channel_won(
    harness: EngineHarness, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    pushed = await harness.start()
    await after(6, harness, pushed)
    assert f"🎬 ✅ Video generation completed via SSE: {pushed.id}" in caplog.text
    set_script(harness, Script(length_s=5.0, streams=("refused",)))
    polled = await harness.start()
    await after(10, harness, polled)
    assert f"🔄 Video polling attempt 1 {polled.id}" in caplog.text
    assert f"🎬 ✅ Video ready via polling! {polled.id}" in caplog.text


async def test_the_same_key_and_body_start_nothing_new_and_another_body_is_refused(
    harness: EngineHarness,
) -> None:
    draft = Draft(kind=Kind.VIDEO, prompt="a kite")
    (first,) = await harness.generations.start(draft, key="k", fingerprint="f", owner=LOCAL_OWNER)
    (again,) = await harness.generations.start(draft, key="k", fingerprint="f", owner=LOCAL_OWNER)
    assert again.id == first.id
    with pytest.raises(Conflict):
        await harness.generations.start(draft, key="k", fingerprint="other", owner=LOCAL_OWNER)
    harness.generations.catalogue = None  # type: ignore[assignment]  # a repeat needs no models
    (later,) = await harness.generations.start(draft, key="k", fingerprint="f", owner=LOCAL_OWNER)
    assert later.id == first.id
    await asyncio.sleep(6)
    assert len(harness.backend.jobs) == 1


async def test_a_deleted_open_one_is_stopped_hidden_and_told(harness: EngineHarness) -> None:
    generation = await harness.start()
    await asyncio.sleep(1)
    await harness.generations.delete(generation.id, owner=LOCAL_OWNER)
    hidden = harness.snapshots(generation)[-1]
    assert hidden.trashed_at is not None
    assert hidden.phase is Phase.DROPPED
    assert (await harness.generations.listed(owner=LOCAL_OWNER)).items == []


async def test_clear_hides_what_is_over_and_leaves_what_is_open(harness: EngineHarness) -> None:
    done = await harness.start()
    await asyncio.sleep(6)
    set_script(harness, Script(length_s=500.0))
    running = await harness.start()
    await asyncio.sleep(1)
    assert await harness.generations.clearable(owner=LOCAL_OWNER) == 1
    assert await harness.generations.clear(owner=LOCAL_OWNER) == [done.id]
    assert [row.id for row in (await harness.generations.listed(owner=LOCAL_OWNER)).items] == [running.id]
    assert done.id != running.id


async def test_clear_leaves_what_is_starred_and_the_other_kind_and_is_undone_whole(
    harness: EngineHarness,
) -> None:
    rows = [await harness.start() for _ in range(3)]
    await asyncio.sleep(8)
    await harness.store.update(rows[0].id, starred_at=1.0)
    assert await harness.generations.clear(owner=LOCAL_OWNER, kind=Kind.IMAGE) == []
    assert await harness.generations.clearable(owner=LOCAL_OWNER, kind=Kind.VIDEO) == 2
    cleared = await harness.generations.clear(owner=LOCAL_OWNER, kind=Kind.VIDEO)
    assert set(cleared) == {row.id for row in rows[1:]}
    assert await harness.generations.restore_all(cleared, owner="somebody else") == []
    assert set(await harness.generations.restore_all(cleared, owner=LOCAL_OWNER)) == set(cleared)
    assert await harness.generations.restore_all(cleared, owner=LOCAL_OWNER) == []
    assert len((await harness.generations.listed(owner=LOCAL_OWNER)).items) == 3


async def test_the_first_showing_is_noted_once(harness: EngineHarness) -> None:
    generation = await harness.start()
    await asyncio.sleep(6)
    await harness.generations.shown(generation.id, owner=LOCAL_OWNER)
    first = await harness.get(generation)
    await asyncio.sleep(5)
    await harness.generations.shown(generation.id, owner=LOCAL_OWNER)
    assert first.receipt is not None
    assert first.receipt.shown_at is not None
    assert (await harness.get(generation)).receipt == first.receipt


async def test_typical_times_come_from_this_installs_own_runs(harness: EngineHarness) -> None:
    assert await harness.generations.typical("scripted", "scripted/video") is None
    for _ in range(3):
        await harness.start()
        await asyncio.sleep(8)
    typical = await harness.generations.typical("scripted", "scripted/video")
    assert typical is not None
    assert typical.runs == 3
    assert typical.p50_s == pytest.approx(5.0, abs=0.2)
    assert await harness.generations.typical("scripted", "scripted/video", 5.0) == typical
    assert await harness.generations.typical("scripted", "scripted/video", 20.0) is None


async def test_typical_times_count_the_work_and_not_the_wait_in_the_queue(harness: EngineHarness) -> None:
    set_script(harness, Script(length_s=65.0, queued_s=60.0))
    generation = await harness.start()
    waiting = await after(30, harness, generation)
    assert (waiting.queued, waiting.started_at) == (True, None)
    assert waiting.queue_place == pytest.approx(30, abs=2)
    working = await after(32, harness, generation)
    assert (working.queued, working.queue_place) == (False, None)
    assert working.started_at == pytest.approx(working.created_at + 60, abs=1.1)
    done = await after(8, harness, generation)
    assert (done.phase, done.started_at) == (Phase.COMPLETED, working.started_at)
    typical = await harness.generations.typical("scripted", "scripted/video")
    assert typical is not None
    assert typical.p50_s == pytest.approx(5.0, abs=1.1)


async def test_work_that_ends_between_two_polls_counts_from_the_last_report_of_the_queue(
    harness: EngineHarness,
) -> None:
    set_script(harness, Script(length_s=100.0, queued_s=99.5), push=False)
    await after(115, harness, await harness.start())
    typical = await harness.generations.typical("scripted", "scripted/video")
    assert typical is not None
    assert typical.p50_s < 15


async def test_a_run_that_lived_through_a_restart_says_nothing_about_typical_times(
    harness: EngineHarness,
) -> None:
    generation = await harness.start()
    await asyncio.sleep(1)
    await harness.crash()
    await asyncio.sleep(500)
    await harness.open()
    assert (await after(2, harness, generation)).phase is Phase.COMPLETED
    assert await harness.generations.typical("scripted", "scripted/video") is None
