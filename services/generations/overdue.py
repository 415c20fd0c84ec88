"""The message that a generation takes longer: told by time, once. Its watch goes on."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from services.core.events import Bus
from services.core.model import Generation
from services.generations.event_log import EventLog
from services.store.store import Store

log = logging.getLogger(__name__)


class Overdue:
    def __init__(
        self,
        store: Store,
        event_log: EventLog,
        bus: Bus,
        *,
        now: Callable[[], float],
        checkpoint: Callable[[str], None],
    ) -> None:
        self._store = store
        self._event_log = event_log
        self._bus = bus
        self._now = now
        self._checkpoint = checkpoint
        self._telling: set[asyncio.Task[None]] = set()

    @contextmanager
    def told(self, generation: Generation) -> Iterator[None]:
        """When its time comes in here."""
        late = self._tell_when_late(generation)
        try:
            yield
        finally:
            if late is not None:
                late.cancel()

    async def close(self) -> None:
        for task in self._telling:
            task.cancel()
        await asyncio.gather(*self._telling, return_exceptions=True)

    def _tell_when_late(self, generation: Generation) -> asyncio.TimerHandle | None:
        if generation.late_since is not None or generation.final:
            return None
        in_s = max(0.0, generation.created_at + generation.late_after_s - self._now())
        return asyncio.get_running_loop().call_later(in_s, self._late, generation)

    def _late(self, generation: Generation) -> None:
        task = asyncio.create_task(self._tell(generation), name=f"late {generation.id}")
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _tell(self, generation: Generation) -> None:
        try:
            self._checkpoint("before_late")
            told = await self._store.amend(generation.id, epoch=generation.epoch, late_since=self._now())
            self._checkpoint("after_late")
        except Exception:
            log.exception("The lateness of %s could not be stored.", generation.id)
            return
        if told is not None:
            log.info("%s takes longer than %.0f s; it is watched on.", told.id, told.late_after_s)
            self._event_log.note(told.id, "engine", "late")
            self._bus.publish(told)
