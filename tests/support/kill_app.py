"""Apps that can be killed anywhere and started again at once, and what must be true of them afterwards."""

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
from tests.support.fault_server import WireServer

START_WITHIN_S = 60.0
END_WITHIN_S = 30.0

Row = dict[str, Any]


class Nursery:
    """Runs `tests.support.killable_app`, of which every start is a fork."""

    def __init__(self) -> None:
        strange = ("PYTEST_", "RUSHES_", "SUPERDUPERAI_")
        env = {name: value for name, value in os.environ.items() if not name.startswith(strange)}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.killable_app"],
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
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.wait_until(lambda: self._ready, START_WITHIN_S)

    def start(self, env: dict[str, str], log: Path) -> Forked:
        assert self._process.stdin is not None
        with self._changed:
            before = len(self._started)
        self._process.stdin.write(json.dumps({"env": env, "log": str(log)}) + "\n")
        self._process.stdin.flush()
        self.wait_until(lambda: len(self._started) > before, START_WITHIN_S)
        return Forked(self, self._started[before])

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
            said = json.loads(line)
            with self._changed:
                self._ready = self._ready or "ready" in said
                if "started" in said:
                    self._started.append(said["started"])
                elif "ended" in said:
                    self.codes[said["ended"]] = said["code"]
                self._changed.notify_all()


class Forked:
    """As much of a Popen as RunningApp asks for."""

    def __init__(self, nursery: Nursery, pid: int) -> None:
        self._nursery = nursery
        self.pid = pid

    @property
    def returncode(self) -> int | None:
        return self._nursery.codes.get(self.pid)

    def poll(self) -> int | None:
        return self.returncode

    def wait(self, timeout: float) -> int:
        self._nursery.wait_until(lambda: self.pid in self._nursery.codes, timeout)
        return self._nursery.codes[self.pid]

    def send_signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)


