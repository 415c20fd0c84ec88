"""A library with real rows and files, without watchers or backends."""

from __future__ import annotations

import hashlib
import io
import secrets
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest_asyncio
from PIL import Image

from services.app.generations import build_generations
from services.catalogue import Catalogue
from services.chat import Chats
from services.core.events import Bus, GenerationEvent
from services.core.model import (
    LOCAL_OWNER,
    Channel,
    Generation,
    GenerationQuery,
    Kept,
    Kind,
    Phase,
    Receipt,
)
from services.core.runtime import Runtime
from services.core.settings import Settings
from services.generations.delivery import Delivery, MediaIngest
from services.generations.transitions import Transitions
from services.library import Library
from services.library.scrub import Scrub
from services.library.storage import Storage
from services.media.storage.folder import MediaFolder
from services.statistics import Statistics
from services.statistics.bug_report import Installation
from services.store.chats import ChatRows
from services.store.library import LibraryRows
from services.store.statistics import StatisticsRows
from services.store.store import Store
from tests.support.rows import a_generation, a_request

RECEIPT = Receipt(won_by=Channel.PUSH, backend_said_at=10.0, backend_finished_at=9.0, kept_at=11.0)


@pytest_asyncio.fixture
async def library_harness(tmp_path: Path) -> AsyncIterator[LibraryHarness]:
    """With an open database. Each conftest that needs the fixture imports it."""
    harness = LibraryHarness(tmp_path)
    await harness.store.open()
    yield harness
    await harness.store.close()


class LibraryHarness:
    def __init__(self, folder: Path) -> None:
        self.store = Store(f"sqlite:///{folder / 'rushes.db'}", process="this")
        self.bus = Bus()
        self.events: list[GenerationEvent] = []
        self.bus.subscribe(self.events.append)
        self.folder = MediaFolder(folder / "media")
        self.library_rows = LibraryRows(self.store)
        self.lost: list[str] = []
        self.damaged: list[str] = []
        self.scrub = Scrub(
            self.library_rows,
            self.folder,
            on_lost=self.lost.append,
            on_damaged=self.damaged.append,
            pause_factor=0.0,
        )
        runtime = Runtime()
        self.settings = Settings(_env_file=None, data_dir=folder)  # type: ignore[call-arg]
        parts = build_generations(
            self.settings, self.store, self.bus, cast(Any, None), cast(Any, self.folder), cast(Any, None),
            Catalogue([], self.settings), {}, runtime,
        )  # fmt: skip
        self.event_log, self.supervisor, self.generations = (
            parts.event_log,
            parts.supervisor,
            parts.generations,
        )
        storage = Storage(self.store, self.folder, on_lost=self.lost.append)
        self.library = Library(
            library_rows=self.library_rows,
            generations=self.generations,
            bus=self.bus,
            supervisor=self.supervisor,
            folder=self.folder,
            storage=storage,
            scrub=self.scrub,
            runtime=runtime,
        )
        self.secrets: list[str] = []
        self.installation = Installation(
            version="1.2.3",
            settings=self.settings,
            backends=("animatic",),
            secrets=lambda: self.secrets,
        )
        self.statistics = Statistics(
            rows=StatisticsRows(self.store),
            generations=self.generations,
            event_log=self.event_log,
            storage=storage,
            scrub=self.scrub,
            installation=self.installation,
        )
        self.chats = Chats(self.generations, ChatRows(self.store))

    def delivery(self, ingest: MediaIngest) -> Delivery:
        """With another ingest than the harness's own."""
        runtime = Runtime()
        transitions = Transitions(self.store, self.event_log, self.bus, runtime)
        return Delivery(self.store, ingest, self.bus, self.event_log, transitions, runtime)

    async def put(
        self, prompt: str = "a kite", *, content: bytes | None = None, **changes: Any
    ) -> Generation:
        """Adds a row: by default a completed picture with its file."""
        image = {
            "kind": Kind.IMAGE, "backend": "animatic", "model": "animatic/still", "resolution": "720p",
            "duration_s": None, "fps": None,
        }  # fmt: skip
        named = {name: changes.pop(name) for name in ("kind", "model", "source") if name in changes}
        request = a_request(prompt=prompt, **image | named)
        row = a_generation(request=request, phase=Phase.COMPLETED, at=1_790_000_000.0)
        if "kept" not in changes and changes.get("phase", Phase.COMPLETED) is Phase.COMPLETED:
            changes |= {"kept": self.file(content or a_picture()), "receipt": RECEIPT}
        row = replace(row, **changes)
        await self.store.add([row])
        return row

    def file(self, content: bytes) -> Kept:
        token = secrets.token_hex(16)
        name = f"{token[:2]}/{token[2:]}.png"
        path = self.folder.path(name)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        return Kept(
            name=name, size_bytes=len(content), sha256=hashlib.sha256(content).hexdigest(), content_type="image/png",
            width=4, height=4, duration_s=None, fps=None,
        )  # fmt: skip


def a_picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (4, 4), (200, 80, 20)).save(out, "PNG")
    return out.getvalue()


async def ids(harness: LibraryHarness, **wanted: object) -> list[str]:
    return [
        row.id
        for row in (await harness.generations.listed(GenerationQuery(**wanted), owner=LOCAL_OWNER)).items
    ]
