"""Subscribes a page to the bus for the life of its client. Progress is batched to 4 updates a second."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from nicegui import Client

from services.core.events import GenerationEvent
from services.core.model import Generation, TraceEntry
from ui.session.page_context import PageContext
from ui.state import Change, TabState

FLUSH_INTERVAL_S = 0.25
PROGRESS_INTERVAL_S = 2.0
"""Progress entries of the push channel are drawn by their own timestamps, so they may arrive in batches."""


def subscribe(
    context: PageContext,
    *,
    on_change: Callable[[Change], None],
    on_trace: Callable[[list[TraceEntry]], None] = lambda _: None,
    generation_id: str | None = None,
    wants_trace: Callable[[str], bool] = lambda _: False,
) -> None:
    """Subscribes at once, so that a later read leaves no gap; unsubscribes when the client is deleted.

    Delivers all generations of the owner, or only `generation_id`. Trace entries are delivered for the
    generation on the stage, and for each id that `wants_trace` accepts.
    """
    batch = _Batch(
        state=context.state,
        client=context.client,
        owner=context.owner,
        on_change=on_change,
        on_trace=on_trace,
        wants_trace=wants_trace,
    )
    unsubscribe = context.generations.bus.subscribe(batch.add, generation_id=generation_id)

    def end() -> None:
        unsubscribe()
        batch.close()

    context.client.on_delete(end)


@dataclass(slots=True, kw_only=True)
class _Batch:
    state: TabState
    client: Client
    owner: str
    on_change: Callable[[Change], None]
    on_trace: Callable[[list[TraceEntry]], None]
    wants_trace: Callable[[str], bool]
    snapshots: dict[str, Generation] = field(default_factory=dict)
    entries: list[TraceEntry] = field(default_factory=list)
    timer: asyncio.TimerHandle | None = None
    due_at: float = 0.0
    has_urgent_entry: bool = False
    """Whether an entry other than progress is pending."""
    flushed_at: float = 0.0
    traced_at: float = 0.0

    def add(self, update: GenerationEvent) -> None:
        if update.owner != self.owner:
            return
        if isinstance(update, TraceEntry):
            current = self.state.current_generation
            on_stage = current is not None and current.id == update.generation_id
            if on_stage or self.wants_trace(update.generation_id):
                self.entries.append(update)
                self.has_urgent_entry = self.has_urgent_entry or update.data.get("heard") != "progress"
                self._schedule(FLUSH_INTERVAL_S if self.has_urgent_entry else PROGRESS_INTERVAL_S)
            return
        pending = self.snapshots.get(update.id)
        if pending is None or pending.revision < update.revision:
            self.snapshots[update.id] = update
        if self._is_urgent(update):
            self._flush()
        else:
            self._schedule(FLUSH_INTERVAL_S)

    def _is_urgent(self, update: Generation) -> bool:
        """Whether the update changes more than progress, and must be drawn without delay."""
        known = self.state.known.get(update.id)
        return (
            known is None
            or known.phase is not update.phase
            or (known.late_since is None) != (update.late_since is None)
            or known.trashed_at != update.trashed_at
        )

    def _schedule(self, interval_s: float) -> None:
        loop = asyncio.get_running_loop()
        at = max(loop.time(), self.flushed_at + interval_s)
        if self.timer is not None and self.due_at <= at:
            return
        self.close()
        self.due_at = at  # uvloop's handle of a timer that is already due has no time
        self.timer = loop.call_at(at, self._flush)

    def _flush(self) -> None:
        self.close()
        now = asyncio.get_running_loop().time()
        self.flushed_at = now
        snapshots, self.snapshots = self.snapshots, {}
        entries: list[TraceEntry] = []
        if self.has_urgent_entry or now - self.traced_at >= PROGRESS_INTERVAL_S:
            entries, self.entries, self.has_urgent_entry = self.entries, [], False
            self.traced_at = now
        elif self.entries:
            self._schedule(PROGRESS_INTERVAL_S)
        if self.client.is_deleted:
            return
        with self.client:
            for snapshot in snapshots.values():
                if change := self.state.apply(snapshot):
                    self.on_change(change)
            if entries:
                self.on_trace(entries)

    def close(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
