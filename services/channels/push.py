"""The push channel: listen for ever, reopen what breaks."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from services.channels.poll_policy import UNAUTHORIZED_GAP_S
from services.core.clock import monotonic
from services.core.errors import ChannelLost
from services.http.event_stream import StreamEvent

OpenStream = Callable[[], AbstractAsyncContextManager[AsyncIterator[StreamEvent]]]

FIRST_PAUSE_S = 0.8
LONGEST_PAUSE_S = 30.0
SHORTEST_PAUSE_S = 0.05
QUIET_MINUTES_S = 120.0
LIFE_S = 600.0
LIFE_SPREAD = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamListener:
    """Who is told what: all are called on the loop and must not block."""

    opening: Callable[[], None]
    opened: Callable[[], None]
    heard: Callable[[StreamEvent], None]
    """May raise ChannelLost(reason="malformed"): the stream is then closed and reopened."""
    lost: Callable[[ChannelLost, float | None], None]
    """With the seconds until it is opened again; None when it never will be."""


async def listen(open_stream: OpenStream, listener: StreamListener, *, rng: random.Random) -> None:
    """Listen until cancelled, or until the backend says that there is nothing to hear (204)."""
    pause = Pause(rng)
    while True:
        listener.opening()
        opened_at = monotonic()
        lost = await _hear_out(
            open_stream, listener, life_s=LIFE_S * rng.uniform(1 - LIFE_SPREAD, 1 + LIFE_SPREAD)
        )
        if lost.reason == "no_content":
            listener.lost(lost, None)
            return
        wait_s = pause.after(lost, lived_s=monotonic() - opened_at)
        listener.lost(lost, wait_s)
        await asyncio.sleep(wait_s)


async def _hear_out(open_stream: OpenStream, listener: StreamListener, *, life_s: float) -> ChannelLost:
    try:
        async with asyncio.timeout(life_s), open_stream() as events:
            listener.opened()
            async for event in events:
                listener.heard(event)
    except ChannelLost as lost:
        return lost
    except TimeoutError:
        return ChannelLost("The stream was replaced at the end of its planned life.", reason="worn_out")
    return ChannelLost("The backend closed the stream.", reason="ended")


class Pause:
    """How long to wait before the next try: full jitter, doubled, forgotten after two quiet minutes."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._failures = 0

    def after(self, lost: ChannelLost, *, lived_s: float) -> float:
        if lost.reason == "worn_out":
            self._failures = 0
            return 0.0
        if lost.reason == "unauthorized":
            return UNAUTHORIZED_GAP_S
        if lived_s >= QUIET_MINUTES_S:
            self._failures = 0
        ceiling = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** min(self._failures, 10))
        self._failures += 1
        if lost.reason == "busy" and lost.retry_after_s is not None:
            return lost.retry_after_s + self._rng.uniform(0, FIRST_PAUSE_S)
        # A stream's own `retry:` is a floor, not a leave to be reopened at that rate for ever.
        return max(SHORTEST_PAUSE_S, lost.retry_after_s or 0.0, self._rng.uniform(0, ceiling))
