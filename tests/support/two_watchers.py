"""Two watchers without a page on one database and one media folder, beneath the lock of the folder."""

from __future__ import annotations

import asyncio
import hashlib
import re
import signal
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil

from services.core.model import Generation
from services.core.settings import Settings
from services.store.store import Store
from tests.support.fault_server import WireServer
from tests.support.kill_app import KillableApp, Nursery, Row, cloud, eventually
from tests.support.rows import a_generation, a_request

LEASE_S = 1.2
WITHIN_S = 40.0


class TwoWatchers:
    """Rows are put into the database, and are whose is there first."""

    def __init__(self, nursery: Nursery, wire: WireServer, data_dir: Path) -> None:
        settings = cloud(wire, KILL_LEASE_S=str(LEASE_S), KILL_PAGELESS="1", RUSHES_POLL_EVERY_S="0.5")
        self.wire = wire
        self.data_dir = data_dir
        data_dir.mkdir(parents=True)
        self.one, self.other = (
            KillableApp(nursery, data_dir, name=name, **settings) for name in ("-one", "-other")
        )

    def close(self) -> None:
        for watcher in (self.one, self.other):
            watcher.process.send_signal(signal.SIGKILL)
            watcher.process.wait(10)

    # -- what happens ------------------------------------------------------------------------

    def put(self, *prompts: str) -> None:
        """Asked for, and nobody's."""
        self._in_the_store(lambda store: store.add([_intent(prompt) for prompt in prompts]))

    def halt(self, watcher: KillableApp) -> None:
        watcher.process.send_signal(signal.SIGSTOP)
        self.wait_until_it_stands(watcher)

    def halt_between_writes(self, watcher: KillableApp) -> None:
        """Not with the database's lock in its hand: others are to write meanwhile."""
        self.halt(watcher)
        while not self._may_be_written():
            self.go_on(watcher)
            time.sleep(0.01)
            self.halt(watcher)

    def wait_until_it_stands(self, watcher: KillableApp) -> None:
        process = psutil.Process(watcher.process.pid)
        eventually(lambda: process.status() == psutil.STATUS_STOPPED, WITHIN_S)

    def go_on(self, watcher: KillableApp) -> None:
        watcher.process.send_signal(signal.SIGCONT)

    def is_taken_from(self, watcher: KillableApp, prompt: str, within_s: float = 4 * LEASE_S) -> bool:
        """False when nobody can: it stands still with the database's lock in its hand."""
        deadline = time.monotonic() + within_s
        mine = str(watcher.process.pid)
        while time.monotonic() < deadline:
            if str(self.row(prompt)["lease_owner"]).partition("-")[0] != mine:
                return True
            time.sleep(0.05)
        return False

    def finish(self, prompt: str) -> None:
        for job in self.jobs(prompt):
            self.wire.finish(job)

    # -- how it stands -----------------------------------------------------------------------

    def rows(self, prompt: str) -> list[Row]:
        return [row for row in self.one.rows() if row["prompt"] == prompt]

    def row(self, prompt: str) -> Row:
        (row,) = self.rows(prompt)
        return row

    def jobs(self, prompt: str) -> list[str]:
        return [job.id for job in list(self.wire.jobs.values()) if job.config.get("prompt") == prompt]

    def told(self, prompt: str, what: str) -> int:
        """How often the two have said this of it."""
        return sum(
            len(re.findall(f"{row['id']} {what}", watcher.log))
            for row in self.rows(prompt)
            for watcher in (self.one, self.other)
        )

    def judged(self, prompt: str, phase: str = "completed") -> dict[str, int]:
        try:
            eventually(lambda: [row["phase"] for row in self.rows(prompt)] == [phase], WITHIN_S)
            lost = 0
        except AssertionError:
            lost = 1
        twice = len(self.rows(prompt)) - 1 + max(0, self.told(prompt, "completed channel=") - 1)
        wrong = sum(1 for row in self.rows(prompt) if row["kept"] and not self._right(row))
        return {
            "lost": lost,
            "twice": twice,
            "paid_twice": max(0, len(self.jobs(prompt)) - 1),
            "wrong_bytes": wrong,
        }

    def left_over(self) -> int:
        """Files that no row names, and names without a file; pictures that are being drawn may end."""
        try:
            eventually(lambda: self.one.media() == self.one.named(), 20)
        except AssertionError:
            return len(self.one.media() ^ self.one.named())
        return 0

    def _may_be_written(self) -> bool:
        with closing(sqlite3.connect(self.data_dir / "rushes.db", timeout=0.5)) as database:
            try:
                database.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return False
            return True

    def _right(self, row: Row) -> bool:
        path = self.data_dir / "media" / row["kept"]["name"]
        content = self.wire.content(row["job_id"])
        return (
            path.is_file()
            and path.read_bytes() == content
            and row["kept"]["sha256"] == hashlib.sha256(content).hexdigest()
        )

    def _in_the_store(self, act: Any) -> None:
        async def run() -> None:
            url = Settings(_env_file=None, data_dir=self.data_dir).resolved_database_url  # type: ignore[call-arg]
            store = Store(url, process="nobody", lease_s=0.0)
            await store.open()
            await act(store)
            await store.close()

        with ThreadPoolExecutor(1) as pool:  # a loop in this thread would be in the way of pytest-asyncio's
            pool.submit(asyncio.run, run()).result()


def _intent(prompt: str) -> Generation:
    return a_generation(request=a_request(prompt=prompt), late_after_s=1.0, watch_until=time.time() + 86_400)
