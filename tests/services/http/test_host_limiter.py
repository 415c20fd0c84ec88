"""Manners toward one backend host."""

from __future__ import annotations

import asyncio
import random

import pytest

from services.channels.backoff import Backoff
from services.core.errors import ChannelLost
from services.http.host_limiter import HostLimiter

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


async def test_gaps_stay_as_they_are_until_nothing_has_answered_for_thirty_seconds() -> None:
    host = HostLimiter()
    host.unanswered()
    await asyncio.sleep(29)
    assert host.stretch(2.0) == 2.0
    await asyncio.sleep(1)
    assert host.stretch(2.0) == 10.0
    assert host.stretch(60.0) == 60.0
    host.answered()
    assert host.stretch(2.0) == 2.0


async def test_submits_that_hang_leave_polls_their_turns() -> None:
    host = HostLimiter()

    async def hang() -> None:
        async with host.submit():
            await asyncio.sleep(1000)

    hanging = [asyncio.create_task(hang()) for _ in range(100)]
    await asyncio.sleep(1)
    async with asyncio.timeout(1), host.request():
        pass
    for task in hanging:
        task.cancel()
    await asyncio.gather(*hanging, return_exceptions=True)


async def test_retry_after_on_a_submit_holds_for_the_host() -> None:
    host = HostLimiter()
    host.hold_submits(30.0)
    host.hold_submits(5.0)
    assert host.submits_held_s == 30.0
    await asyncio.sleep(31)
    assert host.submits_held_s == 0.0


async def test_pauses_grow_with_jitter_to_thirty_seconds_and_are_forgotten_after_two_quiet_minutes() -> None:
    backoff = Backoff(random.Random(1))
    reset = ChannelLost("", reason="reset")
    waits = [backoff.after(reset, lived_s=1.0) for _ in range(200)]
    assert max(waits[:2]) <= 1.6
    assert 25.0 < max(waits) <= 30.0
    assert len(set(waits)) > 100
    assert backoff.after(reset, lived_s=121.0) <= 0.8


async def test_a_streams_own_retry_is_a_floor_and_not_a_rate_for_ever() -> None:
    backoff = Backoff(random.Random(1))
    ended = ChannelLost("", reason="ended", retry_after_s=0.5)
    waits = [backoff.after(ended, lived_s=1.0) for _ in range(50)]
    assert min(waits) >= 0.5
    assert max(waits) > 20.0
