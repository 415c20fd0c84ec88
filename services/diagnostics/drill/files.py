"""A small file server on loopback: where the drill's results come from, whole, cut short or refused."""

from __future__ import annotations

import asyncio
import io
import secrets
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import av
from PIL import Image

TOGETHER_WITHIN_S = 2.0
ANNOUNCED_TOO_MUCH = 1000
FRAMES, FRAMES_A_SECOND = 12, 24
SLOW_S = 1.0
PAGE = b"<!doctype html><title>Sorry</title><p>Something went wrong.</p>"


class Files:
    """Paths: `whole`, `slow`, `half` (cut short), `shortened` (so, and its length says the same), `page` (no
    picture), `gone` (403), `together/1` and `/2` (sent when both are asked for), `more` (shorter than said,
    and a picture all the same), `third` (403 twice, after a while), `film`, `film/cut` (its length
    says so too), `film/still` (a moving picture that is no film).

    Each address carries `key`, as a provider's link does: it must not be seen anywhere.
    """

    def __init__(self) -> None:
        self.key = secrets.token_hex(16)
        self.origin = ""
        self.whole = _picture()
        self._other = _picture()
        self._still = _picture("GIF")
        self.film = b""
        self.asked: Counter[str] = Counter()
        self.shown_keys: set[str] = set()
        """Paths that were asked for with a key in the head."""
        self._both = asyncio.Event()

    def url(self, path: str) -> str:
        return f"{self.origin}/{path}?key={self.key}"

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Files]:
        self.film = await asyncio.to_thread(_film)
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
            if b"\r\nauthorization:" in head.lower():
                self.shown_keys.add(path)
            if path.startswith("together"):
                await self._together()
            refused = path == "gone" or (path == "third" and self.asked[path] < 3)
            if path.startswith("slow") or (path == "third" and refused):
                await asyncio.sleep(SLOW_S)
            status = "403 Forbidden" if refused else "200 OK"
            body = b"" if refused else self._body(path)
            length = len(body) + (ANNOUNCED_TOO_MUCH if path == "more" else 0)
            writer.write(
                f"HTTP/1.1 {status}\r\nContent-Type: image/png\r\n"
                f"Content-Length: {length}\r\nConnection: close\r\n\r\n".encode()
            )
            writer.write(body[: len(body) // 2] if path == "half" else body)
            await writer.drain()
        writer.close()

    def _body(self, path: str) -> bytes:
        special = {
            "page": PAGE,
            "shortened": self.whole[: len(self.whole) // 2],
            "more": self._other,
            "film": self.film,
            "film/cut": self.film[: len(self.film) * 9 // 10],
            "film/still": self._still,
        }
        return special.get(path, self.whole)

    async def _together(self) -> None:
        if self.asked["together/1"] and self.asked["together/2"]:
            self._both.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(TOGETHER_WITHIN_S):
                await self._both.wait()


def _picture(kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.effect_noise((64, 64), 60).save(out, kind)
    return out.getvalue()


def _film() -> bytes:
    """Its beginning decodes: only its structure tells that the end is missing."""
    out = io.BytesIO()
    with av.open(out, "w", format="webm") as film:
        stream = film.add_stream("libvpx", rate=FRAMES_A_SECOND)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for number in range(FRAMES):
            frame = av.VideoFrame(64, 64, "yuv420p")
            for plane in frame.planes:
                plane.update(bytes([number * 20]) * plane.buffer_size)
            film.mux(stream.encode(frame))
        film.mux(stream.encode())
    return out.getvalue()
