"""What is told often and need not be durable at once: traces and progress, four times a second."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from services.core.errors import StoreFailed
from services.core.events import Bus
from services.core.model import TraceEntry
from services.store.store import Store

log = logging.getLogger(__name__)

FLUSH_EVERY_S = 0.25
AGAIN_AFTER_S = 2.0
MOST_WAITING = 20_000
CHATTER_AFTER = 200
CHATTER_GAP_S = 1.0


class EventLog:
    """Collects, commits in one transaction, then publishes. Bounded: with a full disk the oldest go first,
    and a stream that talks a lot is thinned out to one line a second.
    """

    def __init__(self, store: Store, bus: Bus, *, now: Callable[[], float] = time.time) -> None:
        self._store = store
        self._bus = bus
        self._now = now
        self._entries: list[TraceEntry] = []
        self._progress: dict[str, tuple[int, float | None, str]] = {}
        self._last_seq: dict[str, int] = {}
        self._heard: dict[str, tuple[int, float]] = {}
        self._dirty = asyncio.Event()
        self._flushing = asyncio.Lock()
        self._failing = False

    def note(
        self, generation_id: str, lane: str, event: str, **data: str | float | int | bool | None
    ) -> None:
        now = self._now()
        if event == "event" and data.get("heard") == "progress" and self._chatters(generation_id, now):
            return
        seq = max(int(now * 1_000_000), self._last_seq.get(generation_id, 0) + 1)
        self._last_seq[generation_id] = seq
        entry = TraceEntry(generation_id=generation_id, seq=seq, at=now, lane=lane, event=event, data=data)
        self._entries.append(entry)
        self._dirty.set()

    def progressed(self, generation_id: str, epoch: int, progress: float | None, stage: str) -> None:
        _, known, _ = self._progress.get(generation_id, (0, None, ""))
        best = max((value for value in (known, progress) if value is not None), default=None)
        self._progress[generation_id] = (epoch, best, stage)
        self._dirty.set()

    def forget(self, generation_id: str) -> None:
        """Its watcher has ended."""
        self._last_seq.pop(generation_id, None)
        self._heard.pop(generation_id, None)

    async def run(self) -> None:
        while True:
            await self._dirty.wait()
            await asyncio.sleep(AGAIN_AFTER_S if self._failing else FLUSH_EVERY_S)
            await self.flush()

    async def flush(self) -> None:
        """All that was noted before stands in the database when it returns; also what another was writing."""
        async with self._flushing:
            await self._flush()

    async def _flush(self) -> None:
        self._dirty.clear()
        entries, self._entries = self._entries, []
        progress, self._progress = self._progress, {}
        if not entries and not progress:
            return
        rows = [(name, epoch, value, stage) for name, (epoch, value, stage) in progress.items()]
        try:
            moved = await self._store.append_log(entries, rows)
        except StoreFailed as error:
            self._keep_for_later(entries, error)
            return
        if self._failing:
            self._failing = False
            log.info("The journal can be written again.")
        for entry in entries:
            self._bus.publish(entry)
        for generation in moved:
            self._bus.publish(generation)

    def _keep_for_later(self, entries: list[TraceEntry], error: StoreFailed) -> None:
        if not self._failing:
            log.warning("%s Traces wait until it can.", error)
        self._failing = True
        self._entries = (entries + self._entries)[-MOST_WAITING:]
        self._dirty.set()

    def _chatters(self, generation_id: str, now: float) -> bool:
        count, last = self._heard.get(generation_id, (0, 0.0))
        if count >= CHATTER_AFTER and now - last < CHATTER_GAP_S:
            return True
        self._heard[generation_id] = (count + 1, now)
        return False
