"""The subset of HTTP/1.1 that the wire server needs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

REASONS = {200: "OK", 204: "No Content", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found"}


class Closed(Exception):
    """The connection is to be closed without an answer."""


@dataclass(slots=True)
class Call:
    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def reply(self, status: int, content: object, extra: dict[str, str] | None = None) -> None:
        head = {"Content-Type": "application/json"} | (extra or {})
        self.send(status, json.dumps(content).encode(), head)

    def send(self, status: int, body: bytes, head: dict[str, str]) -> None:
        head = {"Content-Length": str(len(body))} | head
        lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
        self.writer.write(
            f"HTTP/1.1 {status} {REASONS.get(status, 'As scripted')}\r\n{lines}\r\n".encode() + body
        )

    async def wait_for_disconnect(self) -> None:
        """Raises Closed when the client has disconnected."""
        while await self.reader.read(4096):
            pass
        raise Closed


async def read_call(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Call | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length") or 0))
    parts = urlsplit(target)
    return Call(method, unquote(parts.path), parse_qs(parts.query), headers, body, reader, writer)


async def slowly(content: bytes, over_s: float) -> AsyncIterator[bytes]:
    size = max(1, len(content) // 20)
    for start in range(0, len(content), size):
        await asyncio.sleep(over_s / 20)
        yield content[start : start + size]


async def endlessly(call: Call, head: dict[str, str]) -> None:
    """An answer without a length and without an end."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    call.writer.write(f"HTTP/1.1 200 OK\r\n{lines}Transfer-Encoding: chunked\r\n\r\n".encode())
    piece = b"%x\r\n%b\r\n" % (65536, bytes(65536))
    while not call.writer.transport.is_closing():
        call.writer.write(piece)
        await call.writer.drain()
