"""Bytes that arrive whole and cannot be verified: fetched again, then the result."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from services.backends.scripted import Script
from services.channels.race import SETTLE_S, ReportedResult, Won
from services.core.errors import DeliveryFailed, Unverified
from services.core.model import Channel, Problem
from tests.support.race_harness import ScriptedRace

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


@dataclass
class UnverifiedRace(ScriptedRace):
    """The bytes come, and cannot be verified."""

    settle_s: float = 0.0

    async def deliver(self, reported: ReportedResult) -> None:
        self.tries += 1
        await asyncio.sleep(self.download_s)
        if not self.bytes_ok(reported.result.url, self.tries):
            raise Unverified(Problem(code="unknown", reason="The file format is unknown."))
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
        async def deliver(self, reported: ReportedResult) -> None:
            self.tries += 1
            raise DeliveryFailed("Too large.", reason="too_large", stage="delivery_too_large:9:1")

    racing = TooLarge(Script(length_s=4.0))
    with pytest.raises(TimeoutError):
        await racing.run(within_s=3000.0)
    assert racing.tries == 2
    assert racing.stages[-1] == "delivery_too_large:9:1"
