"""A TCP proxy that breaks lines on purpose, in front of the wire server: true refusals, resets and half-open ends.

    with WireServer() as wire, Chaos(wire.url, prompt_of=…) as chaos:
        chaos.faults["a kite", "poll"] = LineFault("reset", times=2)

Faults are told by the prompt of the generation and by what is asked for: submit, list, poll, stream, download. It
runs in a thread of its own; faults may be set at any time, from any thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import NoReturn
from urllib.parse import urlsplit

MOST_HEAD = 256 * 1024
SMALLEST_PIECE = 32
"""Bytes that a slow line lets through at once."""
LINGERS_NOT = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFault:
    how: str
    """Of the request: swallow (read, never handed on, never answered) · reset_before · half (only half of it is
    handed on, then the line is closed) · crawl (handed on over `for_s`) · twice (handed on twice; the second
    answer counts).
    Of the answer: late (after `for_s`) · slow (over about `for_s`) · reset · cut (closed in good order) · stall
    (nothing more comes, nobody hangs up) · again (the same bytes a second time, `for_s` later) · long_head.
    """
    times: int | None = 1
    """None: always."""
    past: bytes = b""
    """The answer passes until these bytes have gone by, and `after` bytes more; then it is broken."""
    after: int = 0
    for_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    what: str
    prompt: str
    job_id: str
    raw: bytes


class Ended(Exception):
    """This line is over."""


class Chaos:
    """`prompt_of` knows a job's prompt; `asked` is told of each request before anybody reads it."""

    def __init__(
        self,
        upstream: str,
        *,
        prompt_of: Callable[[str], str],
        asked: Callable[[Asked], None] = lambda _: None,
    ) -> None:
        self.faults: dict[tuple[str, str], LineFault] = {}
        self.broken: Counter[tuple[str, str]] = Counter()
        """How often a fault really struck."""
        self.open: Counter[str] = Counter()
        """Requests by prompt that are being carried now."""
        self.url = ""
        self._upstream = urlsplit(upstream)
        self._lines: set[asyncio.Task[None]] = set()
        self._prompt_of = prompt_of
        self._asked = asked

    def __enter__(self) -> Chaos:
        ready = threading.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self.serve(lambda _: ready.set())), name="chaos", daemon=True
        )
        self._thread.start()
        if not ready.wait(10):
            raise RuntimeError("the chaos proxy did not start")
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(10)

    def end(self) -> None:
        """From its own loop."""
        self._end.set()

    async def serve(self, ready: Callable[[Chaos], None]) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._line, "127.0.0.1", 0, limit=MOST_HEAD, backlog=1024)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        ready(self)
        await self._end.wait()
        server.close()
        for task in list(self._lines):
            task.cancel()
        await asyncio.gather(*self._lines, return_exceptions=True)

    # -- one line ----------------------------------------------------------------------------

    async def _line(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._lines.add(task)
        task.add_done_callback(self._lines.discard)
        with contextlib.suppress(Ended, ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            early = b""
            while True:
                asked = await self._read(reader, early)
                self._asked(asked)
                self.open[asked.prompt] += 1
                try:
                    early = await self._carry(asked, reader, writer)
                finally:
                    self.open[asked.prompt] -= 1
        with contextlib.suppress(ConnectionError):
            writer.close()

    async def _read(self, reader: asyncio.StreamReader, early: bytes) -> Asked:
        head = early + await reader.readuntil(b"\r\n\r\n")
        body = await reader.readexactly(length_in(head) or 0)
        method, target, _ = head.split(b" ", 2)
        parts = [part for part in urlsplit(target.decode()).path.split("/") if part]
        what, job_id = what_is(method.decode(), parts)
        prompt = self._prompt_of(job_id) if job_id else ""
        if what == "submit":
            prompt = str(json.loads(body)["config"].get("prompt", ""))
        return Asked(what=what, prompt=prompt, job_id=job_id, raw=head + body)

    async def _carry(self, asked: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        """What came meanwhile of the next request."""
        fault = self._fault(asked) or LineFault(how="")
        match fault.how:
            case "swallow":
                await reader.read(1)
                raise Ended
            case "reset_before":
                _reset(writer)
            case "half":
                await self._half(asked)
            case "twice":
                async for _ in self._answer(asked):
                    pass
        carrying = asyncio.create_task(self._pass_on(asked, writer, fault))
        leaving = asyncio.create_task(reader.read(1))
        try:
            await asyncio.wait([carrying, leaving], return_when=asyncio.FIRST_COMPLETED)
            if leaving.done() and not leaving.result():
                raise Ended
            await carrying
            return leaving.result() if leaving.done() else b""
        finally:
            carrying.cancel()
            leaving.cancel()
            await asyncio.gather(carrying, leaving, return_exceptions=True)

    async def _half(self, asked: Asked) -> NoReturn:
        _, writer = await self._dial()
        writer.write(asked.raw[: len(asked.raw) // 2])
        await writer.drain()
        writer.close()
        raise Ended

    async def _pass_on(self, asked: Asked, writer: asyncio.StreamWriter, fault: LineFault) -> None:
        gone, left = b"", fault.after
        passing = fault.how not in ("reset", "cut", "stall")
        async for chunk in self._answer(asked, crawls_s=fault.for_s if fault.how == "crawl" else 0.0):
            if not gone:
                await self._begin(fault, writer)
            gone += chunk
            if not passing and fault.past in gone:
                end = gone.index(fault.past) + len(fault.past) + left
                if len(gone) >= end:
                    writer.write(chunk[: len(chunk) - (len(gone) - end)])
                    await writer.drain()
                    await self._break(fault, writer)
            if fault.how == "slow":
                await _dribble(chunk, writer, fault.for_s)
            else:
                writer.write(chunk)
                await writer.drain()
        if fault.how == "again":
            await asyncio.sleep(fault.for_s)
            writer.write(gone)
        if length_in(gone) is None:
            raise Ended

    async def _begin(self, fault: LineFault, writer: asyncio.StreamWriter) -> None:
        if fault.how == "late":
            await asyncio.sleep(fault.for_s)
        if fault.how == "long_head":
            writer.write(b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * MOST_HEAD)
            raise Ended

    async def _break(self, fault: LineFault, writer: asyncio.StreamWriter) -> NoReturn:
        match fault.how:
            case "reset":
                _reset(writer)
            case "stall":
                await asyncio.Event().wait()
        raise Ended

    async def _answer(self, asked: Asked, *, crawls_s: float = 0.0) -> AsyncIterator[bytes]:
        """The upstream's bytes, until the answer is whole or the line is closed there."""
        reader, writer = await self._dial()
        try:
            await _dribble(asked.raw, writer, crawls_s)
            head = await reader.readuntil(b"\r\n\r\n")
            yield head
            left = length_in(head)
            while left is None or left > 0:
                chunk = await reader.read(65536)
                if not chunk:
                    return
                left = None if left is None else left - len(chunk)
                yield chunk
        finally:
            writer.close()

    async def _dial(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(self._upstream.hostname, self._upstream.port, limit=MOST_HEAD)

    def _fault(self, asked: Asked) -> LineFault | None:
        where = (asked.prompt, asked.what)
        fault = self.faults.get(where)
        if fault is None or (fault.times is not None and self.broken[where] >= fault.times):
            return None
        self.broken[where] += 1
        return fault


class DeadEnds:
    """Three addresses where nobody is: one refuses, one takes the connection and never reads, one does not even
    finish the handshake.
    """

    def __init__(self) -> None:
        self._held = [socket.socket() for _ in range(3)]
        for each in self._held:
            each.bind(("127.0.0.1", 0))
        _, deaf, full = self._held
        deaf.listen(1024)
        full.listen(0)
        for _ in range(2):
            caller = socket.socket()
            caller.setblocking(False)
            caller.connect_ex(full.getsockname())
            self._held.append(caller)
        self.refuses, self.deaf, self.full = (
            f"http://127.0.0.1:{each.getsockname()[1]}" for each in self._held[:3]
        )

    def close(self) -> None:
        for each in self._held:
            each.close()


def what_is(method: str, path: list[str]) -> tuple[str, str]:
    """What is asked for, and of which job."""
    match method, path:
        case "GET", [*_, "files", name]:
            return "download", name.partition(".")[0]
        case "POST", ["api", "v1", "file", act] if act.startswith("generate-"):
            return "submit", ""
        case "GET", ["api", "v1", "file", job_id]:
            return "poll", job_id
        case "GET", ["api", "v1", "events", channel]:
            return "stream", channel.removeprefix("file.")
        case "GET", ["api", "v1", "file"]:
            return "list", ""
    return "other", ""


def length_in(head: bytes) -> int | None:
    for line in head.partition(b"\r\n\r\n")[0].split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            return int(value)
    return None


async def _dribble(chunk: bytes, writer: asyncio.StreamWriter, for_s: float) -> None:
    if not for_s:
        return writer.write(chunk)
    size = max(SMALLEST_PIECE, len(chunk) // 20)
    pieces = [chunk[at : at + size] for at in range(0, len(chunk), size)]
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(for_s / len(pieces))
    return None


def _reset(writer: asyncio.StreamWriter) -> NoReturn:
    """A true RST, and what was still to be sent is thrown away."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGERS_NOT)
    writer.transport.abort()
    raise Ended
