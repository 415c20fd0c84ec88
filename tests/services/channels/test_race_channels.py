"""Channels that break, close, fall silent or refuse: the other brings the result."""

from __future__ import annotations

import pytest

from services.backends.scripted import Script
from services.channels.race import Won
from services.core.model import Channel
from tests.support.race_harness import ScriptedRace

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
