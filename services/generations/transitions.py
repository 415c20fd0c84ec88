"""Phase changes: the commit, then the log line, the trace entry and the event on the bus."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from services.core.errors import StoreFailed
from services.core.events import Bus
from services.core.model import Channel, Generation, Phase
from services.core.runtime import Runtime
from services.generations.event_log import EventLog
from services.store.store import Store

log = logging.getLogger(__name__)

T = TypeVar("T")
RETRY_GAPS_S = (0.2, 1.0, 5.0, 30.0)


class Transitions:
    def __init__(self, store: Store, event_log: EventLog, bus: Bus, runtime: Runtime) -> None:
        self._store = store
        self._event_log = event_log
        self._bus = bus
        self._now = runtime.now
        self.watch: Callable[[Generation], object] = lambda _: None
        """Starts the watch of a new generation; the supervisor's, set where the parts are joined."""

    async def advance(
        self, generation: Generation, to: Phase, *, channel: Channel | None = None, **changes: Any
    ) -> Generation | None:
        """None, and nothing is published, when the row is not ours any more or may not enter that phase."""
        moved = await self._store.advance(generation.id, epoch=generation.epoch, to=to, **changes)
        if moved is not None:
            self.announce(moved, channel)
        return moved

    async def fail(self, generation: Generation, code: str, text: str, **changes: Any) -> Generation | None:
        """None as `advance` says."""
        return await self.advance(
            generation,
            Phase.ERROR,
            error_code=code,
            error_text=text,
            stage="",
            finished_at=self._now(),
            **changes,
        )

    def announce_job(self, moved: Generation) -> None:
        """Its job is known now; a stopped or failed one keeps its phase."""
        if moved.final:
            self._bus.publish(moved)
        else:
            self.announce(moved)

    def announce_extra_results(self, parent: Generation, added: Sequence[Generation]) -> None:
        """One answer brought more than one result: each extra one is a generation of its own."""
        for generation in added:
            log.info("%s is a further result of the request of %s", generation.id, parent.id)
            self.announce_job(generation)
            self.watch(generation)

    def announce(self, moved: Generation, channel: Channel | None = None) -> None:
        log.info(
            "%s %s%s after_s=%.3f%s",
            moved.id,
            moved.phase,
            f" channel={channel}" if channel else "",
            self._now() - moved.created_at,
            f" because={moved.error_code}" if moved.phase is Phase.ERROR else "",
        )
        self._event_log.note(moved, "engine", "phase", phase=str(moved.phase))
        self._bus.publish(moved)


async def retry_until_written(write: Callable[[], Awaitable[T]], generation_id: str) -> T:
    """Retries until the write commits: for facts that only this process knows.

    `write` must be idempotent: an earlier try may have committed although it failed.
    """
    tries = 0
    while True:
        try:
            return await write()
        except StoreFailed as failed:
            if tries == 0:
                log.warning("%s is written again: %s", generation_id, failed)
            await asyncio.sleep(RETRY_GAPS_S[min(tries, len(RETRY_GAPS_S) - 1)])
            tries += 1
