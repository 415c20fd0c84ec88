"""A scripted OpenAI-compatible server on a real port, with faults."""

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
class Completion:
    """One answer. `fault`: "", silent (nothing after the head), hang (not even a head), cut (ends in the
    middle), garbage (no JSON), html, strange (JSON of another shape) or endless.
    """

    text: str = ""
    tool_calls: Sequence[tuple[str, Any]] = ()
    fault: str = ""
    status: int = 200
    piece_every_s: float = 0.0


class FakeLlm:
    """`completions` are served in order and the last one repeats; `requests` are the bodies received."""

    def __init__(self) -> None:
        self.completions: list[Completion] = [Completion(text="Hello.")]
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.closing = threading.Event()
        llm = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                llm.keys.append(self.headers.get("authorization", ""))
                llm.requests.append(json.loads(body) | {"path": self.path})
                completion = llm.completions.pop(0) if len(llm.completions) > 1 else llm.completions[0]
                with suppress(OSError):
                    llm.answer(self, completion)
                self.close_connection = True

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def answer(self, handler: BaseHTTPRequestHandler, completion: Completion) -> None:
        if completion.fault == "hang":
            self.closing.wait(30)
            return
        if completion.status != 200:
            handler.send_response(completion.status)
            handler.send_header("content-type", "application/json")
            handler.send_header("connection", "close")
            handler.end_headers()
            handler.wfile.write(b'{"error": {"message": "no, and secret-key is not yours", "type": "x"}}')
            return
        handler.send_response(200)
        kind = "text/html" if completion.fault == "html" else "text/event-stream"
        handler.send_header("content-type", kind)
        handler.send_header("connection", "close")
        handler.end_headers()
        for line in self._lines(completion):
            handler.wfile.write(line.encode())
            handler.wfile.flush()
            time.sleep(completion.piece_every_s)
        if completion.fault == "silent":
            self.closing.wait(30)

    def _lines(self, completion: Completion) -> Iterator[str]:
        match completion.fault:
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
        for word in _pieces(completion.text):
            yield _chunk({"content": word})
            if completion.fault == "cut":
                yield "data: {"
                return
        for index, (name, arguments) in enumerate(completion.tool_calls):
            text = arguments if isinstance(arguments, str) else json.dumps(arguments)
            yield _chunk({"tool_calls": [{"index": index, "id": f"call_{index}", "type": "function", "function": {"name": name, "arguments": ""}}]})  # fmt: skip
            for piece in _pieces(text):
                yield _chunk({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
        yield _chunk({}, finish="tool_calls" if completion.tool_calls else "stop")
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
def fake_llm() -> Iterator[FakeLlm]:
    llm = FakeLlm()
    llm.start()
    try:
        yield llm
    finally:
        llm.close()
