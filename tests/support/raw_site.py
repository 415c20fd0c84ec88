"""A web server of raw bytes on the test's own loop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Site:
    """A web server of raw bytes; it keeps the head of every request."""

    def __init__(self) -> None:
        self.heads: list[str] = []
        self._answers: dict[str, Answer] = {}
        self._open: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._welcome, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        self.origin = f"http://127.0.0.1:{self.port}"

    async def close(self) -> None:
        self._server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    def respond(self, path: str, head: str, body: bytes = b"", *, lengthy: bool = True) -> str:
        """`head` is a status line and headers, one each line; gives the whole address back."""
        length = f"\nContent-Length: {len(body)}" if lengthy else "\nConnection: close"
        lines = f"HTTP/1.1 {head}{length}\n\n".replace("\n", "\r\n")

        async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(lines.encode("latin-1") + body)
            await writer.drain()
            if not lengthy:
                writer.close()

        return self.handle(path, answer)

    def handle(self, path: str, answer: Answer) -> str:
        self._answers[path] = answer
        return self.origin + path

    def _welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._talk(reader, writer))
        self._open.add(task)
        task.add_done_callback(self._open.discard)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            try:
                while not writer.is_closing():
                    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                    self.heads.append(head)
                    await self._answers[head.split()[1]](reader, writer)
            finally:
                writer.close()


@asynccontextmanager
async def open_site() -> AsyncIterator[Site]:
    site = Site()
    await site.open()
    yield site
    await site.close()
