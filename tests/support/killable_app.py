"""An app that can be killed at any checkpoint and restarted at once, and the checks on what it holds afterwards."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psutil

from tests.support.app import READY, ROOT, RunningApp
from tests.support.eventually import holds_within
from tests.support.fault_server import WireServer

START_WITHIN_S = 60.0
END_WITHIN_S = 30.0

Row = dict[str, Any]


class ForkServer:
    """Runs `tests.support.fork_server`, which forks for each start."""

    def __init__(self) -> None:
        excluded = ("PYTEST_", "RUSHES_", "SUPERDUPERAI_")
        env = {name: value for name, value in os.environ.items() if not name.startswith(excluded)}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.fork_server"],
            cwd=ROOT,
            env=env | {"PYTHONUNBUFFERED": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._changed = threading.Condition()
        self._ready = False
        self._started: list[int] = []
        self.codes: dict[int, int] = {}
        """Exit codes by process id."""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.wait_until(lambda: self._ready, START_WITHIN_S)

    def start(self, env: dict[str, str], log: Path) -> ForkedProcess:
        assert self._process.stdin is not None
        with self._changed:
            before = len(self._started)
        self._process.stdin.write(json.dumps({"env": env, "log": str(log)}) + "\n")
        self._process.stdin.flush()
        self.wait_until(lambda: len(self._started) > before, START_WITHIN_S)
        return ForkedProcess(self, self._started[before])

    def wait_until(self, condition: Callable[[], object], within_s: float) -> None:
        """Raises subprocess.TimeoutExpired."""
        with self._changed:
            if not self._changed.wait_for(condition, within_s):
                raise subprocess.TimeoutExpired("killable", within_s)

    def close(self) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        for pid in self._started:
            if pid not in self.codes:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        self._process.stdin.close()
        self._process.wait(END_WITHIN_S)
        self._reader.join(END_WITHIN_S)
        self._process.stdout.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            message = json.loads(line)
            with self._changed:
                self._ready = self._ready or "ready" in message
                if "started" in message:
                    self._started.append(message["started"])
                elif "ended" in message:
                    self.codes[message["ended"]] = message["code"]
                self._changed.notify_all()


class ForkedProcess:
    """The part of Popen that RunningApp uses."""

    def __init__(self, fork_server: ForkServer, pid: int) -> None:
        self._fork_server = fork_server
        self.pid = pid

    @property
    def returncode(self) -> int | None:
        return self._fork_server.codes.get(self.pid)

    def poll(self) -> int | None:
        return self.returncode

    def wait(self, timeout: float) -> int:
        self._fork_server.wait_until(lambda: self.pid in self._fork_server.codes, timeout)
        return self._fork_server.codes[self.pid]

    def send_signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)


class KillableApp(RunningApp):
    """`arm(checkpoint)` kills it there, once; `start` restarts it on the same folder and port."""

    process: ForkedProcess  # type: ignore[assignment]

    def __init__(self, fork_server: ForkServer, data_dir: Path, *, name: str = "", **settings: str) -> None:
        """`name` tells apart those that share a folder."""
        self._fork_server = fork_server
        self._failpoint = data_dir.with_name(f"{data_dir.name}{name}.failpoint")
        self._log = data_dir.with_name(f"{data_dir.name}{name}.log")
        super().__init__(data_dir, **settings)

    def launch(self) -> None:
        """Starts it without waiting until it is ready."""
        env = {
            "RUSHES_DATA_DIR": str(self.data_dir),
            "RUSHES_PORT": str(self._port),
            "FAILPOINT_FILE": str(self._failpoint),
            **self._settings,
        }
        self._log_offset = len(self.log)
        self.process = self._fork_server.start(env, self._log)

    def start(self) -> None:
        self.launch()
        self.wait_until(self._is_ready, START_WITHIN_S)

    def _is_ready(self) -> bool:
        found = READY.search(self.log, self._log_offset)
        if found is None:
            assert self.process.poll() is None, f"It ended while it started:\n{self.log[-4000:]}"
            return False
        self.url = found[1]
        self._port = int(self.url.rsplit(":", 1)[1])
        return True

    @property
    def log(self) -> str:
        return self._log.read_text() if self._log.exists() else ""

    def arm(self, *checkpoints: str, act: str = "kill") -> None:
        """Performs the act once it has reached the checkpoints in this order; see tests.support.fork_server."""
        part = self._failpoint.with_suffix(".new")
        part.write_text(" ".join([*checkpoints, act]))
        part.replace(self._failpoint)

    def wait_until_hit(self, within_s: float = END_WITHIN_S) -> None:
        self.wait_until(lambda: not self._failpoint.exists(), within_s)

    def resume_after(self, pause_s: float) -> None:
        """Waits until it has stopped itself, then for the pause, and sends SIGCONT."""
        process = psutil.Process(self.process.pid)
        self.wait_until(lambda: process.status() == psutil.STATUS_STOPPED, END_WITHIN_S)
        time.sleep(pause_s)
        self.process.send_signal(signal.SIGCONT)

    def wait_until_killed(self, within_s: float = END_WITHIN_S) -> None:
        """Until it is dead and so is every process that it had started."""
        assert self.process.wait(within_s) == -signal.SIGKILL, self.log[-4000:]
        assert not self._failpoint.exists(), "It died before it reached the failpoint."
        self.wait_until(lambda: not self.orphans(), 10)

    def orphans(self) -> list[str]:
        return orphans(self.data_dir, self.process.pid)

    # -- what it holds -----------------------------------------------------------------------

    def rows(self) -> list[Row]:
        """Straight from the database, oldest first."""
        with closing(sqlite3.connect(self.data_dir / "rushes.db", timeout=10)) as database:
            database.row_factory = sqlite3.Row
            found = [dict(row) for row in database.execute("SELECT * FROM generations ORDER BY id")]
        for row in found:
            row["kept"] = json.loads(row["kept"]) if row["kept"] else None
        return found

    def rows_of(self, prompt: str) -> list[Row]:
        return [row for row in self.rows() if row["prompt"] == prompt]

    def row_of(self, prompt: str) -> Row:
        (row,) = self.rows_of(prompt)
        return row

    def row(self, file_id: str) -> Row:
        return next(row for row in self.rows() if row["id"] == file_id)

    def media_files(self) -> set[str]:
        """Every file in the media folder, unfinished ones included."""
        root = self.data_dir / "media"
        return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}

    def referenced_files(self) -> set[str]:
        """Every file that a row names."""
        kept = [row for row in self.rows() if row["kept"]]
        return {name for row in kept for name in (row["kept"]["name"], row["poster"], row["preview"]) if name}

    def mismatched_files(self, within_s: float) -> int:
        """Files without a row and rows without a file; waits for posters that are still being drawn."""
        if holds_within(lambda: self.media_files() == self.referenced_files(), within_s):
            return 0
        return len(self.media_files() ^ self.referenced_files())

    def has_content(self, row: Row, content: bytes) -> bool:
        """Whether the row's file and hash are those of `content`."""
        path = self.data_dir / "media" / row["kept"]["name"]
        sha256 = hashlib.sha256(content).hexdigest()
        return path.is_file() and path.read_bytes() == content and row["kept"]["sha256"] == sha256

    def assert_delivered(self, file_id: str, content: bytes) -> Row:
        """Completed with exactly these bytes, a poster and a preview, and no other files."""
        self.wait_for(file_id)
        self.wait_until(lambda: self.row(file_id)["poster"], 30)
        self.wait_until(lambda: self.media_files() == self.referenced_files(), 10)
        row = self.row(file_id)
        assert row["phase"] == "completed"
        assert row["preview"]
        assert row["kept"]["size_bytes"] == len(content)
        assert self.has_content(row, content)
        return row

    def animatic_jobs(self, prompt: str) -> list[str]:
        """The ids of the jobs that the embedded backend accepted for this prompt."""
        jobs = (json.loads(path.read_text()) for path in (self.data_dir / "animatic/jobs").glob("*.json"))
        return [job["id"] for job in jobs if (job.get("order") or {}).get("prompt") == prompt]

    def animatic_content(self, job_id: str) -> bytes:
        return (self.data_dir / "animatic/files" / f"{job_id}.mp4").read_bytes()


