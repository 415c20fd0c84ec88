"""One supervised task per generation."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from typing import Any


class TaskRegistry:
    """`on_end` is called with the generation's id whenever its task has ended, for whatever reason."""

    def __init__(self, on_end: Callable[[str], None]) -> None:
        self._on_end = on_end
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._finished: set[str] = set()
        """Ids whose tasks returned by themselves: only a person or a restart starts another."""
        self._changing: set[str] = set()
        self._closed = False

    def __contains__(self, generation_id: str) -> bool:
        return generation_id in self._tasks or generation_id in self._changing

    def __len__(self) -> int:
        return len(self._tasks)

    def begin(self, generation_id: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Starts its task, unless it has one or the registry is closed."""
        if self._closed or generation_id in self:
            return
        task = asyncio.create_task(work(), name=f"watch {generation_id}")
        self._tasks[generation_id] = task
        self._finished.discard(generation_id)
        task.add_done_callback(lambda ended: self._ended(generation_id, ended))

    @contextmanager
    def changing(self, generation_id: str) -> Iterator[bool]:
        """Prevents the start of its task meanwhile. False when another caller is inside already."""
        first = generation_id not in self._changing
        self._changing.add(generation_id)
        try:
            yield first
        finally:
            if first:
                self._changing.discard(generation_id)

    async def end(self, generation_ids: Iterable[str]) -> None:
        """Cancels their tasks and waits until they have ended."""
        tasks = [self._tasks[each] for each in generation_ids if each in self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def cancel(self, generation_id: str) -> None:
        if generation_id in self._tasks:
            self._tasks[generation_id].cancel()

    def missing(self, open_ids: frozenset[str]) -> frozenset[str]:
        """The open generations whose tasks were cancelled or never started."""
        self._finished &= open_ids
        return open_ids - self._finished - self._tasks.keys()

    async def close(self) -> None:
        self._closed = True
        await self.end(list(self._tasks))

    def _ended(self, generation_id: str, task: asyncio.Task[None]) -> None:
        del self._tasks[generation_id]
        if not task.cancelled():
            self._finished.add(generation_id)
        self._on_end(generation_id)
