"""The real app in a process of its own."""

from __future__ import annotations

import os
import re
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.support.eventually import holds_within

ROOT = Path(__file__).resolve().parents[2]
READY_WITHIN_S = 60.0
READY = re.compile(r"Rushes is ready: (http://\S+)")
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For requests over loopback: loading the certificate store costs 40 ms per client."""


class RunningApp:
    """`python main.py` on a data folder; `url` is its address, `log` its output so far."""

    def __init__(
        self, data_dir: Path, *, port: int = 0, program: list[str] | None = None, **settings: str
    ) -> None:
        self.data_dir = data_dir
        self._port = port
        self._program = program or ["main.py"]
        self._settings = settings
        self._lines: list[str] = []
        self.url = ""
        self.start()

    def start(self) -> None:
        """Starts or restarts it on the same folder and port."""
        env = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "RUSHES_"))
        }
        env |= {"RUSHES_DATA_DIR": str(self.data_dir), "RUSHES_PORT": str(self._port), **self._settings}
        self.process = subprocess.Popen(
            [sys.executable, *self._program],
            cwd=ROOT,
            env=env | {"PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        ready = threading.Event()
        threading.Thread(target=self._read, args=(self.process, ready), daemon=True).start()
        if not ready.wait(READY_WITHIN_S):
            self.kill()
            raise RuntimeError(f"The app did not become ready:\n{self.log}")
        if self._port == 0:
            self._port = int(self.url.rsplit(":", 1)[1])

    @property
    def log(self) -> str:
        return "\n".join(self._lines)

    def kill(self) -> None:
        """SIGKILL, like a power cut."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def stop(self) -> float:
        """Sends SIGTERM; returns the seconds until it ended."""
        begun = time.monotonic()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.kill()
                raise
        return time.monotonic() - begun

    def wait_for_models(self, within_s: float = 30.0) -> None:
        self.wait_until(lambda: self.get("/health")["models_known"], within_s)

    def get(self, path: str) -> dict:  # type: ignore[type-arg]
        return httpx.get(self.url + path, timeout=10, trust_env=False, verify=NO_TLS).json()

    def post(self, path: str, body: dict | None = None, **headers: str) -> httpx.Response:  # type: ignore[type-arg]
        address = self.url + path
        return httpx.post(address, json=body, headers=headers, timeout=10, trust_env=False, verify=NO_TLS)

    def delete(self, path: str) -> httpx.Response:
        return httpx.delete(self.url + path, timeout=10, trust_env=False, verify=NO_TLS)

    def generate(self, prompt: str = "a kite over the sea", **more: object) -> str:
        answer = self.post("/api/generate/video", {"prompt": prompt, **more})
        assert answer.status_code == 202, answer.text
        return str(answer.json()["fileId"])

    def wait_for(self, file_id: str, *, status: str = "completed", within_s: float = 60.0) -> dict:  # type: ignore[type-arg]
        found: dict = {}  # type: ignore[type-arg]

        def has_status() -> bool:
            found.update(self.get(f"/api/file/{file_id}"))
            return status in (found["status"], found["phase"])

        self.wait_until(has_status, within_s)
        return found

    def clear(self) -> None:
        """Deletes every generation and empties the trash."""
        while items := self.get("/api/files")["items"]:
            for item in items:
                self.delete(f"/api/file/{item['id']}")
        self.wait_until(lambda: self.delete("/api/trash").json()["waiting"] == 0, 30)

    def wait_until(self, condition: Callable[[], object], within_s: float) -> None:
        assert holds_within(condition, within_s, every_s=0.05), (
            f"It did not come true within {within_s} s. The log:\n{self.log[-4000:]}"
        )

    def _read(self, process: subprocess.Popen[str], ready: threading.Event) -> None:
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                self._lines.append(line.rstrip("\n"))
                if found := READY.search(line):
                    self.url = found[1]
                    ready.set()


@contextmanager
def running_app(data_dir: Path, **settings: str) -> Iterator[RunningApp]:
    app = RunningApp(data_dir, **settings)
    try:
        yield app
    finally:
        app.stop()
