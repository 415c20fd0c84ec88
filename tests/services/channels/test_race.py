"""The race under every fault, in virtual time: hours pass in milliseconds."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from services.backends.scripted import Script, Scripted
from services.channels.poll_policy import chat_policy, tool_policy
from services.channels.race import ReportedResult, Won
from services.core.model import Channel, JobUpdate
from tests.support.race_harness import ScriptedRace

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


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


async def test_duplicate_events_change_nothing() -> None:
    racing = ScriptedRace(Script(length_s=4.0, repeats=5), download_s=0.5)
    assert await racing.run() == Won(channel=Channel.PUSH)
    assert len(racing.kept) == 1
    assert racing.tries == 1


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

    async def deliver(reported):  # type: ignore[no-untyped-def]
        raise ZeroDivisionError

    racing.deliver = deliver  # type: ignore[method-assign]
    with pytest.raises(ZeroDivisionError):
        await racing.run()
    assert len(asyncio.all_tasks()) == 1


async def test_a_check_in_the_moment_of_the_verdict_does_not_keep_the_race_alive() -> None:
    racing = ScriptedRace(Script(length_s=2.0))
    deliver = racing.deliver

    async def checking(reported: ReportedResult) -> None:
        await deliver(reported)
        racing.race.check()

    racing.deliver = checking  # type: ignore[method-assign]
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
