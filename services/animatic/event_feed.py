"""Publishes events to the listeners of each file. Only the newest progress is replayed."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from services.animatic.wire import Event

QUEUE_SIZE = 64


class Feed:
    def __init__(self) -> None:
        self._listeners: dict[str, set[asyncio.Queue[Event]]] = {}
        self._progress: dict[str, Event] = {}

    @contextmanager
    def listen(self, file_id: str) -> Iterator[asyncio.Queue[Event]]:
        queue: asyncio.Queue[Event] = asyncio.Queue(QUEUE_SIZE)
        listeners = self._listeners.setdefault(file_id, set())
        listeners.add(queue)
        try:
            yield queue
        finally:
            listeners.discard(queue)
            if not listeners:
                self._listeners.pop(file_id, None)

    def publish(self, file_id: str, event: Event) -> None:
        if event["type"] == "render_progress":
            self._progress[file_id] = event
        for queue in self._listeners.get(file_id, ()):
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(event)

    def last_progress(self, file_id: str) -> Event | None:
        return self._progress.get(file_id)

    def forget(self, file_id: str) -> None:
        self._progress.pop(file_id, None)
