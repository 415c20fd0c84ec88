"""The race under every fault, in virtual time: hours pass in milliseconds."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from services.backends.scripted import Script, Scripted
from services.channels.poll_policy import chat_policy, tool_policy
from services.channels.race import SETTLE_S, JobFailed, ReportedResult, Won
from services.core.errors import DeliveryFailed, Unverified
from services.core.model import Channel, JobUpdate, Problem
from tests.support.race_harness import EPOCH, ScriptedRace

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

DEAF = (
    "refused",
    "unauthorized",
    "server_error",
    "silent",
    "dead",
    "ended",
    "drops",
    "garbage",
    "foreign",
    "no_content",
    "gone",
    "busy",
    "oversize",
)
MUTE = ("gone", "busy", "server_error", "hang", "malformed", "unauthorized", "timeout", "reset")


async def test_the_stream_brings_the_result_without_a_poll_for_it() -> None:
    racing = ScriptedRace(Script(length_s=5.0))
    assert await racing.run() == Won(channel=Channel.PUSH)
    assert racing.took_s < 5.1
    assert racing.times("poll", "attempt") == []
    assert len(racing.times("poll", "check")) == 1, (
        "asked once after connecting, so that nothing falls between"
    )


async def test_a_trusted_stream_leaves_polling_at_its_calm_rhythm() -> None:
    racing = ScriptedRace(Script(length_s=35.0, fails_on=frozenset(), repeats=1))
    await racing.run()
    attempts = racing.times("poll", "attempt")
    assert [round(at) for at in attempts] == [10, 20, 31]


async def test_polling_brings_the_result_when_the_stream_never_says_it() -> None:
    racing = ScriptedRace(Script(length_s=25.0, streams=("silent",)))
    assert await racing.run(within_s=600.0) == Won(channel=Channel.POLL)


async def test_both_channels_at_the_same_instant_deliver_once() -> None:
    racing = ScriptedRace(Script(length_s=10.0), policy=tool_policy(9.99), download_s=1.0)
    await racing.run()
    assert len(racing.kept) == 1
    assert racing.tries == 1, "the same address is not fetched twice"


async def test_two_different_addresses_are_fetched_side_by_side() -> None:
    urls = ("https://scripted.example/one", "https://scripted.example/two")
    racing = ScriptedRace(Script(length_s=10.0, urls=urls), policy=tool_policy(9.99), download_s=1.0)
    await racing.run()
    assert racing.tries == 2
    assert racing.took_s < 11.1


async def test_duplicate_events_change_nothing() -> None:
    racing = ScriptedRace(Script(length_s=4.0, repeats=5), download_s=0.5)
    assert await racing.run() == Won(channel=Channel.PUSH)
    assert len(racing.kept) == 1
    assert racing.tries == 1


@pytest.mark.parametrize("word", DEAF)
async def test_a_deaf_stream_costs_at_most_three_seconds_and_twelve_polls(word: str) -> None:
    for length_s in (3.0, 7.3, 12.9, 20.0):
        racing = ScriptedRace(Script(length_s=length_s, streams=(word,)))
        assert isinstance(await racing.run(), Won)
        assert racing.took_s - length_s <= 3.1, f"a job of {length_s} s"
        if len(racing.times("push", "open")) <= 1:  # each reopening is followed by a check (R7)
            assert racing.polls() <= 12, f"a job of {length_s} s"


@pytest.mark.parametrize("word", MUTE)
async def test_a_mute_poll_leaves_the_stream_listening(word: str) -> None:
    racing = ScriptedRace(Script(length_s=60.0, polls=(word,)))
    assert await racing.run() == Won(channel=Channel.PUSH)
    assert racing.took_s < 60.2


@pytest.mark.parametrize("word", [word for word in DEAF if word != "drops"])
@pytest.mark.parametrize("mute", MUTE)
async def test_whatever_breaks_the_result_arrives_when_polling_heals(word: str, mute: str) -> None:
    racing = ScriptedRace(Script(length_s=5.0, streams=(word,), polls=(mute,) * 8 + ("ok",)))
    assert await racing.run(within_s=7200) == Won(channel=Channel.POLL)
    assert len(racing.kept) == 1


async def test_a_stream_that_breaks_is_reopened_and_followed_by_a_check() -> None:
    racing = ScriptedRace(Script(length_s=8.0, streams=("drops", "ok")))
    assert await racing.run() == Won(channel=Channel.PUSH)
    assert len(racing.times("push", "open")) == 2
    assert len(racing.times("poll", "check", because="connected")) == 2


@pytest.mark.parametrize("word", ["ended", "dead"])
async def test_a_stream_that_closes_or_falls_silent_is_opened_again(word: str) -> None:
    racing = ScriptedRace(Script(length_s=60.0, streams=(word, "ok")))
    assert await racing.run() == Won(channel=Channel.PUSH)
    assert len(racing.times("push", "open")) == 2


async def test_a_poll_under_way_is_not_cancelled_by_an_event(monkeypatch: pytest.MonkeyPatch) -> None:
    poll = Scripted.poll

    async def slow(self: Scripted, job_id: str) -> JobUpdate:
        await asyncio.sleep(5.0)
        return await poll(self, job_id)

    monkeypatch.setattr(Scripted, "poll", slow)
    racing = ScriptedRace(Script(length_s=8.0))
    assert await racing.run() == Won(channel=Channel.PUSH)
    assert racing.times("push", "event")[0] < 2.0
    assert racing.times("poll", "answer") == [pytest.approx(5.0, abs=0.1)]


async def test_a_refused_key_is_tried_again_every_ten_minutes() -> None:
    racing = ScriptedRace(Script(length_s=3000.0, streams=("unauthorized",)))
    await racing.run()
    openings = racing.times("push", "opening")
    assert [round(at / 600) for at in openings] == list(range(len(openings)))


async def test_retry_after_on_a_poll_is_honoured() -> None:
    racing = ScriptedRace(
        Script(length_s=5.0, streams=("refused",), polls=("busy", "ok"), retry_after_s=40.0)
    )
    await racing.run()
    attempts = racing.times("poll", "attempt")
    assert attempts[1] - attempts[0] >= 40.0


async def test_a_foreign_event_is_traced_and_earns_no_trust() -> None:
    racing = ScriptedRace(Script(length_s=9.0, streams=("foreign",)))
    assert await racing.run() == Won(channel=Channel.POLL)
    assert racing.times("push", "foreign")
    assert racing.took_s < 12.1, "polling was quickened, for nothing was heard about this job"


async def test_a_dead_address_sends_the_race_back_to_asking() -> None:
    racing = ScriptedRace(Script(length_s=3.0), bytes_ok=lambda _url, number: number >= 3)
    await racing.run()
    assert racing.tries == 3
    assert len(racing.times("engine", "keep_failed")) == 2
    assert racing.took_s < 15.0


async def test_an_address_that_is_told_once_is_tried_again_while_nobody_else_tells_one() -> None:
    racing = ScriptedRace(
        Script(length_s=3.0, polls=("server_error",)),
        bytes_ok=lambda _url, number: number >= 4,
        late_in_s=5.0,
    )
    assert await racing.run() == Won(channel=Channel.PUSH)
    assert racing.tries == 4
    assert racing.took_s < 15.0
    reported_at = racing.kept[0][1].reported_at
    assert reported_at - EPOCH - racing.begun < 4.0, (
        "the receipt says when it was heard, not when it was tried again"
    )


async def test_an_address_told_while_a_dead_one_is_fetched_is_the_next_to_be_tried() -> None:
    urls = ("https://a.example/dead", "https://a.example/good")
    script = Script(length_s=3.0, polls=("server_error",), urls=urls)
    racing = ScriptedRace(script, bytes_ok=lambda url, _: url.endswith("good"), download_s=60.0)
    assert await racing.run() == Won(channel=Channel.PUSH)
    assert racing.tries == 2


async def test_a_slow_download_over_push_loses_to_another_address_over_poll() -> None:
    racing = ScriptedRace(
        Script(length_s=4.0, urls=("https://a.example/slow", "https://b.example/quick")),
        policy=tool_policy(5.0),
    )
    slow = racing.keep

    async def keep(reported):  # type: ignore[no-untyped-def]
        if reported.result.url.endswith("slow"):
            await asyncio.sleep(300)
        await slow(reported)

    racing.keep = keep  # type: ignore[method-assign]
    assert await racing.run() == Won(channel=Channel.POLL)


async def test_a_failure_over_push_is_confirmed_by_one_poll() -> None:
    racing = ScriptedRace(Script(length_s=5.0, fails="moderated"))
    verdict = await racing.run()
    assert isinstance(verdict, JobFailed)
    assert verdict.failure.text == "moderated"
    assert len(racing.times("poll", "check", because="failure")) == 1


async def test_a_failure_over_push_waits_ten_minutes_for_a_poll_that_answers() -> None:
    racing = ScriptedRace(Script(length_s=5.0, fails="moderated", polls=("server_error",)))
    verdict = await racing.run()
    assert isinstance(verdict, JobFailed)
    ended = racing.times("poll", "lost")[-1]
    assert 605.0 <= ended <= 615.0


async def test_a_failure_over_push_alone_is_refuted_by_a_poll_that_says_running() -> None:
    racing = ScriptedRace(Script(length_s=5.0, fails="not true", fails_on=frozenset({"push"})))
    with pytest.raises(TimeoutError):
        await racing.run(within_s=3000)


async def test_a_failure_over_poll_does_not_beat_bytes_that_are_on_their_way() -> None:
    racing = ScriptedRace(Script(length_s=5.0), download_s=10.0, policy=tool_policy(6.0))
    run = asyncio.create_task(racing.run())
    await asyncio.sleep(5.5)
    failing = Script(length_s=5.0, fails="too late")
    for job in racing.backend.jobs.values():
        job.script = failing
    assert await run == Won(channel=Channel.PUSH)


async def test_after_the_message_the_watch_goes_on_quietly_and_the_late_result_arrives() -> None:
    racing = ScriptedRace(Script(length_s=2 * 3600.0, streams=("refused",)))
    assert await racing.run(within_s=3 * 3600.0) == Won(channel=Channel.POLL)
    attempts = racing.times("poll", "attempt")
    gaps = [round(later - earlier) for earlier, later in itertools.pairwise(attempts) if earlier > 182]
    assert gaps[0] in {29, 30, 31, 32}
    assert all(57 <= gap <= 64 for gap in gaps[2:50])
    assert 285 <= gaps[-1] <= 316


async def test_the_chat_policy_waits_thirty_seconds_while_the_stream_is_trusted() -> None:
    racing = ScriptedRace(Script(length_s=60.0), policy=chat_policy(30.0, 10.0))
    await racing.run()
    attempts = racing.times("poll", "attempt")
    assert [round(at) for at in attempts[:4]] == [30, 31, 33, 38]


async def test_the_chat_policy_does_not_wait_for_a_stream_that_is_refused() -> None:
    racing = ScriptedRace(Script(length_s=6.0, streams=("refused",)), policy=chat_policy(30.0, 10.0))
    await racing.run()
    assert racing.took_s <= 9.1


async def test_a_person_who_checks_now_is_answered_at_once_even_under_retry_after() -> None:
    racing = ScriptedRace(
        Script(length_s=5.0, streams=("refused",), polls=("busy", "ok"), retry_after_s=300.0)
    )
    run = asyncio.create_task(racing.run())
    await asyncio.sleep(20.0)
    racing.race.check()
    await run
    assert racing.took_s < 21.0


async def test_a_resumed_race_asks_at_once() -> None:
    racing = ScriptedRace(Script(length_s=0.0, streams=("dead",)), resumed=True)
    await racing.run()
    assert racing.took_s < 0.1


async def test_the_receipt_knows_what_the_loser_was_doing() -> None:
    racing = ScriptedRace(Script(length_s=13.0))
    await racing.run()
    (_, reported) = racing.kept[0]
    assert reported.channel is Channel.PUSH
    assert reported.attempts == 1
    assert reported.runner_up.code == "running"
    assert reported.runner_up.due_at is not None
    assert 6.0 < reported.runner_up.due_at - reported.reported_at < 8.0


async def test_a_bug_in_the_hands_ends_the_race_loudly_and_leaves_no_task() -> None:
    racing = ScriptedRace(Script(length_s=2.0))

    async def keep(reported):  # type: ignore[no-untyped-def]
        raise ZeroDivisionError

    racing.keep = keep  # type: ignore[method-assign]
    with pytest.raises(ZeroDivisionError):
        await racing.run()
    assert len(asyncio.all_tasks()) == 1


async def test_a_check_in_the_moment_of_the_verdict_does_not_keep_the_race_alive() -> None:
    racing = ScriptedRace(Script(length_s=2.0))
    keep = racing.keep

    async def checking(reported: ReportedResult) -> None:
        await keep(reported)
        racing.race.check()

    racing.keep = checking  # type: ignore[method-assign]
    assert await racing.run(within_s=60.0) == Won(channel=Channel.PUSH)


async def test_the_loser_is_cancelled_once_and_closes_in_peace(monkeypatch: pytest.MonkeyPatch) -> None:
    updates, closed = Scripted.updates, []

    @contextlib.asynccontextmanager
    async def closing_slowly(
        self: Scripted, job_id: str, *, silence_s: float
    ) -> AsyncIterator[AsyncIterator[JobUpdate]]:
        async with updates(self, job_id, silence_s=silence_s) as events:
            try:
                yield events
            finally:
                await asyncio.sleep(0.1)
                closed.append(job_id)

    monkeypatch.setattr(Scripted, "updates", closing_slowly)
    await ScriptedRace(Script(length_s=2.0)).run()
    assert closed == ["job-1"]


async def test_when_it_ends_no_task_is_left() -> None:
    racing = ScriptedRace(Script(length_s=2.0))
    await racing.run()
    assert len(asyncio.all_tasks()) == 1


@dataclass
class UnverifiedRace(ScriptedRace):
    """The bytes come, and cannot be verified."""

    settle_s: float = 0.0

    async def keep(self, reported: ReportedResult) -> None:
        self.tries += 1
        await asyncio.sleep(self.download_s)
        if not self.bytes_ok(reported.result.url, self.tries):
            raise Unverified(Problem(code="unknown", reason="The format of the file is not known."))
        self.kept.append((asyncio.get_running_loop().time(), reported))

    async def settle(self, reported: ReportedResult) -> None:
        await asyncio.sleep(self.settle_s)
        await super().settle(reported)


async def test_bytes_that_cannot_be_verified_are_fetched_once_more_at_once() -> None:
    racing = UnverifiedRace(Script(length_s=4.0), bytes_ok=lambda _, number: number == 2)
    await racing.run()
    assert racing.took_s < 6.0
    assert racing.settled == []


async def test_a_minute_after_the_first_unverified_bytes_they_are_the_result() -> None:
    racing = UnverifiedRace(Script(length_s=4.0), bytes_ok=lambda *_: False)
    await racing.run(within_s=300.0)
    ((settled_at, _),) = racing.settled
    (first, *_) = racing.times("engine", "keep_failed", reason="unknown")
    assert settled_at - racing.begun == pytest.approx(first + SETTLE_S, abs=0.1)
    assert racing.tries > 2


async def test_a_minute_is_waited_once_and_not_from_each_try() -> None:
    racing = UnverifiedRace(Script(length_s=4.0), bytes_ok=lambda *_: False, settle_s=200.0)
    await racing.run(within_s=600.0)
    assert len(racing.settled) == len(racing.times("engine", "settling")) == 1


async def test_better_bytes_within_the_minute_win_over_the_held_ones() -> None:
    racing = UnverifiedRace(Script(length_s=4.0), bytes_ok=lambda _, number: number == 4)
    await racing.run(within_s=300.0)
    assert (len(racing.kept), racing.settled) == (1, [])


async def test_bytes_held_by_an_earlier_race_are_the_result_when_the_link_has_died() -> None:
    racing = ScriptedRace(Script(length_s=4.0), bytes_ok=lambda *_: False, resumed=True, held=True)
    await racing.run(within_s=300.0)
    ((settled_at, reported),) = racing.settled
    assert settled_at - racing.begun == pytest.approx(SETTLE_S, abs=0.1)
    assert reported.result.url


async def test_a_backend_that_is_gone_after_a_restart_does_not_cost_the_held_bytes() -> None:
    racing = ScriptedRace(Script(length_s=1e6, streams=("silent",)), resumed=True, held=True)
    assert await racing.run(within_s=300.0) == Won(channel=Channel.POLL)
    assert len(racing.settled) == 1


async def test_a_file_above_the_limit_is_not_sent_again_every_minute() -> None:
    class TooLarge(ScriptedRace):
        async def keep(self, reported: ReportedResult) -> None:
            self.tries += 1
            raise DeliveryFailed("Too large.", reason="too_large", stage="delivery_too_large:9:1")

    racing = TooLarge(Script(length_s=4.0))
    with pytest.raises(TimeoutError):
        await racing.run(within_s=3000.0)
    assert racing.tries == 2
    assert racing.stages[-1] == "delivery_too_large:9:1"
