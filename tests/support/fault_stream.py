"""One open stream of the wire server, well or badly behaved."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable

from tests.support.fault_http import Call
from tests.support.fault_job import Job, Json, task_of


class Stream:
    def __init__(self, call: Call, job: Job, mode: str) -> None:
        self._call = call
        self._job = job
        self._mode = mode
        self._sent = 0
        self._timers: dict[str, asyncio.TimerHandle] = {}

    async def serve(self, *, final: Json | None) -> None:
        self._call.writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
            b"Cache-Control: no-store\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        script = self._job.script
        try:
            self._later("comment", script.comment_every_s, self._comment)
            if self._mode == "late":
                self._later("late", script.push_late_s, self._subscribe)
            else:
                self._subscribe()
                self.publish(final or {"type": "task", "object": task_of(self._job, self._job.status)})
            await self._run_fault()
            with contextlib.suppress(ConnectionError):
                while await self._call.reader.read(4096):
                    pass
        finally:
            self._job.listeners.discard(self)
            for timer in self._timers.values():
                timer.cancel()

    def publish(self, event: Json) -> None:
        if event["type"] in ("file", "error") and self._has_final_fault():
            return self._send_faulty_final(event)
        return self._send(event)

    def _has_final_fault(self) -> bool:
        script = self._job.script
        return script.final != "ok" and (
            script.final_times is None or self._job.streams <= script.final_times
        )

    def _send_faulty_final(self, event: Json) -> None:
        match self._job.script.final:
            case "garbled":
                self._write(b'data: {"type": "file", "object": {"url": \n\n')
            case "huge":
                self._write(b"data: " + b" " * 2_000_000 + json.dumps(event).encode() + b"\n\n")
            case "first":
                self._event(event)
                for progress in (80, 40):
                    self._event(
                        {"type": "render_progress", "object": {"file_id": self._job.id, "progress": progress}}
                    )

    def _send(self, event: Json) -> None:
        match self._mode:
            case "silent" | "comments" | "oversize":
                return
            case "garbage":
                self._write(b"data: {not json\n\n\xff\xfe\x00garbage\n\n")
                return
            case "wrong_ids":
                event = json.loads(json.dumps(event).replace(self._job.id, f"other-{self._job.id}"))
            case "duplicates":
                for _ in range(2):
                    self._event(event)
            case "backwards":
                event = _backwards(event)
        self._event(event)
        self._sent += 1
        if self._mode in ("drop", "end") and self._sent >= self._job.script.push_after:
            if self._mode == "end":
                self._call.writer.write(b"0\r\n\r\n")
                self._call.writer.close()
            else:
                self.drop()

    def drop(self) -> None:
        self._job.listeners.discard(self)
        self._call.writer.transport.abort()

    def _subscribe(self) -> None:
        self._job.listeners.add(self)

    def _event(self, event: Json) -> None:
        self._write(b"data: " + json.dumps(event).encode() + b"\n\n")

    def _comment(self) -> None:
        if self._mode != "silent":
            self._write(b": ping\n\n")
        self._later("comment", self._job.script.comment_every_s, self._comment)

    def _write(self, data: bytes) -> None:
        if not self._call.writer.transport.is_closing():
            self._call.writer.write(b"%x\r\n%b\r\n" % (len(data), data))

    async def _run_fault(self) -> None:
        match self._mode:
            case "oversize":
                await self._send_endless_line()
            case "flood":
                await self._flood()
            case "large":
                self._event(self._padded(self._job.script.large_bytes))
            case "deep":
                self._write(b"data: " + b"[" * 200_000 + b"]" * 200_000 + b"\n\n")

    async def _flood(self) -> None:
        """In bursts, ten a second."""
        payload = json.dumps({"type": "render_progress", "object": {"file_id": self._job.id, "progress": 5}})
        burst = b"data: %b\n\n" % payload.encode() * (self._job.script.flood_per_s // 10)
        loop = asyncio.get_running_loop()
        begun = loop.time()
        for number in range(round(self._job.script.flood_s * 10)):
            self._write(burst)
            await self._call.writer.drain()
            await asyncio.sleep(max(0.0, begun + (number + 1) / 10 - loop.time()))

    def _padded(self, size_bytes: int) -> Json:
        return {"type": "render_progress", "object": {"file_id": self._job.id, "note": "x" * size_bytes}}

    async def _send_endless_line(self) -> None:
        line = b"data: " + b"x" * 65_000
        while True:
            self._write(line)
            line = b"x" * 65_000
            await self._call.writer.drain()

    def _later(self, name: str, in_s: float, act: Callable[[], None]) -> None:
        self._timers[name] = asyncio.get_running_loop().call_later(in_s, act)


def _backwards(event: Json) -> Json:
    payload = event.get("object")
    if event["type"] != "render_progress" or not isinstance(payload, dict):
        return event
    return event | {"object": payload | {"progress": 100 - payload["progress"]}}
