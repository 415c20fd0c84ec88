"""A TCP proxy with connection faults, in front of the wire server: real resets, stalls and half-open ends.

    with WireServer() as wire, FaultProxy(wire.url, prompt_of=…) as proxy:
        proxy.faults["a kite", "poll"] = ConnectionFault("reset", times=2)

Faults are keyed by the generation's prompt and the kind of request: submit, list, poll, stream, download. They may
be set at any time, from any thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import NoReturn
from urllib.parse import urlsplit

from tests.support.threaded_server import ThreadedServer

MIN_PIECE_BYTES = 32
"""What a slow connection passes on at once."""
NO_LINGER = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionFault:
    how: str
    """Of the request: swallow (read, never forwarded or answered) · reset_before · half (half of it is forwarded,
    then the connection is closed) · crawl (forwarded over `for_s`) · twice (forwarded twice; the second answer
    counts).
    Of the answer: late (after `for_s`) · slow (over about `for_s`) · reset · cut (closed in good order) · stall
    (nothing more is sent, nothing closed) · again (the same bytes a second time, `for_s` later) · long_head.
    """
    times: int | None = 1
    """None: always."""
    past: bytes = b""
    """The answer passes up to these bytes and `after` bytes more; then the fault occurs."""
    after: int = 0
    for_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxiedRequest:
    kind: str
    prompt: str
    job_id: str
    raw: bytes


class Ended(Exception):
    """The connection is to be closed."""


class FaultProxy(ThreadedServer):
    """`prompt_of` returns a job's prompt; `on_request` is called before a request is forwarded."""

    MAX_HEAD_BYTES = 256 * 1024

    def __init__(
        self,
        upstream: str,
        *,
        prompt_of: Callable[[str], str],
        on_request: Callable[[ProxiedRequest], None] = lambda _: None,
    ) -> None:
        super().__init__()
        self.faults: dict[tuple[str, str], ConnectionFault] = {}
        self.strikes: Counter[tuple[str, str]] = Counter()
        """How often each fault occurred."""
        self.open: Counter[str] = Counter()
        """The requests in flight, by prompt."""
        self._upstream = urlsplit(upstream)
        self._prompt_of = prompt_of
        self._on_request = on_request

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        early = b""
        with contextlib.suppress(Ended, ConnectionError, asyncio.IncompleteReadError):
            while True:
                request = await self._read(reader, early)
                self._on_request(request)
                self.open[request.prompt] += 1
                try:
                    early = await self._forward(request, reader, writer)
                finally:
                    self.open[request.prompt] -= 1

    async def _read(self, reader: asyncio.StreamReader, early: bytes) -> ProxiedRequest:
        head = early + await reader.readuntil(b"\r\n\r\n")
        body = await reader.readexactly(length_in(head) or 0)
        method, target, _ = head.split(b" ", 2)
        parts = [part for part in urlsplit(target.decode()).path.split("/") if part]
        kind, job_id = classify(method.decode(), parts)
        prompt = self._prompt_of(job_id) if job_id else ""
        if kind == "submit":
            prompt = str(json.loads(body)["config"].get("prompt", ""))
        return ProxiedRequest(kind=kind, prompt=prompt, job_id=job_id, raw=head + body)

    async def _forward(
        self, request: ProxiedRequest, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bytes:
        """Returns the bytes of the next request that came meanwhile."""
        fault = self._fault(request) or ConnectionFault(how="")
        match fault.how:
            case "swallow":
                await reader.read(1)
                raise Ended
            case "reset_before":
                _reset(writer)
            case "half":
                await self._forward_half(request)
            case "twice":
                async for _ in self._upstream_answer(request):
                    pass
        relaying = asyncio.create_task(self._relay(request, writer, fault))
        reading = asyncio.create_task(reader.read(1))
        try:
            await asyncio.wait([relaying, reading], return_when=asyncio.FIRST_COMPLETED)
            if reading.done() and not reading.result():
                raise Ended
            await relaying
            return reading.result() if reading.done() else b""
        finally:
            relaying.cancel()
            reading.cancel()
            await asyncio.gather(relaying, reading, return_exceptions=True)

    async def _forward_half(self, request: ProxiedRequest) -> NoReturn:
        _, writer = await self._dial()
        writer.write(request.raw[: len(request.raw) // 2])
        await writer.drain()
        writer.close()
        raise Ended

    async def _relay(
        self, request: ProxiedRequest, writer: asyncio.StreamWriter, fault: ConnectionFault
    ) -> None:
        sent, left = b"", fault.after
        passing = fault.how not in ("reset", "cut", "stall")
        async for chunk in self._upstream_answer(
            request, crawls_s=fault.for_s if fault.how == "crawl" else 0.0
        ):
            if not sent:
                await self._start_answer(fault, writer)
            sent += chunk
            if not passing and fault.past in sent:
                end = sent.index(fault.past) + len(fault.past) + left
                if len(sent) >= end:
                    writer.write(chunk[: len(chunk) - (len(sent) - end)])
                    await writer.drain()
                    await self._break(fault, writer)
            if fault.how == "slow":
                await _write_slowly(chunk, writer, fault.for_s)
            else:
                writer.write(chunk)
                await writer.drain()
        if fault.how == "again":
            await asyncio.sleep(fault.for_s)
            writer.write(sent)
        if length_in(sent) is None:
            raise Ended

    async def _start_answer(self, fault: ConnectionFault, writer: asyncio.StreamWriter) -> None:
        if fault.how == "late":
            await asyncio.sleep(fault.for_s)
        if fault.how == "long_head":
            writer.write(b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * self.MAX_HEAD_BYTES)
            raise Ended

    async def _break(self, fault: ConnectionFault, writer: asyncio.StreamWriter) -> NoReturn:
        match fault.how:
            case "reset":
                _reset(writer)
            case "stall":
                await asyncio.Event().wait()
        raise Ended

    async def _upstream_answer(
        self, request: ProxiedRequest, *, crawls_s: float = 0.0
    ) -> AsyncIterator[bytes]:
        """The upstream's bytes, until the answer is complete or the connection closed."""
        reader, writer = await self._dial()
        try:
            await _write_slowly(request.raw, writer, crawls_s)
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
        return await asyncio.open_connection(
            self._upstream.hostname, self._upstream.port, limit=self.MAX_HEAD_BYTES
        )

    def _fault(self, request: ProxiedRequest) -> ConnectionFault | None:
        where = (request.prompt, request.kind)
        fault = self.faults.get(where)
        if fault is None or (fault.times is not None and self.strikes[where] >= fault.times):
            return None
        self.strikes[where] += 1
        return fault


class DeadAddresses:
    """Three addresses without a server: one refuses, one accepts and never reads, one never finishes the
    handshake.
    """

    def __init__(self) -> None:
        self._sockets = [socket.socket() for _ in range(3)]
        for each in self._sockets:
            each.bind(("127.0.0.1", 0))
        _, unread, stuck = self._sockets
        unread.listen(1024)
        stuck.listen(0)
        for _ in range(2):
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex(stuck.getsockname())
            self._sockets.append(client)
        self.refuses, self.unread, self.stuck = (
            f"http://127.0.0.1:{each.getsockname()[1]}" for each in self._sockets[:3]
        )

    def close(self) -> None:
        for each in self._sockets:
            each.close()


def classify(method: str, path: list[str]) -> tuple[str, str]:
    """The kind of a request, and its job's id."""
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


async def _write_slowly(chunk: bytes, writer: asyncio.StreamWriter, for_s: float) -> None:
    if not for_s:
        return writer.write(chunk)
    size = max(MIN_PIECE_BYTES, len(chunk) // 20)
    pieces = [chunk[at : at + size] for at in range(0, len(chunk), size)]
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(for_s / len(pieces))
    return None


def _reset(writer: asyncio.StreamWriter) -> NoReturn:
    """Sends an RST and discards what is still buffered."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
    writer.transport.abort()
    raise Ended
