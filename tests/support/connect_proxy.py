"""A real HTTP proxy on the loopback: tunnels by CONNECT, and forwards what comes with a whole URL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

Address = tuple[str, int]


class ConnectProxy:
    """`names` leads host names to ports of the loopback, as its own resolver would.

    `answer` replaces all that it would do: bytes are sent as they are; empty ones close the connection.
    """

    def __init__(self, names: Mapping[str, int] | None = None) -> None:
        self.url = ""
        self.heads: list[str] = []
        self.names = dict(names or {})
        self.answer: bytes | None = None
        self.silent = False

    @property
    def asked(self) -> list[str]:
        """Method and target of each request."""
        return [" ".join(head.split()[:2]) for head in self.heads]

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            self.heads.append(head)
            if self.silent:
                await reader.read()
            elif self.answer is not None:
                writer.write(self.answer)
                await writer.drain()
            else:
                await self._pass_on(head, reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _pass_on(self, head: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        method, target, _ = head.split(" ", 2)
        tunnel = method == "CONNECT"
        parts = urlsplit(f"//{target}" if tunnel else target)
        host = parts.hostname or ""
        there = ("127.0.0.1", self.names[host]) if host in self.names else (host, parts.port or 80)
        try:
            server_reader, server_writer = await asyncio.open_connection(*there)
        except OSError:
            writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
            return
        if tunnel:
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
            server_writer.write(head.replace(target, path, 1).encode("latin-1"))
        await asyncio.gather(_copy(reader, server_writer), _copy(server_reader, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


@asynccontextmanager
async def connect_proxy(names: Mapping[str, int] | None = None) -> AsyncIterator[ConnectProxy]:
    proxy, tasks = ConnectProxy(names), set[asyncio.Task[None]]()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.get_running_loop().create_task(proxy.handle(reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    proxy.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield proxy
    server.close()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
