"""Where the matrix is played: a whole engine of ours, the real adapter, and a backend behind a line that breaks."""

from __future__ import annotations

import asyncio
import functools
import logging
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

from services.app import build
from services.app.lifespan import running
from services.backends.superduperai import adapter
from services.channels import backoff, polling, push, race
from services.core.events import GenerationEvent
from services.core.model import LOCAL_OWNER, Draft, Generation, Kind, TraceEntry
from services.core.settings import Settings
from services.generations import delivery, submission, supervisor
from services.http import client, event_stream
from services.media.download import Downloader, Limits
from tests.matrix.backend import Backdrop
from tests.matrix.plan import Combination
from tests.support.fault_proxy import Asked
from tests.support.local_faults import BadDatabase, BadDisk
from ui.session import notification_rules
from ui.state import TabState

SUBMIT_S = 5.0
LIMIT_BYTES = 1024 * 1024


def hasten(patch: pytest.MonkeyPatch) -> None:
    """The engine's own patience, several times shorter; what hangs, hangs for two seconds or three."""
    patch.setattr(adapter, "SUBMIT_TIMEOUT_S", SUBMIT_S)
    patch.setattr(adapter, "POLL_TIMEOUT_S", 2.5)
    patch.setattr(adapter, "open_stream", functools.partial(event_stream.open_stream, connect_s=2.0))
    patch.setattr(client, "CONNECT_TIMEOUT_S", 2.0)
    patch.setattr(backoff, "LONGEST_GAP_S", 1.0)
    patch.setattr(push, "LIFE_S", 4.0)
    for room in (backoff, polling):
        patch.setattr(room, "UNAUTHORIZED_GAP_S", 1.0)
    patch.setattr(race, "UNCONFIRMED_FAILURE_S", 3.0)
    patch.setattr(race, "KEEP_GAPS_S", (0.2, 0.4))
    patch.setattr(submission, "SEARCH_GAPS_S", (0.0, 0.3, 1.0))
    patch.setattr(supervisor, "RESTART_GAPS_S", (0.2, 0.5))
    patch.setattr(delivery, "ILLUSTRATE_AFTER_S", 0.2)
    limits = Limits(size_bytes=LIMIT_BYTES, connect_s=2.0, read_s=2.5, grace_s=20.0)
    patch.setattr(build, "Downloader", functools.partial(Downloader, limits=limits))


