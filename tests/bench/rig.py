"""Shared by the benches: the fake backend and the app as separate processes, and their meters."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import psutil

from tests.support.app import ROOT, RunningApp
from tests.support.eventually import holds_within

MODEL = "wire/film"
POLLER_EVERY_S = 10.0
SUBMITS_AT_ONCE = 16
WON = re.compile(r"^(\S+ \S+) INFO 🎬 ✅ .*(?:via SSE:|via polling!) (\S+)$")

Json = dict[str, Any]


class Wire:
    """The fake backend, tests/support/fault_server.py, as a process."""

    def __init__(self, **script: object) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.fault_server", "--script", json.dumps(script)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        address = json.loads(self._process.stdout.readline())
        self.url: str = address["url"]
        self.headers = {"Authorization": f"Bearer {address['token']}"}
        self.settings = {"SUPERDUPERAI_URL": self.url, "SUPERDUPERAI_TOKEN": address["token"]}
        self._http = httpx.Client(base_url=self.url, trust_env=False, timeout=30)

    def script(self, prompt: str, **changes: object) -> None:
        self._http.post("/_control", json={"prompt": prompt, "script": changes}).raise_for_status()

    def finish(self, job_id: str) -> None:
        """Ends it now, whatever its length."""
        self._http.post("/_control", json={"job": job_id, "act": "finish"}).raise_for_status()

    def jobs(self) -> dict[str, Json]:
        """By prompt, which the benches make unique; each with its `id`."""
        jobs = self.stats()["jobs"]
        return {job["prompt"]: job | {"id": job_id} for job_id, job in jobs.items()}

    def stats(self) -> Json:
        found: Json = self._http.get("/_stats").json()
        return found

    def close(self) -> None:
        self._http.close()
        self._process.terminate()
        self._process.wait(10)


@contextmanager
def wire(**script: object) -> Iterator[Wire]:
    served = Wire(**script)
    try:
        yield served
    finally:
        served.close()


@contextmanager
def studio(
    backend: Wire | None, *, program: list[str] | None = None, **settings: str
) -> Iterator[RunningApp]:
    """The app with default settings on a new data folder; with a backend the animatic is off."""
    if backend is not None:
        settings = {"RUSHES_ANIMATIC": "false"} | backend.settings | settings
    with tempfile.TemporaryDirectory(prefix="rushes-bench-") as folder:
        app = RunningApp(Path(folder), program=program, **settings)
        try:
            app.wait_for_models()
            yield app
        finally:
            app.stop()


# -- generations ----------------------------------------------------------------------------------


def submit(
    app: RunningApp, prompts: Sequence[str], *, each: Callable[[str], None] = lambda _: None
) -> list[str]:
    """Start one video per prompt, `SUBMITS_AT_ONCE` at a time; their ids in the same order."""
    return asyncio.run(submitted(app, prompts, each=each))


async def submitted(
    app: RunningApp, prompts: Sequence[str], *, each: Callable[[str], None] = lambda _: None
) -> list[str]:
    turn = asyncio.Semaphore(SUBMITS_AT_ONCE)
    async with httpx.AsyncClient(base_url=app.url, trust_env=False, timeout=30) as http:

        async def post(prompt: str) -> str:
            async with turn:
                answer = await http.post("/api/generate/video", json={"prompt": prompt, "model": MODEL})
            answer.raise_for_status()
            each(prompt)
            return str(answer.json()["fileId"])

        return await asyncio.gather(*(post(prompt) for prompt in prompts))


def kept_at(app: RunningApp) -> dict[str, float]:
    """When the log reported each generation as completed, after its commit. Unix seconds, to 1 ms."""
    found = (WON.match(line) for line in app.log.splitlines())
    return {line[2]: _unix(line[1]) for line in found if line}


def wait_until_kept(app: RunningApp, count: int, within_s: float) -> dict[str, float]:
    until(lambda: len(kept_at(app)) >= count, within_s, every_s=0.2)
    return kept_at(app)


def until(condition: Callable[[], bool], within_s: float, *, every_s: float = 0.05) -> None:
    """Raises TimeoutError."""
    if not holds_within(condition, within_s, every_s=every_s):
        raise TimeoutError(f"not within {within_s} s")


def _unix(stamp: str) -> float:
    return datetime.strptime(stamp, "%Y-%m-%d %H:%M:%S,%f").timestamp()


# -- the poller to compare with -------------------------------------------------------------------


async def plain_poller(
    backend: Wire, job_id: str, *, first_in_s: float = POLLER_EVERY_S
) -> tuple[float, int]:
    """Polls every 10 s, then downloads, like a client without a stream. When it had the bytes, and its polls."""
    polls = 0
    await asyncio.sleep(first_in_s)
    async with httpx.AsyncClient(headers=backend.headers, trust_env=False, timeout=30) as http:
        while True:
            polls += 1
            file = (await http.get(f"{backend.url}/api/v1/file/{job_id}")).json()
            if file["url"]:
                (await http.get(file["url"])).raise_for_status()
                return time.time(), polls
            await asyncio.sleep(POLLER_EVERY_S)


# -- meters ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Cpu:
    """CPU seconds so far: of the app's own process, and of its workers."""

    app_s: float
    verifying_s: float
    later_s: float
    at_s: float

    def since(self, before: Cpu) -> Cpu:
        return Cpu(
            app_s=self.app_s - before.app_s,
            verifying_s=self.verifying_s - before.verifying_s,
            later_s=self.later_s - before.later_s,
            at_s=self.at_s - before.at_s,
        )

    @property
    def share(self) -> float:
        """Percent of one core, the app's own process."""
        return 100 * self.app_s / self.at_s


def cpu(app: RunningApp) -> Cpu:
    process = psutil.Process(app.process.pid)
    now, later = 0.0, 0.0
    for child in process.children(recursive=True):
        spent_s = _spent_s(child)
        if child.nice() > 0:
            later += spent_s
        else:
            now += spent_s
    return Cpu(app_s=_spent_s(process), verifying_s=now, later_s=later, at_s=time.monotonic())


def memory_bytes(app: RunningApp) -> int:
    """Resident, of the app's own process."""
    return int(psutil.Process(app.process.pid).memory_info().rss)


def children_bytes(app: RunningApp) -> dict[str, int]:
    """Resident, by the children's module."""
    found: dict[str, int] = {}
    for child in psutil.Process(app.process.pid).children(recursive=True):
        words = child.cmdline()
        name = next((word for word in words if word.startswith("services.")), words[0])
        found[name] = found.get(name, 0) + child.memory_info().rss
    return found


def _spent_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
