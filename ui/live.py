"""What a page hears, for the life of its client: newest revision wins, progress at most 4 times a second."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from nicegui import Client

from services.bus import Bus, News
from services.model import Generation, TraceEntry
from ui.state import Change, TabState

BEAT_S = 0.25


def follow(
    bus: Bus,
    state: TabState,
    *,
    client: Client,
    owner: str,
    on_change: Callable[[Change], None],
    on_trace: Callable[[list[TraceEntry]], None],
) -> None:
    """Subscribe now, so that what is read afterwards leaves no gap; unsubscribe when the client goes."""
    ear = _Ear(state=state, client=client, owner=owner, on_change=on_change, on_trace=on_trace)
    unsubscribe = bus.subscribe(ear.hear)

    def end() -> None:
        unsubscribe()
        ear.close()

    client.on_delete(end)


@dataclass(slots=True, kw_only=True)
class _Ear:
    state: TabState
    client: Client
    owner: str
    on_change: Callable[[Change], None]
    on_trace: Callable[[list[TraceEntry]], None]
    snapshots: dict[str, Generation] = field(default_factory=dict)
    entries: list[TraceEntry] = field(default_factory=list)
    beat: asyncio.TimerHandle | None = None
    last: float = 0.0

    def hear(self, news: News) -> None:
        if isinstance(news, TraceEntry):
            current = self.state.current_generation
            if current is not None and current.id == news.generation_id:
                self.entries.append(news)
                self._soon()
            return
        if news.owner != self.owner:
            return
        waiting = self.snapshots.get(news.id)
        if waiting is None or waiting.revision < news.revision:
            self.snapshots[news.id] = news
        if self._turns(news):
            self._flush()
        else:
            self._soon()

    def _turns(self, news: Generation) -> bool:
        """A turn of the story goes on the screen at once; all else can wait for the beat."""
        known = self.state.known.get(news.id)
        return (
            known is None
            or known.phase is not news.phase
            or (known.late_since is None) != (news.late_since is None)
            or known.hidden_at != news.hidden_at
        )

    def _soon(self) -> None:
        if self.beat is None:
            loop = asyncio.get_running_loop()
            self.beat = loop.call_later(max(0.0, self.last + BEAT_S - loop.time()), self._flush)

    def _flush(self) -> None:
        self.close()
        self.last = asyncio.get_running_loop().time()
        snapshots, self.snapshots = self.snapshots, {}
        entries, self.entries = self.entries, []
        if self.client.is_deleted:
            return
        with self.client:
            for snapshot in snapshots.values():
                if change := self.state.take(snapshot):
                    self.on_change(change)
            for entry in entries:
                self.state.take(entry)
            if entries:
                self.on_trace(entries)

    def close(self) -> None:
        if self.beat is not None:
            self.beat.cancel()
            self.beat = None