class Ground(Backdrop):
    def __init__(self, folder: Path, backend: str, patch: pytest.MonkeyPatch) -> None:
        super().__init__(backend)
        self.folder = folder
        self.told: dict[str, list[str]] = {}
        """What an open page said of each generation."""
        self.heard: dict[str, list[Generation]] = {}
        self.traces: list[TraceEntry] = []
        self.page = TabState()
        self.out_of_order: dict[str, str] = {}
        """R1: by prompt, what was sent or asked before its row said so."""
        self._opened_at = time.time()
        self._seen: set[tuple[str, str]] = set()
        self._both: dict[str, asyncio.Event] = {}
        self._database: sqlite3.Connection | None = None
        self._patch = patch

    # -- opening and closing -----------------------------------------------------------------

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Ground]:
        with ExitStack() as stack:
            stack.enter_context(self.wire)
            stack.enter_context(self.line())
            stack.callback(self.dead.close)
            self.wire.script(addresses=(self.chaos.url,), comment_every_s=0.4, length_s=1.0)
            settings = Settings(  # type: ignore[call-arg]
                _env_file=None,
                data_dir=self.folder,
                poll_every_s=0.4,
                poll_attempts=2000,
                stream_silence_s=2.5,
            )
            self.engine = build.build_engine(
                settings, replacements=[self.adapter(self.name)], origins=[self.chaos.url]
            )
            for dead in (self.dead.refuses, self.dead.deaf, self.dead.full):
                self.engine.downloader._guard.allow(dead)
            self.disk = BadDisk(self._patch)
            self.database = BadDatabase(self.engine.store._writes)
            self.engine.bus.subscribe(self._hear)
            self.engine.store.prepare()  # alembic knows one migration at a time, and there are three grounds
            async with running(self.engine):
                await self._models_are_known()
                self._overtake()
                yield self
            if self._database is not None:
                self._database.close()

    async def _models_are_known(self) -> None:
        async with asyncio.timeout(20):
            while not self.engine.catalogue.models(Kind.VIDEO):
                await asyncio.sleep(0.02)

    # -- one combination ---------------------------------------------------------------------

    async def start(self, one: Combination) -> Generation:
        prompt = str(one)
        self.set_up(one, prompt)
        kind = Kind.IMAGE if crc32(prompt.encode()) % 2 else Kind.VIDEO
        model = "wire/still" if kind is Kind.IMAGE else "wire/film"
        (generation,) = await self.engine.generations.start(
            Draft(kind=kind, prompt=prompt, model=model), owner=LOCAL_OWNER
        )
        # The watcher has not had its first turn yet.
        if one.plan.disk:
            self.disk.faults[generation.id] = (one.plan.disk, one.plan.times)
        if one.plan.database:
            self.database.faults[generation.id] = (one.plan.commits, one.plan.database, one.plan.times)
        return generation

    # -- what is at work, and what is asked --------------------------------------------------

    def works_on(self, generation_id: str, prompt: str) -> str:
        """Tasks, open lines and unfinished files of one generation."""
        tasks = [task.get_name() for task in asyncio.all_tasks() if generation_id in task.get_name()]
        tasks = [name for name in tasks if not name.startswith("illustrate")]
        parts = list((self.engine.settings.media_dir / ".parts").glob(f"{generation_id}.*"))
        lines = self.chaos.open[prompt]
        return " ".join([*tasks, *(part.name for part in parts), *([f"{lines} lines"] if lines else [])])

    def look(self, asked: Asked) -> None:
        """In the line's own thread, before anybody has read the request (R1)."""
        if asked.what not in ("submit", "poll", "stream") or (asked.prompt, asked.what) in self._seen:
            return
        self._seen.add((asked.prompt, asked.what))
        if self._database is None:
            path = self.folder / "rushes.db"
            self._database = sqlite3.connect(f"file:{path}?mode=ro", uri=True, check_same_thread=False)
        query = "SELECT phase, job_id FROM generations WHERE prompt = ?"
        phase, job_id = self._database.execute(query, (asked.prompt,)).fetchone() or ("no row", None)
        if asked.what == "submit" and phase != "submitting":
            self.out_of_order[asked.prompt] = f"sent while the row said {phase}"
        if asked.what != "submit" and job_id != asked.job_id:
            self.out_of_order[asked.prompt] = f"{asked.what} before the id was kept"

    # -- what a page hears -------------------------------------------------------------------

    def _hear(self, heard: GenerationEvent) -> None:
        if isinstance(heard, TraceEntry):
            self.traces.append(heard)
            return
        self.heard.setdefault(heard.id, []).append(heard)
        change = self.page.apply(heard)
        event = notification_rules.event_for(change, since=self._opened_at) if change is not None else None
        if change is not None and event is not None:
            self.told.setdefault(heard.id, []).append(str(event))

    # -- two who commit ----------------------------------------------------------------------

    def _overtake(self) -> None:
        """What only happens between two watchers: both commit at once, or one was taken over meanwhile."""
        store, watchers = self.engine.store, self.engine.supervisor
        complete = store.complete

        async def overtaken(generation_id: str, **named: Any) -> Generation | None:
            _, how, times = self.database.faults.get(generation_id, ("", "", 0))
            if how == "taken over" and self.database.broken[generation_id] < times:
                self.database.broken[generation_id] += 1
                (claimed,) = await store.claim(generation_id)
                done = await complete(generation_id, **named)
                asyncio.get_running_loop().call_later(
                    0.5, functools.partial(watchers.watch, claimed, resumed=True)
                )
                return done
            if how == "both at once":
                await self._wait_for_the_other(generation_id)
            return await complete(generation_id, **named)

        store.complete = overtaken  # type: ignore[method-assign]

    async def _wait_for_the_other(self, generation_id: str) -> None:
        there = self._both.setdefault(generation_id, asyncio.Event())
        self.database.broken[generation_id] += 1
        if self.database.broken[generation_id] >= 2:
            there.set()
        try:
            async with asyncio.timeout(3):
                await there.wait()
        except TimeoutError:
            logging.getLogger("matrix").warning("one channel alone came to the commit")
