"""What a page hears, for the life of its client: newest revision wins, progress at most 4 times a second."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from nicegui import Client

from services.core.events import News
from services.core.model import Generation, TraceEntry
from ui.session.page_context import PageContext
from ui.state import Change, TabState

BEAT_S = 0.25
CHATTER_S = 2.0
"""Progress that push heard is drawn at its own time, so its marks may come to the page in handfuls."""


def follow(
    context: PageContext,
    *,
    on_change: Callable[[Change], None],
    on_trace: Callable[[list[TraceEntry]], None] = lambda _: None,
    generation_id: str | None = None,
    cares: Callable[[str], bool] = lambda _: False,
) -> None:
    """Subscribe now, so that what is read afterwards leaves no gap; unsubscribe when the client goes.

    To all that is the visitor's, or to one. Trace entries come of what is on the stage, and of each id that
    the page `cares` for.
    """
    ear = _Ear(
        state=context.state,
        client=context.client,
        owner=context.owner,
        on_change=on_change,
        on_trace=on_trace,
        cares=cares,
    )
    unsubscribe = context.generations.bus.subscribe(ear.hear, generation_id=generation_id)

    def end() -> None:
        unsubscribe()
        ear.close()

    context.client.on_delete(end)


@dataclass(slots=True, kw_only=True)
class _Ear:
    state: TabState
    client: Client
    owner: str
    on_change: Callable[[Change], None]
    on_trace: Callable[[list[TraceEntry]], None]
    cares: Callable[[str], bool]
    snapshots: dict[str, Generation] = field(default_factory=dict)
    entries: list[TraceEntry] = field(default_factory=list)
    beat: asyncio.TimerHandle | None = None
    beat_at: float = 0.0
    urgent: bool = False
    """Something else than progress waits among the entries."""
    last: float = 0.0
    last_traced: float = 0.0

    def hear(self, news: News) -> None:
        if news.owner != self.owner:
            return
        if isinstance(news, TraceEntry):
            current = self.state.current_generation
            staged = current is not None and current.id == news.generation_id
            if staged or self.cares(news.generation_id):
                self.entries.append(news)
                self.urgent = self.urgent or news.data.get("heard") != "progress"
                self._soon(BEAT_S if self.urgent else CHATTER_S)
            return
        waiting = self.snapshots.get(news.id)
        if waiting is None or waiting.revision < news.revision:
            self.snapshots[news.id] = news
        if self._turns(news):
            self._flush()
        else:
            self._soon(BEAT_S)

    def _turns(self, news: Generation) -> bool:
        """A turn of the story goes on the screen at once; all else can wait for the beat."""
        known = self.state.known.get(news.id)
        return (
            known is None
            or known.phase is not news.phase
            or (known.late_since is None) != (news.late_since is None)
            or known.trashed_at != news.trashed_at
        )

    def _soon(self, gap_s: float) -> None:
        loop = asyncio.get_running_loop()
        at = max(loop.time(), self.last + gap_s)
        if self.beat is not None and self.beat_at <= at:
            return
        self.close()
        self.beat_at = at  # uvloop's handle of what is due now does not know its time
        self.beat = loop.call_at(at, self._flush)

    def _flush(self) -> None:
        self.close()
        now = asyncio.get_running_loop().time()
        self.last = now
        snapshots, self.snapshots = self.snapshots, {}
        entries: list[TraceEntry] = []
        if self.urgent or now - self.last_traced >= CHATTER_S:
            entries, self.entries, self.urgent = self.entries, [], False
            self.last_traced = now
        elif self.entries:
            self._soon(CHATTER_S)
        if self.client.is_deleted:
            return
        with self.client:
            for snapshot in snapshots.values():
                if change := self.state.take(snapshot):
                    self.on_change(change)
            if entries:
                self.on_trace(entries)

    def close(self) -> None:
        if self.beat is not None:
            self.beat.cancel()
            self.beat = None
