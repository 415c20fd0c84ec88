"""Dead and differing addresses of one result."""

from __future__ import annotations

import asyncio

import pytest

from services.backends.scripted import Script
from services.channels.poll_policy import tool_policy
from services.channels.race import Won
from services.core.model import Channel
from tests.support.race_harness import EPOCH, ScriptedRace

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


async def test_two_different_addresses_are_fetched_side_by_side() -> None:
    urls = ("https://scripted.example/one", "https://scripted.example/two")
    racing = ScriptedRace(Script(length_s=10.0, urls=urls), policy=tool_policy(9.99), download_s=1.0)
    await racing.run()
    assert racing.tries == 2
    assert racing.took_s < 11.1


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
    slow = racing.deliver

    async def deliver(reported):  # type: ignore[no-untyped-def]
        if reported.result.url.endswith("slow"):
            await asyncio.sleep(300)
        await slow(reported)

    racing.deliver = deliver  # type: ignore[method-assign]
    assert await racing.run() == Won(channel=Channel.POLL)
