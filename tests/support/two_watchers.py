"""Two watchers without pages on one database and one media folder, bypassing the folder's lock."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import psutil

from services.core.model import Generation
from services.core.settings import Settings
from services.store.store import Store
from tests.support.eventually import holds_within, wait_until
from tests.support.fault_server import WireServer
from tests.support.killable_app import ForkServer, KillableApp, Row, delivery_counts, wire_settings
from tests.support.rows import a_generation, a_request

LEASE_S = 1.2
WITHIN_S = 40.0


class TwoWatchers:
    """Rows are added to the database unowned; either watcher may claim them."""

    def __init__(self, fork_server: ForkServer, wire: WireServer, data_dir: Path) -> None:
        options = {"FAILPOINT_LEASE_S": str(LEASE_S), "FAILPOINT_WATCHER_ONLY": "1"}
        settings = wire_settings(wire, RUSHES_POLL_EVERY_S="0.5", **options)
        self.wire = wire
        self.data_dir = data_dir
        data_dir.mkdir(parents=True)
        self.first, self.second = (
            KillableApp(fork_server, data_dir, name=name, **settings) for name in ("-first", "-second")
        )

    def close(self) -> None:
        for watcher in (self.first, self.second):
            watcher.process.send_signal(signal.SIGKILL)
            watcher.process.wait(10)

    # -- actions -----------------------------------------------------------------------------

    def add(self, *prompts: str) -> None:
        """Adds requested generations that no process owns."""

        async def add() -> None:
            url = Settings(_env_file=None, data_dir=self.data_dir).resolved_database_url  # type: ignore[call-arg]
            store = Store(url, process="nobody", lease_s=0.0)
            await store.open()
            await store.add([_intent(prompt) for prompt in prompts])
            await store.close()

        with ThreadPoolExecutor(1) as pool:  # pytest-asyncio owns this thread's loop
            pool.submit(asyncio.run, add()).result()

    def pause(self, watcher: KillableApp) -> None:
        watcher.process.send_signal(signal.SIGSTOP)
        self.wait_until_paused(watcher)

    def pause_between_writes(self, watcher: KillableApp) -> None:
        """Without the database's write lock, so that others can write meanwhile."""
        self.pause(watcher)
        while not self._is_writable():
            self.resume(watcher)
            time.sleep(0.01)
            self.pause(watcher)

    def wait_until_paused(self, watcher: KillableApp) -> None:
        process = psutil.Process(watcher.process.pid)
        wait_until(lambda: process.status() == psutil.STATUS_STOPPED, WITHIN_S)

    def resume(self, watcher: KillableApp) -> None:
        watcher.process.send_signal(signal.SIGCONT)

    def is_taken_over(self, watcher: KillableApp, prompt: str) -> bool:
        """False when nobody can claim it, as the paused watcher holds the database's write lock."""
        pid = str(watcher.process.pid)
        return holds_within(
            lambda: str(self.row(prompt)["lease_owner"]).partition("-")[0] != pid, 4 * LEASE_S, every_s=0.05
        )

    def finish(self, prompt: str) -> None:
        for job in self.wire.jobs_of(prompt):
            self.wire.finish(job.id)

    # -- state -------------------------------------------------------------------------------

    def row(self, prompt: str) -> Row:
        return self.first.row_of(prompt)

    def failures_logged(self, prompt: str) -> int:
        line = f"{self.row(prompt)['id']} error"
        return sum(watcher.log.count(line) for watcher in (self.first, self.second))

    def counts(self, prompt: str, phase: str = "completed") -> dict[str, int]:
        holds_within(lambda: [row["phase"] for row in self.first.rows_of(prompt)] == [phase], WITHIN_S)
        return delivery_counts(prompt, self.wire, self.first, self.second, phase=phase)

    def left_over(self) -> int:
        return self.first.mismatched_files(20)

    def _is_writable(self) -> bool:
        with closing(sqlite3.connect(self.data_dir / "rushes.db", timeout=0.5)) as database:
            try:
                database.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return False
            return True


def _intent(prompt: str) -> Generation:
    return a_generation(request=a_request(prompt=prompt), late_after_s=1.0, watch_until=time.time() + 86_400)
