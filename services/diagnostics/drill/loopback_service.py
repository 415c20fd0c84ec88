"""An HTTP server on loopback with scripted faults: result files, and the hosted service's API."""

from __future__ import annotations

import io
import json
import secrets
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from PIL import Image

MODEL = "drill/hosted"
API = "/api/v1"
SUBMIT_ERRORS = {"refused": 400, "bad-gateway": 502}
BOTH_WITHIN_S = 2.0
MISSING_BYTES = 1000
ERROR_PAGE = b"<!doctype html><title>Sorry</title><p>Something went wrong.</p>"


class LoopbackService:
    """Serves the results `whole`, `short` (fewer bytes than announced), `page` (an HTML page), `gone` (403),
    and `both/1` with `both/2` (each sent once the other is requested too).

    The API knows the prompts `refused` (400), `bad-gateway` (502) and `broken-streams`: its polls answer
    500, and its event stream is closed at once, then silent, then brings the result. A prompt is also the
    job's id. Result links carry `link_secret`, as a provider's do; errors repeat `api_key`.
    """

    def __init__(self) -> None:
        self.link_secret = secrets.token_hex(16)
        self.api_key = secrets.token_hex(16)
        self.origin = ""
        self.whole = _picture()
        self.results = {"gone": b"", "short": _picture(), "page": ERROR_PAGE}
        self.submits: Counter[str] = Counter()
        """By prompt."""
        self.streams: Counter[str] = Counter()
        """By job."""
        self.both = threading.Barrier(2)
        self.closing = threading.Event()

    def link(self, name: str) -> str:
        return f"{self.origin}/{name}?key={self.link_secret}"

    @contextmanager
    def serving(self) -> Iterator[LoopbackService]:
        handler = type("Handler", (_Handler,), {"_service": self})
        with _Server(("127.0.0.1", 0), handler) as server:
            self.origin = f"http://127.0.0.1:{server.server_port}"
            threading.Thread(target=server.serve_forever, args=(0.05,), name="loopback service").start()
            try:
                yield self
            finally:
                self.closing.set()
                server.shutdown()


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """A client that closes its connection is no error."""


class _Handler(BaseHTTPRequestHandler):
    _service: LoopbackService

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        match path.removeprefix(API).strip("/").split("/"):
            case ["generation-config"]:
                self._send_json(200, [{"name": MODEL, "type": "text_to_image"}])
            case ["events", stream]:
                self._stream(stream.removeprefix("file."))
            case ["file", _]:
                self._send_json(500, {})
            case _:
                self._send_result(path.strip("/"))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        prompt = str(json.loads(body)["config"]["prompt"])
        self._service.submits[prompt] += 1
        if status := SUBMIT_ERRORS.get(prompt):
            self._send_json(status, {"detail": f"The key {self._service.api_key} may not do this."})
        else:
            self._send_json(200, [{"id": prompt, "type": "image"}])

    def _stream(self, job_id: str) -> None:
        self._service.streams[job_id] += 1
        number = self._service.streams[job_id]
        event = {"type": "file", "object": {"id": job_id, "url": self._service.link("whole")}}
        body = f"data: {json.dumps(event)}\n\n" if number > 2 else ""
        self._send(200, "text/event-stream", body.encode(), length=None)
        if number > 1:
            self._service.closing.wait()

    def _send_result(self, name: str) -> None:
        if name.startswith("both/"):
            with suppress(threading.BrokenBarrierError):
                self._service.both.wait(BOTH_WITHIN_S)
        body = self._service.results.get(name, self._service.whole)
        length = len(body) + (MISSING_BYTES if name == "short" else 0)
        self._send(403 if name == "gone" else 200, "image/png", body, length=length)

    def _send_json(self, status: int, content: object) -> None:
        body = json.dumps(content).encode()
        self._send(status, "application/json", body, length=len(body))

    def _send(self, status: int, media_type: str, body: bytes, *, length: int | None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing on stderr."""


def _picture() -> bytes:
    out = io.BytesIO()
    Image.effect_noise((64, 64), 60).save(out, "PNG")
    return out.getvalue()
