"""The queue of jobs and the warm render processes that work through it."""

import asyncio
import itertools
import json
import logging
import os
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from typing import Any

from services.animatic.event_feed import Feed
from services.animatic.job_store import JobStore
from services.animatic.record import Record
from services.animatic.wire import Wire, progress_event, task_event

log = logging.getLogger(__name__)

PROJECT_ROOT = Path(__file__).resolve().parents[2]
RENDERERS = 2
SILENCE_S = 60.0
# glibc keeps freed memory instead of giving it back: page faults were up to a third of setting a scene.
KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(2**29), "MALLOC_TRIM_THRESHOLD_": str(2**29)}
TRIES = 2
PLACES_PUBLISHED = 10
"""The first ones hear of each move; those behind learn their place when they ask. All of them at each move
would cost the square of the queue's length.
"""


class RendererDied(Exception):
    """The process ended or stopped responding during a job."""


class RenderQueue:
    def __init__(self, store: JobStore, feed: Feed, wire: Wire) -> None:
        self._store = store
        self._feed = feed
        self._wire = wire
        self._waiting: dict[str, None] = {}
        """Ids, the next one first."""
        self._available = asyncio.Semaphore(0)
        """One for each id that was added."""
        self._rendering: dict[str, Process] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def open(self, unfinished: list[Record]) -> None:
        for record in unfinished:
            self.enqueue(record)
        for number in range(RENDERERS):
            self._tasks.append(asyncio.create_task(self._work(), name=f"animatic-renderer-{number}"))

    def enqueue(self, record: Record) -> None:
        self._waiting[record.id] = None
        self._available.release()

    def place_of(self, file_id: str) -> int | None:
        """Its place in the queue, 1 is next; None where it does not wait."""
        if file_id not in self._waiting:
            return None
        return next(place for place, waiting in enumerate(self._waiting, start=1) if waiting == file_id)

    def cancel(self, file_id: str) -> None:
        """Takes a job whose record is already removed out of the queue, or kills its renderer."""
        self._feed.forget(file_id)
        if file_id in self._waiting:
            del self._waiting[file_id]
            self._publish_places()
            return
        process = self._rendering.get(file_id)
        if process is not None and process.returncode is None:
            process.kill()

    async def _work(self) -> None:
        process: Process | None = None
        while True:
            if process is None or process.returncode is not None:
                process = await _start_renderer()
            file_id = await self._next()
            try:
                process = await self._render(file_id, process)
            except Exception:
                # One broken job must not stop the queue: the renderer is replaced, the others go on.
                log.exception("job %s broke its renderer", file_id)
                await _end(process)

    async def _next(self) -> str:
        while True:
            await self._available.acquire()
            if self._waiting:  # otherwise it was cancelled
                file_id = next(iter(self._waiting))
                del self._waiting[file_id]
                self._publish_places()
                return file_id

    def _publish_places(self) -> None:
        for place, file_id in enumerate(itertools.islice(self._waiting, PLACES_PUBLISHED), start=1):
            if (record := self._store.get(file_id)) is not None:
                self._feed.publish(file_id, task_event(record, place))

    async def _render(self, file_id: str, process: Process) -> Process:
        for _ in range(TRIES):
            record = self._store.get(file_id)
            if record is None:
                return process
            if process.returncode is not None:
                process = await _start_renderer()
            self._rendering[file_id] = process
            try:
                answer = await self._exchange(record, process)
            except RendererDied as death:
                if self._store.get(file_id) is not None:  # otherwise it was cancelled
                    log.warning("job %s: %s", file_id, death)
                await _end(process)
                continue
            finally:
                del self._rendering[file_id]
            await self._finish(file_id, answer)
            return process
        if self._store.get(file_id) is not None:
            await self._finish(file_id, {"error": "The drawing process ended unexpectedly, twice."})
        return process

    async def _exchange(self, record: Record, process: Process) -> dict[str, Any]:
        assert process.stdin is not None and process.stdout is not None
        self._feed.publish(record.id, task_event(record))
        try:
            process.stdin.write(json.dumps(self._job(record)).encode() + b"\n")
            await process.stdin.drain()
            while line := await asyncio.wait_for(process.stdout.readline(), SILENCE_S):
                answer: dict[str, Any] = json.loads(line)
                if "progress" not in answer:
                    return answer
                self._feed.publish(record.id, progress_event(record.id, answer["progress"]))
        except (TimeoutError, OSError) as error:
            raise RendererDied(f"the renderer stopped responding ({type(error).__name__})") from error
        raise RendererDied("the renderer ended")

    def _job(self, record: Record) -> dict[str, Any]:
        assert record.order is not None
        source = self._store.get(record.order.source_id) if record.order.source_id else None
        return {
            "order": record.order.to_json(),
            "source": str(self._store.path_of(source)) if source else None,
            "target": str(self._store.path_of(record)),
            "thumbnail": str(self._store.thumbnail_of(record)),
        }

    async def _finish(self, file_id: str, answer: dict[str, Any]) -> None:
        record = self._store.get(file_id)
        if record is None:
            return
        final = record.completed(answer["done"]) if "done" in answer else record.failed(answer["error"])
        await asyncio.to_thread(self._store.put, final)
        if final.status == "completed":
            self._feed.publish(file_id, progress_event(file_id, 100))
        self._feed.publish(file_id, task_event(final))
        self._feed.publish(file_id, self._wire.final_event(final))
        self._feed.forget(file_id)
        await asyncio.to_thread(self._store.trim)


async def _start_renderer() -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.animatic.worker",
        stdin=PIPE,
        stdout=PIPE,
        cwd=PROJECT_ROOT,
        env=os.environ | KEEP_MEMORY,
    )


async def _end(process: Process) -> None:
    if process.returncode is None:
        process.kill()
    await process.wait()
