"""The "taking longer" message: due by time, stored and published once. The watch goes on."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from services.core.events import Bus
from services.core.model import Generation
from services.core.runtime import Runtime
from services.generations.event_log import EventLog
from services.store.store import Store

log = logging.getLogger(__name__)


class Overdue:
    def __init__(self, store: Store, event_log: EventLog, bus: Bus, runtime: Runtime) -> None:
        self._store = store
        self._event_log = event_log
        self._bus = bus
        self._runtime = runtime
        self._tasks: set[asyncio.Task[None]] = set()

    @contextmanager
    def timer(self, generation: Generation) -> Iterator[None]:
        """Sends the message if it falls due inside this context."""
        if generation.late_since is not None or generation.final:
            yield
            return
        due_in_s = max(0.0, generation.created_at + generation.late_after_s - self._runtime.now())
        handle = asyncio.get_running_loop().call_later(due_in_s, self._start, generation)
        try:
            yield
        finally:
            handle.cancel()

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, generation: Generation) -> None:
        task = asyncio.create_task(self._mark_late(generation), name=f"late {generation.id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _mark_late(self, generation: Generation) -> None:
        try:
            self._runtime.checkpoint("before_late")
            late = await self._store.update_open(
                generation.id, epoch=generation.epoch, late_since=self._runtime.now()
            )
            self._runtime.checkpoint("after_late")
        except Exception:
            log.exception("%s could not be marked as late.", generation.id)
            return
        if late is not None:
            log.info("%s takes longer than %.0f s; it is watched on.", late.id, late.late_after_s)
            self._event_log.note(late, "engine", "late")
            self._bus.publish(late)
