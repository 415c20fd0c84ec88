"""Traces and progress: frequent and not urgent, so they are committed together four times a second."""

import asyncio
import logging

from services.core.errors import StoreFailed
from services.core.events import Bus, GenerationEvent
from services.core.model import Generation, TraceEntry
from services.core.runtime import Runtime
from services.store.statements import ReportedProgress
from services.store.store import Store

log = logging.getLogger(__name__)

FLUSH_EVERY_S = 0.25
RETRY_GAP_S = 2.0
MAX_WAITING = 20_000
FREQUENT = ("progress", "queued")
THIN_AFTER = 200
THINNED_GAP_S = 1.0


class EventLog:
    """Collects entries, commits them in one transaction, then publishes them.

    Bounded: while the disk is full the oldest are dropped, and the progress of a busy stream is thinned out
    to one entry a second.
    """

    def __init__(self, store: Store, bus: Bus, runtime: Runtime) -> None:
        self._store = store
        self._bus = bus
        self._now = runtime.now
        self._entries: list[TraceEntry] = []
        self._progress: dict[str, ReportedProgress] = {}
        self._last_seq: dict[str, int] = {}
        self._progress_counts: dict[str, tuple[int, float]] = {}
        self._dirty = asyncio.Event()
        self._flushing = asyncio.Lock()
        self._failing = False

    def note(
        self, generation: Generation, lane: str, event: str, **data: str | float | int | bool | None
    ) -> None:
        now = self._now()
        if event == "event" and data.get("heard") in FREQUENT and self._is_thinned(generation.id, now):
            return
        name, owner = generation.id, generation.owner
        seq = self._last_seq[name] = max(int(now * 1_000_000), self._last_seq.get(name, 0) + 1)
        self._entries.append(
            TraceEntry(generation_id=name, owner=owner, seq=seq, at=now, lane=lane, event=event, data=data)
        )
        self._dirty.set()

    def progressed(
        self,
        generation_id: str,
        epoch: int,
        progress: float | None,
        stage: str,
        *,
        started_at: float | None = None,
    ) -> None:
        before = self._progress.get(generation_id)
        known = before.progress if before else None
        best = max((value for value in (known, progress) if value is not None), default=None)
        if started_at is None and before:
            started_at = before.started_at
        self._progress[generation_id] = ReportedProgress(generation_id, epoch, best, stage, started_at)
        self._dirty.set()

    def forget(self, generation_id: str) -> None:
        """Drops the state of a generation whose watcher has ended."""
        self._last_seq.pop(generation_id, None)
        self._progress_counts.pop(generation_id, None)

    async def run(self) -> None:
        while True:
            await self._dirty.wait()
            await asyncio.sleep(RETRY_GAP_S if self._failing else FLUSH_EVERY_S)
            await self.flush()

    async def flush(self) -> None:
        """Returns when every entry noted before is committed, those of a flush under way included."""
        async with self._flushing:
            self._dirty.clear()
            entries, self._entries = self._entries, []
            progress, self._progress = self._progress, {}
            if entries or progress:
                await self._write(entries, list(progress.values()))

    async def _write(self, entries: list[TraceEntry], progress: list[ReportedProgress]) -> None:
        try:
            moved = await self._store.append_log(entries, progress)
        except StoreFailed as error:
            self._keep_for_later(entries, error)
            return
        if self._failing:
            self._failing = False
            log.info("The journal can be written again.")
        committed: list[GenerationEvent] = [*entries, *moved]
        for event in committed:
            self._bus.publish(event)

    def _keep_for_later(self, entries: list[TraceEntry], error: StoreFailed) -> None:
        if not self._failing:
            log.warning("%s Traces wait until it can.", error)
        self._failing = True
        self._entries = (entries + self._entries)[-MAX_WAITING:]
        self._dirty.set()

    def _is_thinned(self, generation_id: str, now: float) -> bool:
        count, last = self._progress_counts.get(generation_id, (0, 0.0))
        if count >= THIN_AFTER and now - last < THINNED_GAP_S:
            return True
        self._progress_counts[generation_id] = (count + 1, now)
        return False
