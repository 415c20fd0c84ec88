"""Warm processes for everything that decodes: untrusted bytes stay out of the app, and off its loop."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from services.core.errors import DeliveryFailed
from services.media.worker_process import Crashed, WorkerProcess

MAX_PIXELS = 100_000_000
_Result = TypeVar("_Result")


class Worker:
    """Verification has two processes of its own; posters and previews share one at low priority."""

    def __init__(self, *, processes: int = 2, max_pixels: int = MAX_PIXELS) -> None:
        self._now = _Pool(processes, niceness=0, max_pixels=max_pixels)
        self._later = _Pool(1, niceness=10, max_pixels=max_pixels)

    async def start(self) -> None:
        await asyncio.gather(self._now.warm(), self._later.warm())

    async def run(self, act: Callable[..., _Result], *args: str, timeout_s: float = 10.0) -> _Result:
        """Calls a module's function, which must return plain JSON, in a process.

        Raises ValueError as `act` does, RuntimeError for its other errors, and DeliveryFailed (undecodable)
        when it kills its process or exceeds the timeout.
        """
        return await self._now.run(act, args, timeout_s)

    async def run_later(self, act: Callable[..., _Result], *args: str, timeout_s: float = 30.0) -> _Result:
        return await self._later.run(act, args, timeout_s)

    async def close(self) -> None:
        await asyncio.gather(self._now.close(), self._later.close())


class _Pool:
    def __init__(self, size: int, *, niceness: int, max_pixels: int) -> None:
        self._niceness = niceness
        self._max_pixels = max_pixels
        self._size = size
        self._free = asyncio.Semaphore(size)
        self._idle: list[WorkerProcess] = []
        self._busy: set[asyncio.Task[Any]] = set()
        self._processes: set[WorkerProcess] = set()
        self._closed = False

    async def warm(self) -> None:
        self._idle += await asyncio.gather(*(self._start() for _ in range(self._size)))

    async def run(self, act: Callable[..., _Result], args: tuple[str, ...], timeout_s: float) -> _Result:
        await self._free.acquire()
        work = asyncio.create_task(self._work(act, args, timeout_s), name=f"media-worker-{act.__name__}")
        self._busy.add(work)
        work.add_done_callback(self._ended)
        # The process of a cancelled caller finishes its job first, then serves the next one.
        return await asyncio.shield(work)

    async def close(self) -> None:
        self._closed = True
        for process in self._processes:
            process.kill()
        await asyncio.gather(*self._busy, return_exceptions=True)
        await asyncio.gather(*(process.close() for process in self._processes))

    def _ended(self, work: asyncio.Task[Any]) -> None:
        self._busy.discard(work)
        if not work.cancelled():
            work.exception()  # its caller may be gone: then nobody else retrieves it

    async def _work(self, act: Callable[..., _Result], args: tuple[str, ...], timeout_s: float) -> _Result:
        process = None
        try:
            process = await self._take()
            return await process.call(act, args, timeout_s)
        except Crashed as error:
            raise DeliveryFailed("The file broke the decoder.", reason="undecodable") from error
        finally:
            if process is not None:
                self._idle.append(process)
            self._free.release()

    async def _take(self) -> WorkerProcess:
        while self._idle:
            process = self._idle.pop()
            if process.alive:
                return process
            self._processes.discard(process)
        return await self._start()

    async def _start(self) -> WorkerProcess:
        if self._closed:
            raise RuntimeError("The media worker is closed.")
        process = await WorkerProcess.start(self._niceness, self._max_pixels)
        self._processes.add(process)
        return process
