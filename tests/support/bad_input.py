"""Checks around one bad input: bounded memory, a clean log, and another generation that is delivered."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.support.app import NO_TLS, RunningApp
from tests.support.fault_server import WireServer
from tests.support.proof_counts import proven

MB = 1_000_000
MAX_GROWTH_BYTES = 48 * MB
"""Of the app's own process: 16 downloads and one stream buffer 1 MiB each."""


@contextmanager
def nothing_else_harmed(app: RunningApp, wire: WireServer, prompt: str) -> Iterator[None]:
    """Checks it around the body, and counts it for the promise table."""
    log_offset = len(app.log)
    memory = PeakMemory(app.process.pid)
    beside = f"beside {prompt}"
    wire.script(prompt=beside, length_s=1.0)
    file_id = app.generate(beside, model="wire/film")
    yield
    app.wait_for(file_id)
    assert kept(app, file_id) == hashlib.sha256(wire.content(job_of(wire, beside))).hexdigest()
    grown = memory.grown_bytes()
    assert grown < MAX_GROWTH_BYTES, f"{grown / MB:.0f} MB more"
    log = app.log[log_offset:]
    assert "Traceback" not in log, log
    assert " ERROR " not in log, log
    proven("bad input", cases=1, harmed=0, MB_more_at_most=round(grown / MB, 1))


class PeakMemory:
    """Of one process, from now on, as the kernel measures it."""

    def __init__(self, pid: int) -> None:
        self._folder = Path(f"/proc/{pid}")
        self._before = self._line("VmRSS")
        (self._folder / "clear_refs").write_text("5")  # resets VmHWM

    def grown_bytes(self) -> int:
        return max(0, self._line("VmHWM") - self._before)

    def _line(self, name: str) -> int:
        lines = (self._folder / "status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


def job_of(wire: WireServer, prompt: str) -> str:
    (job,) = wire.jobs_of(prompt)
    return job.id


def kept(app: RunningApp, file_id: str) -> str:
    """The hash of the served file."""
    answer = httpx.get(app.get(f"/api/file/{file_id}")["url"], trust_env=False, timeout=30, verify=NO_TLS)
    return hashlib.sha256(answer.content).hexdigest()


def trace(app: RunningApp, file_id: str) -> list[dict[str, object]]:
    """Of a completed generation; its last entries are written a moment later."""
    found: list[dict[str, object]] = []

    def is_complete() -> bool:
        found[:] = app.get(f"/api/file/{file_id}/trace")["items"]
        return any(line["event"] == "won" for line in found)

    app.wait_until(is_complete, 10)
    return found


def reasons(app: RunningApp, file_id: str) -> set[str]:
    """The reasons in its trace for a lost channel or a failed download."""
    return {str(line["data"].get("reason", "")) for line in trace(app, file_id)} - {""}  # type: ignore[attr-defined]
