"""A small OpenAI-compatible server on a real port: says what it is told to say, well or badly."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One answer. `fault`: none, status (that number), silent (nothing after the head), hang (not even a
    head), cut (ends in the middle), garbage (no JSON), html, strange (JSON of another shape), endless.
    """

    say: str = ""
    calls: Sequence[tuple[str, Any]] = ()
    fault: str = ""
    status: int = 200
    piece_every_s: float = 0.0


class Talker:
    """`turns` are used up one by one; the last repeats. `asked` are the bodies that came."""

    def __init__(self) -> None:
        self.turns: list[Turn] = [Turn(say="Hello.")]
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.closing = threading.Event()
        talker = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                talker.keys.append(self.headers.get("authorization", ""))
                talker.asked.append(json.loads(body) | {"path": self.path})
                turn = talker.turns.pop(0) if len(talker.turns) > 1 else talker.turns[0]
                with suppress(OSError):
                    talker.answer(self, turn)
                self.close_connection = True

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def answer(self, handler: BaseHTTPRequestHandler, turn: Turn) -> None:
        if turn.fault == "hang":
            self.closing.wait(30)
            return
        if turn.status != 200:
            handler.send_response(turn.status)
            handler.send_header("content-type", "application/json")
            handler.send_header("connection", "close")
            handler.end_headers()
            handler.wfile.write(b'{"error": {"message": "no, and secret-key is not yours", "type": "x"}}')
            return
        handler.send_response(200)
        kind = "text/html" if turn.fault == "html" else "text/event-stream"
        handler.send_header("content-type", kind)
        handler.send_header("connection", "close")
        handler.end_headers()
        for line in self._lines(turn):
            handler.wfile.write(line.encode())
            handler.wfile.flush()
            time.sleep(turn.piece_every_s)
        if turn.fault == "silent":
            self.closing.wait(30)

    def _lines(self, turn: Turn) -> Iterator[str]:
        match turn.fault:
            case "silent":
                yield ": here\n\n"
                return
            case "html":
                yield "<html><body>Welcome to nginx!</body></html>"
                return
            case "garbage":
                yield "data: {this is not JSON\n\n"
                return
            case "strange":
                yield 'data: {"choices": [{"delta": [1, 2, 3]}]}\n\n'
                return
            case "endless":
                while not self.closing.is_set():
                    yield _chunk({"content": "word " * 200})
                return
        for word in _pieces(turn.say):
            yield _chunk({"content": word})
            if turn.fault == "cut":
                yield "data: {"
                return
        for index, (name, arguments) in enumerate(turn.calls):
            text = arguments if isinstance(arguments, str) else json.dumps(arguments)
            yield _chunk({"tool_calls": [{"index": index, "id": f"call_{index}", "type": "function", "function": {"name": name, "arguments": ""}}]})  # fmt: skip
            for piece in _pieces(text):
                yield _chunk({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
        yield _chunk({}, finish="tool_calls" if turn.calls else "stop")
        yield "data: [DONE]\n\n"

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()


def _pieces(text: str) -> list[str]:
    return [text[start : start + 5] for start in range(0, len(text), 5)]


def _chunk(delta: dict[str, Any], finish: str | None = None) -> str:
    chunk = {
        "id": "c", "object": "chat.completion.chunk", "created": 1, "model": "small",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }  # fmt: skip
    return f"data: {json.dumps(chunk)}\n\n"


@contextmanager
def talking() -> Iterator[Talker]:
    talker = Talker()
    talker.start()
    try:
        yield talker
    finally:
        talker.close()
