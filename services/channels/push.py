"""The push channel: reads a job's updates for as long as it takes, and reopens what breaks."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from services.channels.backoff import Backoff
from services.core.errors import ChannelLost
from services.core.model import Channel, JobUpdate
from services.core.runtime import monotonic

OpenUpdates = Callable[[], AbstractAsyncContextManager[AsyncIterator[JobUpdate]]]

LIFE_S = 600.0
LIFE_SPREAD = 0.2


class StreamListener(Protocol):
    """Called on the event loop; must not block."""

    def stream_opening(self, channel: Channel) -> None: ...

    def stream_opened(self, channel: Channel) -> None: ...

    def stream_updated(self, channel: Channel, update: JobUpdate) -> None: ...

    def stream_lost(self, channel: Channel, lost: ChannelLost, retry_in_s: float | None) -> None:
        """`retry_in_s` is None when the stream is not opened again."""


async def listen(
    channel: Channel, open_updates: OpenUpdates, listener: StreamListener, *, rng: random.Random
) -> None:
    """Runs until cancelled, or until the backend says that it has nothing to stream (204)."""
    backoff = Backoff(rng)
    while True:
        listener.stream_opening(channel)
        opened_at = monotonic()
        life_s = LIFE_S * rng.uniform(1 - LIFE_SPREAD, 1 + LIFE_SPREAD)
        lost = await _read(channel, open_updates, listener, life_s=life_s)
        if lost.reason == "no_content":
            listener.stream_lost(channel, lost, None)
            return
        gap_s = backoff.after(lost, lived_s=monotonic() - opened_at)
        listener.stream_lost(channel, lost, gap_s)
        await asyncio.sleep(gap_s)


async def _read(
    channel: Channel, open_updates: OpenUpdates, listener: StreamListener, *, life_s: float
) -> ChannelLost:
    try:
        async with asyncio.timeout(life_s), open_updates() as updates:
            listener.stream_opened(channel)
            async for update in updates:
                listener.stream_updated(channel, update)
    except ChannelLost as lost:
        return lost
    except TimeoutError:
        return ChannelLost("The stream was replaced at the end of its planned life.", reason="worn_out")
    return ChannelLost("The backend closed the stream.", reason="ended")
