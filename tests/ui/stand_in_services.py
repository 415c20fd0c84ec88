"""Stand-ins for the services that pages use: rows in a dict, updates on a real bus."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from services.chat import Chats
from services.core.conversation import Conversation, Message
from services.core.errors import InvalidRequest, NotFound
from services.core.events import Broadcaster, Bus
from services.core.model import (
    LOCAL_OWNER,
    Channel,
    Draft,
    Generation,
    GenerationQuery,
    Kept,
    Kind,
    Model,
    Phase,
    Receipt,
    Request,
    TraceEntry,
)
from services.core.settings import Settings
from services.diagnostics.service import Diagnostics
from services.generations.service import Generations, Page, TypicalDuration
from services.library import Library
from services.library.retention import Rule
from services.statistics import Statistics
from services.statistics.channel_status import ChannelStatus
from services.statistics.figures import Figures, count
from services.statistics.service import Estimate, FileIntegrity
from services.store.library import StorageTotal
from services.store.statistics import DeliveryHistory
from tests.support.fake_drill import diagnostics
from tests.support.rows import nested

FILM = Model(
    backend="animatic",
    name="animatic/film",
    label="Animatic film",
    kind=Kind.VIDEO,
    durations_s=(2.0, 5.0, 10.0),
    resolutions=("480p", "720p"),
    fps=(12, 24),
    default_duration_s=5.0,
    default_resolution="720p",
    default_fps=24,
    price_per_second=0.0,
)
CLOUD = replace(FILM, backend="cloud", name="veo", label="Veo 3", durations_s=(8.0,), aspect_ratios=("16:9", "9:16"), price_per_second=0.35, default_duration_s=8.0)  # fmt: skip

FROM_PICTURE = replace(FILM, name="animatic/film-from-picture", label="Animatic from an image", needs_source=True)  # fmt: skip
STILL = replace(FILM, name="animatic/still", label="Animatic still", kind=Kind.IMAGE, durations_s=(), fps=())
STILL_FROM_PICTURE = replace(STILL, name="animatic/still-from-picture", label="Animatic from an image", needs_source=True)  # fmt: skip
SOURCE = "ab/cdef.source.png"
AHEAD = pytest.mark.looptime(start=time.monotonic)
"""Virtual time for page tests: intervals pass at once when the loop is idle. The clock starts at the fixtures'
time, so that their timers are due soon."""


class StandInLibrary:
    """The part of the catalogue that pages use."""

    def __init__(self, models: list[Model]) -> None:
        self.listed = models
        self.problems: dict[str, str] = {}
        self.listeners: list[Callable[[], None]] = []

    def models(self, kind: Kind, *, needs_source: bool | None = None) -> list[Model]:
        return [one for one in self.listed if one.kind is kind and needs_source in (None, one.needs_source)]

    def on_change(self, callback: Callable[[], None]) -> Callable[[], None]:
        self.listeners.append(callback)
        return lambda: self.listeners.remove(callback)


class EmptyLibrary:
    """The library, and its retention."""

    @property
    def retention(self) -> EmptyLibrary:
        return self

    async def totals(self, *, owner: str) -> list[StorageTotal]:
        return []

    async def rule(self, *, owner: str) -> Rule:
        return Rule()

    async def models(self, *, owner: str) -> list[tuple[str, str]]:
        return [("animatic", "animatic/film")]

    async def tags(self, *, owner: str) -> list[str]:
        return []


class EmptyChats:
    """Every conversation exists and is empty."""

    def __init__(self, generations: StandInServices) -> None:
        self.generations = generations
        self.events: Broadcaster[object] = Broadcaster()

    async def get(self, chat_id: str, *, owner: str) -> Conversation:
        return Conversation(id=chat_id, owner=owner, title="Kites", created_at=1.0, updated_at=1.0)

    async def conversations(self, **_: object) -> list[Conversation]:
        return []

    async def messages(self, _chat_id: str, **_: object) -> list[Message]:
        return []

    async def artifacts(self, _messages: object, **_: object) -> dict[str, Generation]:
        return {}


class EmptyDeliveries:
    """Statistics without any generation."""

    async def figures(self, days: int, *, owner: str) -> Figures:
        return count(
            DeliveryHistory(generations=[], polls=[], breaks=[], truncated=False), days=days, now=time.time()
        )

    async def open_generations(self, *, owner: str) -> tuple[list[tuple[Generation, ChannelStatus]], int]:
        return [], 0

    async def file_integrity(self) -> FileIntegrity:
        return FileIntegrity(missing=[], scrub=None)

    async def estimates(self, figures: Figures) -> list[Estimate]:
        return []


class StandInServices:
    def __init__(self, models: list[Model] | None = None) -> None:
        self.bus = Bus()
        self.catalogue = StandInLibrary([FILM, CLOUD] if models is None else models)
        self.settings = Settings(_env_file=None)  # type: ignore[call-arg]
        self.rows: dict[str, Generation] = {}
        self.traces: dict[str, list[TraceEntry]] = {}
        self.runs: dict[tuple[str, str], TypicalDuration] = {}
        self.drafts: list[Draft] = []
        self.calls: list[tuple[str, str]] = []
        self.refuse: Exception | None = None
        self.counted = 0
        self.counts: list[int] = []
        self.sources = {SOURCE}
        self.keys: dict[str | None, list[Generation]] = {}

    def as_generations(self) -> Generations:
        return cast(Generations, self)

    def as_library(self) -> Library:
        return cast(Library, EmptyLibrary())

    def as_chats(self) -> Chats:
        """test_chat.py uses the real ones."""
        return cast(Chats, EmptyChats(self))

    def as_deliveries(self) -> Statistics:
        """test_deliveries.py uses the real ones."""
        return cast(Statistics, EmptyDeliveries())

    def as_diagnostics(self) -> Diagnostics:
        """test_checkup.py uses recorded drills."""
        return diagnostics([], Path(tempfile.gettempdir()))

    # for tests

    def put(self, phase: Phase = Phase.PROCESSING, **fields: Any) -> Generation:
        """Adds a row without publishing it."""
        self.counted += 1
        number = self.counted
        request = fields.pop("request", None) or a_request(
            **{k: fields.pop(k) for k in ("prompt", "kind") if k in fields}
        )
        row = Generation(
            id=fields.pop("id", f"gen-{number}"), request_id=fields.pop("request_id", f"req-{number}"), owner=fields.pop("owner", LOCAL_OWNER), request=request,
            phase=phase, created_at=fields.pop("created_at", time.time() + number / 1000), updated_at=time.time(), **fields,
        )  # fmt: skip
        self.rows[row.id] = row
        return row

    def change(self, generation_id: str, **fields: Any) -> Generation:
        row = self.rows[generation_id]
        self.rows[generation_id] = row = replace(
            row, revision=row.revision + 1, updated_at=time.time(), **fields
        )
        self.bus.publish(row)
        return row

    def finish(self, generation_id: str, won_by: Channel = Channel.PUSH, **fields: Any) -> Generation:
        return self.change(
            generation_id, phase=Phase.COMPLETED, finished_at=time.time(), kept=a_film(), receipt=a_receipt(won_by), progress=1.0, **fields
        )  # fmt: skip

    def publish_trace(
        self, generation_id: str, lane: str, event: str, **data: str | float | int | bool | None
    ) -> TraceEntry:
        entries = self.traces.setdefault(generation_id, [])
        entry = TraceEntry(
            owner="local",
            generation_id=generation_id,
            seq=len(entries) + 1,
            at=time.time(),
            lane=lane,
            event=event,
            data=data,
        )
        entries.append(entry)
        self.bus.publish(entry)
        return entry

    # the services' methods

    async def start(
        self, draft: Draft, *, owner: str = LOCAL_OWNER, count: int = 1, key: str | None = None
    ) -> list[Generation]:
        if self.refuse is not None:
            raise self.refuse
        if key in self.keys:
            return self.keys[key]
        self.drafts.append(draft)
        self.counts.append(count)
        rows = [
            self.put(
                Phase.PENDING,
                prompt=draft.prompt,
                kind=draft.kind,
                owner=owner,
                request_id=f"started-{len(self.drafts)}",
            )
            for _ in range(count)
        ]
        if key is not None:
            self.keys[key] = rows
        for row in rows:
            self.bus.publish(row)
        return rows

    async def check_source(self, name: str, *, owner: str) -> None:
        if name not in self.sources:
            raise InvalidRequest("The starting image is no longer available. Add it again, or continue without it.", field="source")  # fmt: skip

    async def source_from(self, generation_id: str, *, owner: str = LOCAL_OWNER) -> str:
        await self.get(generation_id, owner=owner)
        self.calls.append(("source_from", generation_id))
        return SOURCE

    async def receive_source(self, chunks: AsyncIterable[bytes], *, owner: str) -> str:
        if not b"".join([chunk async for chunk in chunks]):
            raise InvalidRequest("The file is empty. Choose an image.", field="file")
        return SOURCE

    async def get(self, generation_id: str, *, owner: str = LOCAL_OWNER) -> Generation:
        row = self.rows.get(generation_id)
        if row is None or row.owner != owner or row.trashed_at is not None:
            raise NotFound("There is no such generation.")
        return row

    async def siblings(self, generation: Generation) -> list[str]:
        return [row.id for row in self.rows.values() if row.request_id == generation.request_id]

    async def listed(
        self, wanted: GenerationQuery, *, owner: str = LOCAL_OWNER, limit: int = 50, cursor: str | None = None
    ) -> Page:
        rows = [
            one
            for one in self.rows.values()
            if one.owner == owner and one.trashed_at is None and wanted.kind in (None, one.request.kind)
        ]
        rows.sort(key=lambda one: one.created_at, reverse=True)
        return Page(items=rows[:limit], next=None)

    async def trace(self, generation_id: str, *, owner: str = LOCAL_OWNER) -> list[TraceEntry]:
        return list(self.traces.get(generation_id, []))

    async def check(self, generation_id: str, *, owner: str = LOCAL_OWNER) -> Generation:
        self.calls.append(("check", generation_id))
        return await self.get(generation_id)

    async def stop(self, generation_id: str, *, owner: str = LOCAL_OWNER) -> Generation:
        self.calls.append(("stop", generation_id))
        return self.change(
            generation_id, phase=Phase.DROPPED, stop_requested_at=time.time(), finished_at=time.time()
        )

    async def retry(
        self, generation_id: str, *, owner: str = LOCAL_OWNER, key: str | None = None, new_seed: bool = False
    ) -> Generation:
        if key in self.keys:
            return self.keys[key][0]
        self.calls.append(("retry", generation_id))
        request = self.rows[generation_id].request
        row = self.put(Phase.PENDING, request=replace(request, seed=request.seed + new_seed))
        self.keys[key] = [row]
        self.bus.publish(row)
        return row

    async def submit_again(self, generation_id: str, *, owner: str = LOCAL_OWNER) -> Generation:
        self.calls.append(("submit_again", generation_id))
        return self.change(generation_id, phase=Phase.SUBMITTING)

    async def keep(self, generation_id: str, *, owner: str = LOCAL_OWNER) -> Generation:
        self.calls.append(("keep", generation_id))
        return self.change(generation_id, stop_requested_at=None)

    async def restore(self, generation_id: str, *, owner: str = LOCAL_OWNER) -> Generation:
        self.calls.append(("restore", generation_id))
        return self.change(generation_id, trashed_at=None)

    def can_search(self, generation: Generation) -> bool:
        return generation.request.backend == "animatic"

    async def delete(self, generation_id: str, *, owner: str = LOCAL_OWNER) -> None:
        self.calls.append(("delete", generation_id))
        self.change(generation_id, trashed_at=time.time())

    def _clearable(self, kind: Kind | None) -> list[str]:
        return [
            one.id
            for one in self.rows.values()
            if one.final
            and one.trashed_at is None
            and one.starred_at is None
            and kind in (None, one.request.kind)
        ]

    async def clearable(self, *, owner: str = LOCAL_OWNER, kind: Kind | None = None) -> int:
        return len(self._clearable(kind))

    async def clear(self, *, owner: str = LOCAL_OWNER, kind: Kind | None = None) -> list[str]:
        gone = self._clearable(kind)
        for generation_id in gone:
            self.change(generation_id, trashed_at=time.time())
        return gone

    async def restore_all(self, ids: Sequence[str], *, owner: str = LOCAL_OWNER) -> list[str]:
        for generation_id in ids:
            await self.restore(generation_id)
        return list(ids)

    async def shown(self, generation_id: str, *, owner: str = LOCAL_OWNER) -> None:
        self.calls.append(("shown", generation_id))
        receipt = self.rows[generation_id].receipt
        if receipt is not None and receipt.shown_at is None:
            self.change(generation_id, receipt=replace(receipt, shown_at=time.time()))

    async def typical(
        self, backend: str, model: str, length_s: float | None = None
    ) -> TypicalDuration | None:
        return self.runs.get((backend, model))


def a_request(prompt: str = "A lighthouse at night", kind: Kind = Kind.VIDEO, **fields: Any) -> Request:
    wanted = {"backend": "animatic", "model": "animatic/film", "aspect_ratio": "16:9", "resolution": "720p", "seed": 48210, "duration_s": 5.0, "fps": 24}  # fmt: skip
    return Request(kind=kind, prompt=prompt, **nested(**(wanted | fields)))


def a_film() -> Kept:
    return Kept(name="a.mp4", size_bytes=300_000, sha256="ab" * 32, content_type="video/mp4", width=1280, height=720, duration_s=5.0, fps=24.0)  # fmt: skip


def a_receipt(won_by: Channel = Channel.PUSH, **fields: Any) -> Receipt:
    now = time.time()
    times = {"backend_said_at": now - 0.05, "backend_finished_at": now - 0.06, "kept_at": now, "other_due_at": now + 6.4 if won_by is Channel.PUSH else None}  # fmt: skip
    return Receipt(won_by=won_by, **(times | fields))


async def settle() -> None:
    """Sleeps for a flush interval and yields to the loop: on a busy machine time alone is not enough."""
    for _ in range(7):
        await asyncio.sleep(0.05)
