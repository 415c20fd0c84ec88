"""The hosted service's protocol on loopback, as little of it as the drill needs, with faults."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from services.diagnostics.drill.files import Files

MODEL = "drill/wire"
HANGS_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How one prompt goes. Rows of words are used up call by call; the last word repeats.

    `submits`: ok, lost (taken, and closed without an answer), hangs (taken, no answer), broken (taken, 502),
    refused (not taken, and the answer tells the key). `streams`: ok (the result), foreign (another's result,
    then nothing), dead (no byte). `polls`: ok, running, broken (500).
    """

    submits: tuple[str, ...] = ("ok",)
    streams: tuple[str, ...] = ("ok",)
    polls: tuple[str, ...] = ("ok",)
    leads: bool = False
    """The result's address is the backend's own, and leads to another host."""


class Wire:
    def __init__(self, files: Files) -> None:
        self.key = secrets.token_hex(16)
        self.url = ""
        self.plans: dict[str, Plan] = {}
        self.submits: Counter[str] = Counter()
        """By prompt."""
        self.keys: defaultdict[str, set[str]] = defaultdict(set)
        """By prompt: under which it was asked for."""
        self.holds: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        """Prompts whose requests are answered only when it is set."""
        self._files = files
        self._used: Counter[tuple[str, str]] = Counter()
        self._calls: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Wire]:
        server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()
            for call in self._calls:
                call.cancel()
            await asyncio.gather(*self._calls, return_exceptions=True)

    def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        call = asyncio.create_task(self._serve(reader, writer), name="drill's wire")
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._speak(reader, writer)
        finally:
            writer.close()

    async def _speak(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            first, *lines = head.split("\r\n")
            headers = {
                name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
            }
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            method, target, _ = first.split(" ", 2)
            await self._answer(
                writer, method, target.partition("?")[0].removeprefix("/api/v1"), headers, body
            )
            await writer.drain()

    async def _answer(
        self, writer: asyncio.StreamWriter, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> None:
        if path == "/generation-config":
            _reply(writer, 200, [{"name": MODEL, "type": "text_to_image"}])
        elif path == "/leads":
            _send(writer, 302, b"", {"Location": self._files.url("led")})
        elif method == "POST":
            await self._submit(writer, headers, body)
        elif path.startswith("/events/file."):
            await self._stream(writer, path.removeprefix("/events/file."))
        elif path.startswith("/file/"):
            self._poll(writer, path.removeprefix("/file/"))
        else:
            _reply(writer, 200, [])

    async def _submit(self, writer: asyncio.StreamWriter, headers: dict[str, str], body: bytes) -> None:
        prompt = str(json.loads(body)["config"]["prompt"])
        self.submits[prompt] += 1
        self.keys[prompt].add(headers.get("idempotency-key", ""))
        if prompt in self.holds:
            await self.holds[prompt].wait()
        match self._next("submits", prompt):
            case "ok":
                _reply(writer, 200, [{"id": _job(prompt), "type": "image"}])
            case "broken":
                _reply(writer, 502, {"detail": "Bad gateway"})
            case "refused":
                _reply(writer, 400, {"detail": f"The key {self.key} may not do this."})
            case "hangs":
                await asyncio.sleep(HANGS_S)

    async def _stream(self, writer: asyncio.StreamWriter, job: str) -> None:
        prompt = _prompt(job)
        word = self._next("streams", prompt)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
        if word == "foreign":
            _tell(writer, {"type": "file", "object": {"id": "another", "url": self._files.url("film/still")}})
        elif word == "ok":
            _tell(writer, {"type": "file", "object": {"id": job, "url": self._url(prompt)}})
        await writer.drain()
        await asyncio.sleep(HANGS_S)

    def _poll(self, writer: asyncio.StreamWriter, job: str) -> None:
        prompt = _prompt(job)
        match self._next("polls", prompt):
            case "broken":
                _reply(writer, 500, {})
            case "running":
                _reply(writer, 200, {"id": job, "url": None})
            case _:
                _reply(writer, 200, {"id": job, "url": self._url(prompt)})

    def _url(self, prompt: str) -> str:
        return f"{self.url}/leads" if self.plans[prompt].leads else self._files.url("whole")

    def _next(self, row: str, prompt: str) -> str:
        words: tuple[str, ...] = getattr(self.plans[prompt], row)
        word = words[min(self._used[row, prompt], len(words) - 1)]
        self._used[row, prompt] += 1
        return word


def _job(prompt: str) -> str:
    return prompt.replace(" ", "-")


def _prompt(job: str) -> str:
    return job.replace("-", " ")


def _tell(writer: asyncio.StreamWriter, event: object) -> None:
    writer.write(f"data: {json.dumps(event)}\n\n".encode())


def _reply(writer: asyncio.StreamWriter, status: int, said: object) -> None:
    _send(writer, status, json.dumps(said).encode(), {"Content-Type": "application/json"})


def _send(writer: asyncio.StreamWriter, status: int, body: bytes, headers: dict[str, str]) -> None:
    head = {"Content-Length": str(len(body)), "Connection": "close", **headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    writer.write(f"HTTP/1.1 {status} As planned\r\n{lines}\r\n".encode() + body)
