"""A small Generations: a real bus, rows in a dict; every action is published."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp

from services.api import Health, Metrics, Services, include
from services.core.errors import Conflict, InvalidRequest, NotFound
from services.core.events import Bus
from services.core.model import (
    LOCAL_OWNER,
    Channel,
    Draft,
    Generation,
    GenerationQuery,
    GenerationSettings,
    Kept,
    Kind,
    Phase,
    Receipt,
    Request,
    TraceEntry,
)
from services.core.settings import Settings
from services.generations.service import Page
from services.library import export
from services.media.sources import is_source
from services.media.tagged_copy import Copy

PARTS = ("generations", "library", "statistics", "diagnostics", "chats", "health", "metrics")
BORN_AT = 1_790_000_000.0
SHA256 = "ab" * 32


class StandIn:
    def __init__(self, media_dir: Path) -> None:
        self.bus = Bus()
        self._media_dir = media_dir
        self._ids = itertools.count(1)
        self.empty()

    def empty(self) -> None:
        self.settings = Settings(_env_file=None)
        self.rows: dict[str, Generation] = {}
        self.drafts: list[Draft] = []
        self.sources: list[bytes] = []
        self.traces: dict[str, list[TraceEntry]] = {}
        self.acts: list[str] = []
        self.retry_keys: list[str | None] = []
        self.refuse: Exception | None = None
        self._keys: dict[str, tuple[str | None, list[Generation]]] = {}

    async def start(
        self,
        draft: Draft,
        *,
        owner: str = LOCAL_OWNER,
        count: int = 1,
        key: str | None = None,
        fingerprint: str | None = None,
    ) -> list[Generation]:
        if self.refuse is not None:
            raise self.refuse
        if draft.settings.resolution not in (None, "480p", "720p"):
            raise InvalidRequest("resolution must be 480p or 720p.", field="resolution")
        if key is not None and key in self._keys:
            known, generations = self._keys[key]
            if known != fingerprint:
                raise Conflict("This Idempotency-Key was used for another request.")
            return generations
        self.drafts.append(draft)
        request_id = f"request-{next(self._ids)}"
        made = [self.commit(generation(f"gen-{next(self._ids)}", draft, request_id)) for _ in range(count)]
        if key is not None:
            self._keys[key] = (fingerprint, made)
        return made

    async def get(self, generation_id: str, *, owner: str = LOCAL_OWNER, trashed: bool = False) -> Generation:
        found = self.rows.get(generation_id)
        if found is None or (found.trashed_at is not None and not trashed):
            raise NotFound("There is no such file.")
        return found

    async def listed(
        self, wanted: GenerationQuery, *, owner: str = LOCAL_OWNER, cursor: str | None = None, limit: int = 50
    ) -> Page:
        kind, query = wanted.kind, wanted.words
        if cursor is not None and cursor not in self.rows:
            raise InvalidRequest("The cursor is not valid.", field="cursor")
        rows = [
            row
            for row in reversed(self.rows.values())
            if kind in (None, row.request.kind) and query in row.request.prompt and row.trashed_at is None
        ]
        if cursor is not None:
            rows = rows[rows.index(self.rows[cursor]) + 1 :]
        return Page(items=rows[:limit], next=rows[limit - 1].id if len(rows) > limit else None)

    async def trace(self, generation_id: str, *, owner: str = LOCAL_OWNER) -> list[TraceEntry]:
        await self.get(generation_id)
        return self.traces.get(generation_id, [])

    async def check(self, generation_id: str, *, owner: str = LOCAL_OWNER) -> Generation:
        self.acts.append(f"check {generation_id}")
        return await self.get(generation_id)

    async def stop(self, generation_id: str, *, owner: str = LOCAL_OWNER) -> Generation:
        row = await self.get(generation_id)
        return row if row.final else self.change(row.id, phase=Phase.DROPPED, stop_requested_at=BORN_AT)

    async def retry(
        self, generation_id: str, *, owner: str = LOCAL_OWNER, key: str | None = None, new_seed: bool = False
    ) -> Generation:
        old = await self.get(generation_id)
        new = replace(old, id=f"gen-{next(self._ids)}", request_id="again", phase=Phase.PENDING, revision=0)
        self.retry_keys.append(key)
        return self.commit(new)

    async def submit_again(self, generation_id: str, *, owner: str = LOCAL_OWNER) -> Generation:
        row = await self.get(generation_id)
        if row.phase is not Phase.UNCONFIRMED:
            raise Conflict("Only an unconfirmed generation can be submitted again.")
        return self.change(row.id, phase=Phase.SUBMITTING)

    async def keep(self, generation_id: str, *, owner: str = LOCAL_OWNER) -> Generation:
        row = await self.get(generation_id)
        if row.phase is not Phase.COMPLETED:
            raise Conflict("There is no result to keep yet.")
        return self.change(row.id, stop_requested_at=None)

    async def delete(self, generation_id: str, *, owner: str = LOCAL_OWNER) -> None:
        await self.stop(generation_id)
        self.change(generation_id, trashed_at=BORN_AT)

    async def find_source(self, name: str, *, owner: str) -> Path | None:
        path = self.media(name)
        return path if is_source(name) and path.is_file() else None

    async def add_source(self, data: bytes, *, owner: str = LOCAL_OWNER) -> str:
        if not data.startswith(b"\x89PNG"):
            raise InvalidRequest("The picture must be a PNG, a JPEG or a WebP.", field="source")
        self.sources.append(data)
        return f"source-{len(self.sources)}.png"

    async def copy(self, generation_id: str, *, owner: str = LOCAL_OWNER) -> tuple[Generation, Copy]:
        row = await self.get(generation_id)
        return row, export.copy(row, self.media)

    async def receive_source(self, chunks: AsyncIterable[bytes], *, owner: str = LOCAL_OWNER) -> str:
        return await self.add_source(b"".join([chunk async for chunk in chunks]))

    async def source_from(self, generation_id: str, *, owner: str = LOCAL_OWNER) -> str:
        await self.get(generation_id)
        return await self.add_source(b"\x89PNG of it")

    def media(self, name: str) -> Path:
        return self._media_dir / name

    # -- what the engine would do --------------------------------------------------------------

    def commit(self, row: Generation) -> Generation:
        self.rows[row.id] = row
        self.bus.publish(row)
        return row

    def change(self, generation_id: str, **changes: Any) -> Generation:
        row = self.rows[generation_id]
        return self.commit(replace(row, revision=row.revision + 1, **changes))

    def finish(self, generation_id: str, content: bytes = b"film", **changes: Any) -> Generation:
        (self._media_dir / f"{generation_id}.mp4").write_bytes(content)
        return self.change(
            generation_id,
            **{
                "phase": Phase.COMPLETED,
                "kept": kept(f"{generation_id}.mp4", len(content)),
                "receipt": receipt(),
                "progress": 1.0,
                **changes,
            },
        )


def generation(
    generation_id: str = "gen-0", draft: Draft | None = None, request_id: str = "request-0", **changes: Any
) -> Generation:
    draft = draft or Draft(kind=Kind.VIDEO, prompt="A red kite, over the sea!")
    request = Request(
        kind=draft.kind,
        prompt=draft.prompt,
        backend="animatic",
        model=draft.model or "animatic/film",
        seed=7 if draft.seed is None else draft.seed,
        chat_id=draft.chat_id,
        source=draft.source,
        settings=GenerationSettings(
            aspect_ratio=draft.settings.aspect_ratio or "16:9",
            resolution=draft.settings.resolution or "720p",
            duration_s=draft.settings.duration_s or 5.0,
            fps=draft.settings.fps or 24,
        ),
    )
    return replace(
        Generation(
            id=generation_id,
            request_id=request_id,
            owner="local",
            request=request,
            phase=Phase.PENDING,
            created_at=BORN_AT,
            updated_at=BORN_AT,
        ),
        **changes,
    )


def kept(name: str, size_bytes: int) -> Kept:
    return Kept(
        name=name,
        size_bytes=size_bytes,
        sha256=SHA256,
        content_type="video/mp4",
        width=1280,
        height=720,
        duration_s=5.0,
        fps=24.0,
    )


def receipt(**changes: Any) -> Receipt:
    made = Receipt(
        won_by=Channel.PUSH,
        backend_said_at=BORN_AT + 4.0,
        backend_finished_at=BORN_AT + 3.9,
        kept_at=BORN_AT + 4.25,
        shown_at=BORN_AT + 4.5,
        attempts=2,
        other_said="running",
        other_said_at=BORN_AT + 2.0,
        other_due_at=BORN_AT + 12.0,
    )
    return replace(made, **changes)


def health(folder: Path, **changes: Any) -> Health:
    async def none_open() -> int:
        return 0

    given: dict[str, Any] = {
        "version": "1.2.3",
        "data_dir": folder,
        "open_generations": none_open,
        "problems": dict,
        "models_known": lambda: True,
        "free_bytes": lambda _: 10**12,
    }
    return Health(**{**given, **changes})


def parts(**given: Any) -> Services:
    """The parts of an engine that a test needs; the others are None."""
    return cast(Services, SimpleNamespace(**{**dict.fromkeys(PARTS), **given}))


def application(stand_in: StandIn, data_dir: Path) -> tuple[FastAPI, Metrics]:
    app = FastAPI(title="Rushes", docs_url=None, redoc_url=None)
    metrics = Metrics(stand_in.bus, backends=["animatic"], clock=lambda: BORN_AT)
    services = parts(
        generations=stand_in,
        library=stand_in,
        statistics=stand_in,
        diagnostics=stand_in,
        chats=stand_in,
        health=health(data_dir),
        metrics=metrics,
    )
    include(app, services, public_url=stand_in.settings.public_url)
    return app, metrics


def client_of(app: FastAPI, **options: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app, **options), base_url="http://localhost:8080", trust_env=False
    )


@asynccontextmanager
async def serving(app: ASGIApp, **options: Any) -> AsyncIterator[tuple[str, uvicorn.Server]]:
    """A real server on a free loopback port, in this loop: its address and itself."""
    given = {"log_level": "warning", "lifespan": "off", "timeout_graceful_shutdown": 3} | options
    config = uvicorn.Config(app, host="127.0.0.1", port=0, **given)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve(), name="server under test")
    try:
        while not server.started:
            await asyncio.sleep(0.01)
        yield f"127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}", server
    finally:
        server.should_exit = True
        await task
