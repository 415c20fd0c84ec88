"""A small file server on loopback: where the drill's results come from, whole, cut short or refused."""

from __future__ import annotations

import asyncio
import io
import secrets
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from PIL import Image

TOGETHER_WITHIN_S = 2.0
SLOW_S = 1.0
PAGE = b"<!doctype html><title>Sorry</title><p>Something went wrong.</p>"


class Files:
    """Paths: `whole`, `slow`, `half` (cut short), `shortened` (cut short, and its length says so), `page` (no
    picture), `gone` (403), `together/1` and `/2` (sent when both are asked for).

    Each address carries `key`, as a provider's link does: it must not be seen anywhere.
    """

    def __init__(self) -> None:
        self.key = secrets.token_hex(16)
        self.origin = ""
        self.whole = _picture()
        self.asked: Counter[str] = Counter()
        self._both = asyncio.Event()

    def url(self, path: str) -> str:
        return f"{self.origin}/{path}?key={self.key}"

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Files]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.origin = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            head = await reader.readuntil(b"\r\n\r\n")
            path = head.split(b" ", 2)[1].split(b"?")[0].decode("latin-1").strip("/")
            self.asked[path] += 1
            if path.startswith("together"):
                await self._together()
            if path == "slow":
                await asyncio.sleep(SLOW_S)
            status = "403 Forbidden" if path == "gone" else "200 OK"
            body = self._body(path)
            writer.write(
                f"HTTP/1.1 {status}\r\nContent-Type: image/png\r\n"
                f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
            )
            writer.write(body[: len(body) // 2] if path == "half" else body)
            await writer.drain()
        writer.close()

    def _body(self, path: str) -> bytes:
        special = {"gone": b"", "page": PAGE, "shortened": self.whole[: len(self.whole) // 2]}
        return special.get(path, self.whole)

    async def _together(self) -> None:
        if self.asked["together/1"] and self.asked["together/2"]:
            self._both.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(TOGETHER_WITHIN_S):
                await self._both.wait()


def _picture() -> bytes:
    out = io.BytesIO()
    Image.effect_noise((64, 64), 60).save(out, "PNG")
    return out.getvalue()
