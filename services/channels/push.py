"""The push channel: reads a job's updates for as long as it takes, and reopens what breaks."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from services.channels.backoff import Backoff
from services.core.clock import monotonic
from services.core.errors import ChannelLost
from services.core.model import JobUpdate

OpenUpdates = Callable[[], AbstractAsyncContextManager[AsyncIterator[JobUpdate]]]

LIFE_S = 600.0
LIFE_SPREAD = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamListener:
    """Callbacks of a stream; they run on the event loop and must not block."""

    opening: Callable[[], None]
    opened: Callable[[], None]
    updated: Callable[[JobUpdate], None]
    lost: Callable[[ChannelLost, float | None], None]
    """With the seconds until the stream is opened again; None when it never will be."""


async def listen(open_updates: OpenUpdates, listener: StreamListener, *, rng: random.Random) -> None:
    """Runs until cancelled, or until the backend says that it has nothing to stream (204)."""
    backoff = Backoff(rng)
    while True:
        listener.opening()
        opened_at = monotonic()
        life_s = LIFE_S * rng.uniform(1 - LIFE_SPREAD, 1 + LIFE_SPREAD)
        lost = await _read(open_updates, listener, life_s=life_s)
        if lost.reason == "no_content":
            listener.lost(lost, None)
            return
        gap_s = backoff.after(lost, lived_s=monotonic() - opened_at)
        listener.lost(lost, gap_s)
        await asyncio.sleep(gap_s)


async def _read(open_updates: OpenUpdates, listener: StreamListener, *, life_s: float) -> ChannelLost:
    try:
        async with asyncio.timeout(life_s), open_updates() as updates:
            listener.opened()
            async for update in updates:
                listener.updated(update)
    except ChannelLost as lost:
        return lost
    except TimeoutError:
        return ChannelLost("The stream was replaced at the end of its planned life.", reason="worn_out")
    return ChannelLost("The backend closed the stream.", reason="ended")
