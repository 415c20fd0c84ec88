"""A complete engine with the real adapter, in front of the faulty backend, disk and database."""

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
from services.media.download import Limits
from tests.matrix.backend import FaultyBackend
from tests.matrix.plan import Combination
from tests.support.fault_proxy import ProxiedRequest
from tests.support.local_faults import FaultyDatabase, FaultyDisk
from ui.session import notification_rules
from ui.state import TabState

SUBMIT_S = 5.0
LIMIT_BYTES = 1024 * 1024


def shorten_timeouts(patch: pytest.MonkeyPatch) -> None:
    """Divides the engine's timeouts and pauses; whatever hangs does so for two or three seconds."""
    patch.setattr(adapter, "SUBMIT_TIMEOUT_S", SUBMIT_S)
    patch.setattr(adapter, "POLL_TIMEOUT_S", 2.5)
    patch.setattr(adapter, "open_stream", functools.partial(event_stream.open_stream, connect_s=2.0))
    patch.setattr(client, "CONNECT_TIMEOUT_S", 2.0)
    patch.setattr(backoff, "MAX_GAP_S", 1.0)
    patch.setattr(push, "LIFE_S", 4.0)
    for module in (backoff, polling):
        patch.setattr(module, "UNAUTHORIZED_GAP_S", 1.0)
    patch.setattr(race, "UNCONFIRMED_FAILURE_S", 3.0)
    patch.setattr(race, "DELIVERY_GAPS_S", (0.2, 0.4))
    patch.setattr(submission, "SEARCH_GAPS_S", (0.0, 0.3, 1.0))
    patch.setattr(supervisor, "RESTART_GAPS_S", (0.2, 0.5))
    patch.setattr(delivery, "ILLUSTRATE_AFTER_S", 0.2)
    patch.setattr(build, "Limits", functools.partial(Limits, connect_s=2.0, read_s=2.5, grace_s=20.0))
    patch.setattr(race, "SETTLE_S", 3.0)
    patch.setattr(race, "TOO_LARGE_GAP_S", 0.4)


class Environment(FaultyBackend):
    def __init__(self, folder: Path, backend: str, patch: pytest.MonkeyPatch) -> None:
        super().__init__(backend)
        self.folder = folder
        self.notifications: dict[str, list[str]] = {}
        """What an open page showed, by generation."""
        self.snapshots: dict[str, list[Generation]] = {}
        self.traces: list[TraceEntry] = []
        self.page = TabState()
        self.out_of_order: dict[str, str] = {}
        """R1: requests that preceded their commit, by prompt."""
        self._opened_at = time.time()
        self._seen: set[tuple[str, str]] = set()
        self._both: dict[str, asyncio.Event] = {}
        self._database: sqlite3.Connection | None = None
        self._patch = patch

    # -- opening and closing -----------------------------------------------------------------

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Environment]:
        with ExitStack() as stack:
            stack.enter_context(self.wire)
            stack.enter_context(self.start_proxy())
            stack.callback(self.dead.close)
            self.wire.script(addresses=(self.proxy.url,), comment_every_s=0.4, length_s=1.0)
            settings = Settings(  # type: ignore[call-arg]
                _env_file=None,
                data_dir=self.folder,
                poll_every_s=0.4,
                poll_attempts=2000,
                stream_silence_s=2.5,
                result_limit_mb=LIMIT_BYTES / 1e6,
            )
            self.engine = build.build_engine(
                settings, replacements=[self.adapter(self.name)], origins=[self.proxy.url]
            )
            for dead in (self.dead.refuses, self.dead.unread, self.dead.stuck):
                self.engine.downloader._guard.allow(dead)
            self.disk = FaultyDisk(self._patch)
            self.database = FaultyDatabase(self.engine.store._writes)
            self.engine.bus.subscribe(self._on_event)
            self.engine.store.prepare()  # alembic runs one migration at a time per process, and there are three environments
            async with running(self.engine):
                await self._wait_for_models()
                self._patch_complete()
                yield self
            if self._database is not None:
                self._database.close()

    async def _wait_for_models(self) -> None:
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
        # The watcher has not run yet.
        if one.plan.disk:
            self.disk.faults[generation.id] = (one.plan.disk, one.plan.times)
        if one.plan.database:
            self.database.faults[generation.id] = (one.plan.commits, one.plan.database, one.plan.times)
        return generation

    # -- observations ------------------------------------------------------------------------

    def activity_of(self, generation_id: str, prompt: str) -> str:
        """Tasks, open connections and unfinished files of one generation."""
        tasks = [task.get_name() for task in asyncio.all_tasks() if generation_id in task.get_name()]
        tasks = [name for name in tasks if not name.startswith("illustrate")]
        parts = list((self.engine.settings.media_dir / ".parts").glob(f"{generation_id}.*"))
        open_requests = self.proxy.open[prompt]
        return " ".join(
            [
                *tasks,
                *(part.name for part in parts),
                *([f"{open_requests} requests"] if open_requests else []),
            ]
        )

    def on_request(self, request: ProxiedRequest) -> None:
        """In the proxy's thread, before the request is forwarded (R1)."""
        if request.kind not in ("submit", "poll", "stream") or (request.prompt, request.kind) in self._seen:
            return
        self._seen.add((request.prompt, request.kind))
        if self._database is None:
            path = self.folder / "rushes.db"
            self._database = sqlite3.connect(f"file:{path}?mode=ro", uri=True, check_same_thread=False)
        query = "SELECT phase, job_id FROM generations WHERE prompt = ?"
        phase, job_id = self._database.execute(query, (request.prompt,)).fetchone() or ("no row", None)
        if request.kind == "submit" and phase != "submitting":
            self.out_of_order[request.prompt] = f"sent while the row said {phase}"
        if request.kind != "submit" and job_id != request.job_id:
            self.out_of_order[request.prompt] = f"{request.kind} before the id was committed"

    def _on_event(self, event: GenerationEvent) -> None:
        if isinstance(event, TraceEntry):
            self.traces.append(event)
            return
        self.snapshots.setdefault(event.id, []).append(event)
        change = self.page.apply(event)
        notification = notification_rules.event_for(change, since=self._opened_at) if change else None
        if notification is not None:
            self.notifications.setdefault(event.id, []).append(str(notification))

    # -- concurrent commits ------------------------------------------------------------------

    def _patch_complete(self) -> None:
        """For the faults between two watchers: both commit at once, or one has been taken over."""
        store, supervisor = self.engine.store, self.engine.supervisor
        complete = store.complete

        async def faulty_complete(generation_id: str, **named: Any) -> Generation | None:
            _, how, times = self.database.faults.get(generation_id, ("", "", 0))
            if how == "taken over" and self.database.strikes[generation_id] < times:
                self.database.strikes[generation_id] += 1
                (claimed,) = await store.claim(generation_id)
                done = await complete(generation_id, **named)
                asyncio.get_running_loop().call_later(
                    0.5, functools.partial(supervisor.watch, claimed, resumed=True)
                )
                return done
            if how == "both at once":
                await self._wait_for_the_other(generation_id)
            return await complete(generation_id, **named)

        store.complete = faulty_complete  # type: ignore[method-assign]

    async def _wait_for_the_other(self, generation_id: str) -> None:
        both = self._both.setdefault(generation_id, asyncio.Event())
        self.database.strikes[generation_id] += 1
        if self.database.strikes[generation_id] >= 2:
            both.set()
        try:
            async with asyncio.timeout(3):
                await both.wait()
        except TimeoutError:
            logging.getLogger("matrix").warning("only one channel reached the commit")
