"""An asyncio server on the loopback that runs in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Self


class ThreadedServer(ABC):
    """`serve` runs it on the current loop instead; subclasses handle the connections."""

    MAX_HEAD_BYTES = 64 * 1024

    def __init__(self, *, port: int = 0) -> None:
        self.url = ""
        self._port = port
        self._connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    def __enter__(self) -> Self:
        ready = threading.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self.serve(lambda _: ready.set())),
            name=type(self).__name__,
            daemon=True,
        )
        self._thread.start()
        if not ready.wait(10):
            raise RuntimeError(f"{type(self).__name__} did not start")
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self.end)
        self._thread.join(10)

    def end(self) -> None:
        """From its own loop."""
        self._end.set()

    async def serve(self, ready: Callable[[Self], None]) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(
            self._accept, "127.0.0.1", self._port, limit=self.MAX_HEAD_BYTES, backlog=1024
        )
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        ready(self)
        await self._end.wait()
        server.close()
        for task, writer in list(self._connections.items()):
            writer.transport.abort()
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections[task] = writer
        try:
            await self._handle(reader, writer)
        except asyncio.CancelledError:  # the end of the server; Python 3.11's streams log a cancelled handler
            pass
        finally:
            del self._connections[task]
            writer.transport.abort() if writer.transport.is_closing() else writer.close()

    @abstractmethod
    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None: ...
