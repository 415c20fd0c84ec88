"""A real animatic server in a process of its own, spoken to over loopback."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.app import NO_TLS

ROOT = Path(__file__).resolve().parents[3]
TOKEN = "a-token-for-tests"
SMALL = {
    "generation_config_name": "animatic/film",
    "prompt": "a quiet sea",
    "seed": 5,
    "duration": 1,
    "width": 160,
    "height": 96,
    "frame_rate": 12,
}


class Server:
    def __init__(self, data_dir: Path) -> None:
        environment = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "services.animatic", "--data-dir", str(data_dir)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env=environment,
        )
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(f"{TOKEN}\n".encode())
        self.process.stdin.flush()
        self.url: str = json.loads(self.process.stdout.readline())["url"]
        self.client = httpx.Client(
            base_url=self.url,
            headers={"Authorization": f"Bearer {TOKEN}"},
            timeout=20,
            trust_env=False,
            verify=NO_TLS,
        )

    def film(self, *, key: str = "", **config: Any) -> dict[str, Any]:
        body = {"config": SMALL | config}
        answer = self.client.post(
            "/api/v1/file/generate-video", json=body, headers={"Idempotency-Key": key} if key else {}
        )
        assert answer.status_code == 200, answer.text
        shape: dict[str, Any] = answer.json()
        return shape

    def until(self, file_id: str, wanted: Callable[[dict[str, Any]], bool]) -> bool:
        """Whether the stream says something that is wanted before it ends."""
        with self.client.stream("GET", f"/api/v1/events/file.{file_id}") as stream:
            told = (json.loads(line[6:]) for line in stream.iter_lines() if line.startswith("data: "))
            return any(wanted(event) for event in told)

    def events(self, file_id: str) -> list[dict[str, Any]]:
        """All that the stream says until the file or an error comes."""
        heard: list[dict[str, Any]] = []
        with self.client.stream("GET", f"/api/v1/events/file.{file_id}") as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            for line in stream.iter_lines():
                if line.startswith("data: "):
                    heard.append(json.loads(line[6:]))
                    if heard[-1]["type"] in ("file", "error"):
                        return heard
        raise AssertionError(f"the stream ended after {heard}")

    def finished(self, file_id: str) -> dict[str, Any]:
        last = self.events(file_id)[-1]
        assert last["type"] == "file", last
        shape: dict[str, Any] = last["object"]
        return shape

    def children(self) -> list[int]:
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in listed.split()]

    def kill(self) -> None:
        self.process.kill()
        self.close()

    def close(self) -> None:
        self.client.close()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()
        self.process.wait(5)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[], Server]]:
    """Starts a server on the test's own data folder; again after the earlier one ended."""
    servers: list[Server] = []

    def begin() -> Server:
        servers.append(Server(tmp_path / "animatic"))
        return servers[-1]

    yield begin
    for server in servers:
        server.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all the tests of a file that leave it running."""
    shared = Server(tmp_path_factory.mktemp("shared"))
    yield shared
    shared.close()