class KillableApp(RunningApp):
    """`order(checkpoint)` has it killed there, once; `start` brings it back on the same folder and port."""

    process: Forked  # type: ignore[assignment]

    def __init__(self, nursery: Nursery, data_dir: Path, *, name: str = "", **settings: str) -> None:
        """`name` tells apart those that share a folder."""
        self._nursery = nursery
        self._order = data_dir.with_name(f"{data_dir.name}{name}.order")
        self._log = data_dir.with_name(f"{data_dir.name}{name}.log")
        super().__init__(data_dir, **settings)

    def launch(self) -> None:
        """Start without waiting for it."""
        env = {
            "RUSHES_DATA_DIR": str(self.data_dir),
            "RUSHES_PORT": str(self._port),
            "KILL_ORDER": str(self._order),
            **self._settings,
        }
        self._said_before = len(self.log)
        self.process = self._nursery.start(env, self._log)

    def start(self) -> None:
        self.launch()
        self.wait_until(self._is_ready, START_WITHIN_S)

    def _is_ready(self) -> bool:
        found = READY.search(self.log, self._said_before)
        if found is None:
            assert self.process.poll() is None, f"It ended while it started:\n{self.log[-4000:]}"
            return False
        self.url = found[1]
        self._port = int(self.url.rsplit(":", 1)[1])
        return True

    @property
    def log(self) -> str:
        return self._log.read_text() if self._log.exists() else ""

    def order(self, *checkpoints: str, act: str = "kill") -> None:
        """When it has reached them in this order; see tests.support.killable_app."""
        part = self._order.with_suffix(".new")
        part.write_text(" ".join([*checkpoints, act]))
        part.replace(self._order)

    def wait_until_it_is_there(self, within_s: float = END_WITHIN_S) -> None:
        """Where it was ordered to act."""
        self.wait_until(lambda: not self._order.exists(), within_s)

    def sleep_on(self, for_s: float) -> None:
        """It has stopped itself: let it stand still for so long, then go on."""
        process = psutil.Process(self.process.pid)
        self.wait_until(lambda: process.status() == psutil.STATUS_STOPPED, END_WITHIN_S)
        time.sleep(for_s)
        self.process.send_signal(signal.SIGCONT)

    def wait_for_its_death(self, within_s: float = END_WITHIN_S) -> None:
        """Killed, and everything that it had started is gone too."""
        assert self.process.wait(within_s) == -signal.SIGKILL, self.log[-4000:]
        assert not self._order.exists(), "It died, but not as ordered."
        self.wait_until(lambda: not self.left_behind(), 10)

    def left_behind(self) -> list[str]:
        """The processes of ours that are alive although the app is not."""
        return left_behind(self.data_dir, self.process.pid)

    # -- what it holds -----------------------------------------------------------------------

    def rows(self) -> list[Row]:
        """Straight from the database, oldest first."""
        with closing(sqlite3.connect(self.data_dir / "rushes.db", timeout=10)) as database:
            database.row_factory = sqlite3.Row
            found = [dict(row) for row in database.execute("SELECT * FROM generations ORDER BY id")]
        for row in found:
            row["kept"] = json.loads(row["kept"]) if row["kept"] else None
        return found

    def row(self, file_id: str) -> Row:
        return next(row for row in self.rows() if row["id"] == file_id)

    def row_of(self, prompt: str) -> Row:
        """The one row with this prompt."""
        (row,) = (row for row in self.rows() if row["prompt"] == prompt)
        return row

    def media(self) -> set[str]:
        """All that lies in the media folder, unfinished files included."""
        root = self.data_dir / "media"
        return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}

    def named(self) -> set[str]:
        """All that the rows say should lie there."""
        names: set[str] = set()
        for row in self.rows():
            if row["kept"]:
                names |= {row["kept"]["name"], row["poster"], row["preview"]}
        return {name for name in names if name}

    def must_have_kept(self, file_id: str, content: bytes) -> Row:
        """These very bytes, in the row, on the disk and over HTTP; poster and preview; and nothing else."""
        self.wait_for(file_id)
        self.wait_until(lambda: self.row(file_id)["poster"], 30)
        self.wait_until(lambda: self.media() == self.named(), 10)
        row = self.row(file_id)
        assert row["phase"] == "completed"
        assert row["preview"]
        assert row["kept"]["sha256"] == hashlib.sha256(content).hexdigest()
        assert row["kept"]["size_bytes"] == len(content)
        assert (self.data_dir / "media" / row["kept"]["name"]).read_bytes() == content
        return row

    def animatic_jobs(self, prompt: str) -> list[str]:
        """The ids of the jobs that the embedded backend took for this prompt."""
        jobs = (json.loads(path.read_text()) for path in (self.data_dir / "animatic/jobs").glob("*.json"))
        return [job["id"] for job in jobs if (job.get("order") or {}).get("prompt") == prompt]

    def animatic_content(self, job_id: str) -> bytes:
        return (self.data_dir / "animatic/files" / f"{job_id}.mp4").read_bytes()


@contextmanager
def killable_app(nursery: Nursery, data_dir: Path, **settings: str) -> Iterator[KillableApp]:
    app = KillableApp(nursery, data_dir, **settings)
    try:
        yield app
    finally:
        app.stop()


def left_behind(data_dir: Path, pid: int) -> list[str]:
    """By what they were started with: the data folder in the environment, or the app's id as an argument."""
    mark, found = str(data_dir), []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            command = process.cmdline()
            is_worker = "services.media.worker_main" in command and command[-1] == str(pid)
            ours = is_worker or process.environ().get("RUSHES_DATA_DIR") == mark
            if ours and process.pid != pid and process.status() != psutil.STATUS_ZOMBIE:
                found.append(" ".join(command))
    return found


def cloud(wire: WireServer, **more: str) -> dict[str, str]:
    """Settings of an app whose only backend is the wire server, as the hosted service would be."""
    address = {"SUPERDUPERAI_URL": wire.url, "SUPERDUPERAI_TOKEN": wire.token}
    return address | {"RUSHES_ANIMATIC": "false"} | more


def grown(film: bytes, by_bytes: int) -> bytes:
    """The same film with a `free` box of that size behind it."""
    return film + by_bytes.to_bytes(4, "big") + b"free" + bytes(by_bytes - 8)


def eventually(condition: Callable[[], object], within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, f"It did not come true within {within_s} s."
        time.sleep(0.02)