@contextmanager
def killable_app(fork_server: ForkServer, data_dir: Path, **settings: str) -> Iterator[KillableApp]:
    app = KillableApp(fork_server, data_dir, **settings)
    try:
        yield app
    finally:
        app.stop()


def orphans(data_dir: Path, pid: int) -> list[str]:
    """Command lines of the app's processes that are still alive, other than itself.

    They have the data folder in their environment, or the app's id as an argument.
    """
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            command = process.cmdline()
            is_worker = "services.media.worker_main" in command and command[-1] == str(pid)
            is_ours = is_worker or process.environ().get("RUSHES_DATA_DIR") == str(data_dir)
            if is_ours and process.pid != pid and process.status() != psutil.STATUS_ZOMBIE:
                found.append(" ".join(command))
    return found


def delivery_counts(
    prompt: str, wire: WireServer, *apps: KillableApp, phase: str = "completed"
) -> dict[str, int]:
    """What went wrong with the one generation of this prompt; the apps share its row."""
    rows = apps[0].rows_of(prompt)
    completions = sum(app.log.count(f"{row['id']} completed channel=") for app in apps for row in rows)
    wrong = [row for row in rows if row["kept"] and not apps[0].has_content(row, wire.content(row["job_id"]))]
    return {
        "lost": int([row["phase"] for row in rows] != [phase]),
        "twice": max(0, len(rows) - 1) + max(0, completions - 1),
        "paid_twice": max(0, len(wire.jobs_of(prompt)) - 1),
        "wrong_bytes": len(wrong),
    }


def wire_settings(wire: WireServer, **more: str) -> dict[str, str]:
    """Settings of an app whose only backend is the wire server, as the hosted service would be."""
    address = {"SUPERDUPERAI_URL": wire.url, "SUPERDUPERAI_TOKEN": wire.token}
    return address | {"RUSHES_ANIMATIC": "false"} | more


def padded(film: bytes, by_bytes: int) -> bytes:
    """The same film, followed by a `free` box of that size."""
    return film + by_bytes.to_bytes(4, "big") + b"free" + bytes(by_bytes - 8)
