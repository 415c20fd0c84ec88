"""A generation's life from the intent to the kept bytes, in virtual time and over a real database."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from services.backends.scripted import Script
from services.core.errors import Conflict
from services.core.model import Channel, Draft, Generation, Kept, Kind, Phase
from tests.support.engine_harness import House, after, told

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


async def test_a_prompt_becomes_a_kept_result(house: House) -> None:
    done = await after(6, house, await house.start())
    assert done.phase is Phase.COMPLETED
    assert done.progress == 1.0
    assert done.kept is not None
    assert done.receipt is not None
    assert done.receipt.won_by is Channel.PUSH
    assert done.poster == f"{done.kept.name}.poster"


async def test_the_intent_is_committed_before_the_request_is_sent(house: House) -> None:
    seen: list[Phase] = []
    submit = house.backend.submit

    async def watched(generation: Generation, *, source: bytes | None = None) -> str:
        seen.append((await house.get(generation)).phase)
        return await submit(generation, source=source)

    house.backend.submit = watched  # type: ignore[method-assign]
    await after(1, house, await house.start())
    assert seen == [Phase.SUBMITTING]


async def test_each_commit_is_told_once_and_in_order(house: House) -> None:
    generation = await house.start()
    await after(6, house, generation)
    revisions = [news.revision for news in house.heard(generation)]
    assert revisions == sorted(set(revisions))
    phases = list(dict.fromkeys(news.phase for news in house.heard(generation)))
    assert phases == [
        Phase.PENDING,
        Phase.SUBMITTING,
        Phase.PROCESSING,
        Phase.COLLECTING,
        Phase.COMPLETED,
    ]


async def test_progress_grows_and_is_never_told_backwards(house: House) -> None:
    told(house, Script(length_s=20.0, streams=("drops", "ok", "drops", "ok")))
    generation = await house.start()
    await after(30, house, generation)
    progress = [news.progress for news in house.heard(generation) if news.progress is not None]
    assert len(progress) > 5
    assert progress == sorted(progress)


async def test_a_busy_backend_sends_the_row_back_to_pending_and_it_is_sent_again(house: House) -> None:
    told(house, Script(submits=("not_taken", "not_taken", "ok"), retry_after_s=7.0))
    generation = await house.start()
    waiting = await after(6.9, house, generation)
    assert (waiting.phase, waiting.stage) == (Phase.PENDING, "waiting_backend")
    assert house.backend.submits[generation.id] == 1
    done = await after(60, house, generation)
    assert done.phase is Phase.COMPLETED
    assert house.backend.paid(generation.id) == 1


async def test_a_refusal_ends_it_with_the_backends_words(house: House) -> None:
    told(house, Script(submits=("refused",)))
    ended = await after(1, house, await house.start())
    assert (ended.phase, ended.error_code) == (Phase.ERROR, "refused_input")
    assert "refused" in ended.error_text


@pytest.mark.parametrize("word", ["lost_before", "lost_after", "misspoke"])
async def test_a_lost_answer_is_unconfirmed_and_never_sent_twice_by_itself(house: House, word: str) -> None:
    told(house, Script(submits=(word,)))
    generation = await house.start()
    ended = await after(4000, house, generation)
    assert ended.phase is Phase.UNCONFIRMED
    assert house.backend.submits[generation.id] == 1


async def test_a_keyed_backend_is_asked_again_with_the_same_key_and_paid_once(house: House) -> None:
    told(house, Script(submits=("lost_after", "lost_before", "ok")), keyed=True)
    generation = await house.start()
    assert (await after(60, house, generation)).phase is Phase.COMPLETED
    assert house.backend.paid(generation.id) == 1


async def test_a_lost_answer_is_found_again_where_the_backend_can_be_searched(house: House) -> None:
    told(house, Script(submits=("lost_after",)), searchable=True)
    generation = await house.start()
    assert (await after(60, house, generation)).phase is Phase.COMPLETED
    assert house.backend.submits[generation.id] == 1


async def test_a_person_may_send_an_unconfirmed_one_again(house: House) -> None:
    told(house, Script(submits=("lost_before", "ok")))
    generation = await house.start()
    await after(5, house, generation)
    await house.generations.submit_again(generation.id)
    assert (await after(10, house, generation)).phase is Phase.COMPLETED
    with pytest.raises(Conflict):
        await house.generations.submit_again(generation.id)


async def test_the_message_is_told_once_by_time_and_the_late_result_says_how_late(house: House) -> None:
    told(house, Script(length_s=400.0, streams=("refused",)))
    generation = await house.start()
    late = await after(181, house, generation)
    assert late.late_since is not None
    assert late.late_since - late.created_at == pytest.approx(180.0, abs=0.1)
    done = await after(400, house, generation)
    assert done.receipt is not None
    assert done.receipt.late_s == pytest.approx(done.receipt.kept_at - done.created_at - 180.0, abs=0.01)
    assert len(house.traced(generation, "engine", "late")) == 1


async def test_silence_for_a_day_ends_it_with_a_reason_and_check_now_still_finds_the_result(
    house: House,
) -> None:
    told(house, Script(length_s=90_000.0, streams=("no_content",)))
    generation = await house.start()
    ended = await after(86_500, house, generation)
    assert (ended.phase, ended.error_code) == (Phase.ERROR, "gave_up")
    await asyncio.sleep(4000)
    await house.generations.check(generation.id)
    assert (await after(2, house, generation)).phase is Phase.COMPLETED


async def test_a_restart_does_not_lengthen_the_watch_and_tells_nothing_again(house: House) -> None:
    told(house, Script(length_s=200_000.0, streams=("no_content",)))
    generation = await house.start()
    await after(80_000, house, generation)
    await house.crash()
    await house.open()
    ended = await after(6_500, house, generation)
    assert (ended.phase, ended.error_code) == (Phase.ERROR, "gave_up")
    assert len(house.traced(generation, "engine", "late")) == 1


async def test_a_stopped_one_is_dropped_and_its_late_result_is_kept_apart(house: House) -> None:
    generation = await house.start()
    await asyncio.sleep(2)
    stopped = await house.generations.stop(generation.id)
    assert stopped.phase is Phase.DROPPED
    arrived = await after(10, house, generation)
    assert arrived.phase is Phase.COMPLETED
    assert arrived.unwanted


async def test_stop_before_anything_was_sent_costs_nothing(house: House) -> None:
    told(house, Script(submits=("not_taken",)))
    generation = await house.start()
    await asyncio.sleep(1)
    await house.generations.stop(generation.id)
    ended = await after(600, house, generation)
    assert ended.phase is Phase.DROPPED
    assert house.backend.paid(generation.id) == 0


async def test_stop_while_it_is_being_sent_still_learns_the_job(house: House) -> None:
    generation = await house.start()
    await asyncio.sleep(0.005)
    await house.generations.stop(generation.id)
    ended = await after(10, house, generation)
    assert ended.job_id is not None
    assert ended.unwanted


async def test_where_the_backend_can_cancel_it_is_told_and_the_watch_ends(house: House) -> None:
    told(house, Script(length_s=60.0), cancel=True)
    generation = await house.start()
    await asyncio.sleep(2)
    await house.generations.stop(generation.id)
    await asyncio.sleep(60)
    assert house.watching.open_count == 0
    assert (await house.get(generation)).phase is Phase.DROPPED


async def test_a_restart_watches_every_open_one_again_and_pays_for_none_twice(house: House) -> None:
    told(house, Script(length_s=30.0))
    started = [await house.start(f"kite {number}") for number in range(20)]
    await asyncio.sleep(5)
    await house.crash()
    await asyncio.sleep(100)
    await house.open()
    for generation in started:
        done = await after(2 if generation is started[0] else 0, house, generation)
        assert done.phase is Phase.COMPLETED
        assert house.backend.paid(generation.id) == 1


async def test_a_crash_between_sending_and_hearing_leaves_it_unconfirmed(house: House) -> None:
    generation = await house.start()
    await asyncio.sleep(0.005)
    await house.crash()
    await house.open()
    ended = await after(600, house, generation)
    assert ended.phase is Phase.UNCONFIRMED
    assert house.backend.submits[generation.id] == 1


async def test_an_old_process_that_comes_back_to_life_can_write_nothing(house: House) -> None:
    told(house, Script(length_s=1000.0))
    generation = await house.start()
    old = await after(2, house, generation)
    await house.store.claim(generation.id)
    assert await house.store.advance(generation.id, epoch=old.epoch, to=Phase.ERROR) is None
    assert (await house.get(generation)).phase is Phase.PROCESSING


async def test_the_second_copy_of_the_bytes_is_taken_away_again(house: House) -> None:
    told(house, Script(length_s=9.0, urls=("https://a.example/1", "https://b.example/2")))
    house.bytes.download_s = 3.0
    both, keep = asyncio.Barrier(2), house.bytes.keep

    async def together(*about: Any, **named: Any) -> Kept:
        kept = await keep(*about, **named)
        await both.wait()
        return kept

    house.bytes.keep = together  # type: ignore[method-assign]
    generation = await house.start()
    done = await after(60, house, generation)
    assert done.kept is not None
    assert house.bytes._made == 2
    assert house.bytes.files == {done.kept.name}


async def test_a_bug_in_one_watcher_is_told_and_the_watcher_begins_again(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    poll = house.backend.poll
    bugs = iter([True, False])

    async def buggy(job_id: str):  # type: ignore[no-untyped-def]
        if next(bugs, False):
            raise ZeroDivisionError
        return await poll(job_id)

    house.backend.poll = buggy  # type: ignore[method-assign]
    generation, other = await house.start(), await house.start()
    assert (await after(30, house, generation)).phase is Phase.COMPLETED
    assert (await house.get(other)).phase is Phase.COMPLETED
    assert len(house.traced(generation, "engine", "bug") + house.traced(other, "engine", "bug")) == 1
    assert "begins again" in caplog.text


async def test_the_log_says_which_channel_won(house: House, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    pushed = await house.start()
    await after(6, house, pushed)
    assert f"🎬 ✅ Video generation completed via SSE: {pushed.id}" in caplog.text
    told(house, Script(length_s=5.0, streams=("refused",)))
    polled = await house.start()
    await after(10, house, polled)
    assert f"🔄 Video polling attempt 1 {polled.id}" in caplog.text
    assert f"🎬 ✅ Video ready via polling! {polled.id}" in caplog.text


async def test_the_same_key_and_body_start_nothing_new_and_another_body_is_refused(house: House) -> None:
    draft = Draft(kind=Kind.VIDEO, prompt="a kite")
    (first,) = await house.generations.start(draft, key="k", fingerprint="f")
    (again,) = await house.generations.start(draft, key="k", fingerprint="f")
    assert again.id == first.id
    with pytest.raises(Conflict):
        await house.generations.start(draft, key="k", fingerprint="other")
    house.generations.catalogue = None  # type: ignore[assignment]  # a repeat needs no models
    (later,) = await house.generations.start(draft, key="k", fingerprint="f")
    assert later.id == first.id
    await asyncio.sleep(6)
    assert len(house.backend.jobs) == 1


async def test_a_deleted_open_one_is_stopped_hidden_and_told(house: House) -> None:
    generation = await house.start()
    await asyncio.sleep(1)
    await house.generations.delete(generation.id)
    hidden = house.heard(generation)[-1]
    assert hidden.hidden_at is not None
    assert hidden.phase is Phase.DROPPED
    assert (await house.generations.recent()).items == []


async def test_clear_hides_what_is_over_and_leaves_what_is_open(house: House) -> None:
    done = await house.start()
    await asyncio.sleep(6)
    told(house, Script(length_s=500.0))
    running = await house.start()
    await asyncio.sleep(1)
    assert await house.generations.clear() == 1
    assert [row.id for row in (await house.generations.recent()).items] == [running.id]
    assert done.id != running.id


async def test_the_first_showing_is_noted_once(house: House) -> None:
    generation = await house.start()
    await asyncio.sleep(6)
    await house.generations.shown(generation.id)
    first = await house.get(generation)
    await asyncio.sleep(5)
    await house.generations.shown(generation.id)
    assert first.receipt is not None
    assert first.receipt.shown_at is not None
    assert (await house.get(generation)).receipt == first.receipt


async def test_typical_times_come_from_this_installs_own_runs(house: House) -> None:
    assert await house.generations.typical("scripted", "scripted/video") is None
    for _ in range(3):
        await house.start()
        await asyncio.sleep(8)
    typical = await house.generations.typical("scripted", "scripted/video")
    assert typical is not None
    assert typical.runs == 3
    assert typical.p50_s == pytest.approx(5.0, abs=0.2)
    assert await house.generations.typical("scripted", "scripted/video", 5.0) == typical
    assert await house.generations.typical("scripted", "scripted/video", 20.0) is None


async def test_a_run_that_lived_through_a_restart_says_nothing_about_typical_times(house: House) -> None:
    generation = await house.start()
    await asyncio.sleep(1)
    await house.crash()
    await asyncio.sleep(500)
    await house.open()
    assert (await after(2, house, generation)).phase is Phase.COMPLETED
    assert await house.generations.typical("scripted", "scripted/video") is None
