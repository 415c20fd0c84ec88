"""A failure that one channel reports, and what the other says."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from services.backends.scripted import Script
from services.channels.poll_policy import tool_policy
from services.channels.race import JobFailed, Won
from services.core.model import Channel
from tests.support.race_harness import ScriptedRace

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


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
