"""Where a drill is played: this install's engine, the scripted backend, and what is looked at."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from services.backends.base import Backend
from services.backends.scripted import Script
from services.channels.race import RaceSnapshot
from services.core.errors import Sentence
from services.core.events import News
from services.core.model import LOCAL_OWNER, Channel, Draft, Generation, Kind, Result, TraceEntry
from services.core.settings import Settings
from services.diagnostics.drill.disk import disk_of
from services.diagnostics.drill.files import Files
from services.diagnostics.drill.shared import Shared
from services.diagnostics.drill.witness import FILM, STILL, RecordingBackend
from services.generations.delivery import Delivery
from services.generations.reconciler import Reconciler
from services.generations.service import Generations
from services.generations.supervisor import Supervisor
from services.library import Library
from services.media.storage.folder import MediaFolder
from services.store.store import Store

if TYPE_CHECKING:
    from services.diagnostics.drill.lives import Life
    from services.diagnostics.drill.over_http import Hosted

WITHIN_S = 20.0
"""What has not come true by then does not hold."""
EVERY_S = 0.02


class Broken(Exception):
    """A rule did not hold; `seen` says what was seen instead."""

    def __init__(self, seen: Sentence) -> None:
        super().__init__(str(seen))
        self.seen = seen


class Engine(Protocol):
    """What the drill takes of it."""

    @property
    def settings(self) -> Settings: ...
    @property
    def generations(self) -> Generations: ...
    @property
    def store(self) -> Store: ...
    @property
    def delivery(self) -> Delivery: ...
    @property
    def folder(self) -> MediaFolder: ...
    @property
    def supervisor(self) -> Supervisor: ...
    @property
    def reconciler(self) -> Reconciler: ...
    @property
    def library(self) -> Library: ...


class OpenEngine(Protocol):
    """Main's: a whole engine on `folder` with these backends, whose results come from `origins`."""

    def __call__(
        self, folder: Path, backends: Sequence[Backend], origins: Iterable[str]
    ) -> AbstractAsyncContextManager[Engine]: ...


@dataclass(slots=True, kw_only=True)
class Stage:
    open_engine: OpenEngine
    folder: Path
    backend: RecordingBackend
    files: Files
    engine: Engine
    lives: Shared[Life] = field(init=False)
    hosted: Shared[Hosted] = field(init=False)
    opening: asyncio.Lock = field(default_factory=asyncio.Lock)
    """One after the other: two migrations at once in one process get into each other's way."""
    heard: list[Generation] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    """What the log said."""
    early: list[Generation] = field(default_factory=list)
    """News of what the database did not hold (yet)."""

    @contextmanager
    def listening(self, engine: Engine) -> Iterator[None]:

        def hear(news: News) -> None:
            if isinstance(news, Generation):
                self.heard.append(news)
                if disk.revision(news.id) < news.revision:
                    self.early.append(news)

        with disk_of(engine.settings) as disk:
            end = engine.generations.bus.subscribe(hear)
            try:
                yield
            finally:
                end()

    @asynccontextmanager
    async def house(
        self, folder: Path, *backends: Backend, origins: tuple[str, ...] = ()
    ) -> AsyncIterator[Stage]:
        """Another engine on another folder, or on the same; results may come from `origins` too."""
        async with AsyncExitStack() as stack:
            async with self.opening:
                opened = self.open_engine(folder, backends, (self.files.origin, *origins))
                engine = await stack.enter_async_context(opened)
            backend = next((each for each in backends if isinstance(each, RecordingBackend)), self.backend)
            house = dataclasses.replace(self, folder=folder, backend=backend, engine=engine)
            await house.models_known(*backends)
            with house.listening(engine):
                yield house

    async def models_known(self, *backends: Backend) -> None:
        async def known() -> bool:
            models = self.engine.generations.catalogue.models(Kind.IMAGE)
            return {model.backend for model in models} >= {backend.name for backend in backends}

        await comes_true(known, Sentence("the backend's models are not known"))

    def script(self, prompt: str, **script: Any) -> None:
        told = {"length_s": 0.5, "event_every_s": 0.1, "urls": (self.files.url("whole"),), **script}
        self.backend.scripts[prompt] = Script(**told)

    def draft(self, prompt: str, model: str = STILL) -> Draft:
        return Draft(kind=Kind.VIDEO if model == FILM else Kind.IMAGE, prompt=prompt, model=model)

    async def start(self, prompt: str, model: str = STILL, *, owner: str, **script: Any) -> Generation:
        self.script(prompt, **script)
        (generation,) = await self.engine.generations.start(self.draft(prompt, model), owner=owner)
        return generation

    async def until(
        self, generation: Generation, holds: Callable[[Generation], bool], otherwise: Sentence
    ) -> Generation:
        """Raises Broken with `otherwise` when the row does not come to that."""

        async def held() -> bool:
            return holds(await self.engine.store.get(generation.id))

        await comes_true(held, otherwise)
        return await self.engine.store.get(generation.id)

    async def done(self, generation: Generation) -> Generation:
        otherwise = Sentence("no result was kept within {seconds} s", seconds=round(WITHIN_S))
        done = await self.until(generation, lambda row: row.kept is not None, otherwise)
        assert done.kept is not None
        kept = await asyncio.to_thread(_sha256, self.engine.generations.media(done.kept.name))
        expect(kept == done.kept.sha256, Sentence("the row is final, and its file is not in its place"))
        return done

    async def being_sent(self, prompt: str) -> None:
        """Until the backend has the request in its hand."""

        async def held() -> bool:
            return prompt in self.backend.held

        await comes_true(held, Sentence("it was never sent"))

    async def cut_off_watcher(self, generation: Generation) -> None:
        """As by a stray cancel: nobody is told."""
        watchers = [task for task in asyncio.all_tasks() if task.get_name() == f"watch {generation.id}"]
        for watcher in watchers:
            watcher.cancel()
        await asyncio.gather(*watchers, return_exceptions=True)

    async def unwatched(self, generation: Generation) -> None:
        """Until its watcher has come to an end."""

        async def ended() -> bool:
            return not self.engine.supervisor.watches(generation.id)

        await comes_true(ended, Sentence("its watcher does not end"))

    async def trace(self, generation: Generation) -> list[TraceEntry]:
        return await self.engine.generations.trace(generation.id, owner=LOCAL_OWNER)

    async def hand_over(self, engine: Engine, generation: Generation) -> None:
        """A result comes to the delivery once more, as from a process that slept through the end."""
        at = generation.updated_at
        snapshot = RaceSnapshot(reported_at=at)
        result = Result(url=self.files.url("whole"))
        await engine.delivery.keep(generation, Channel.PUSH, result, snapshot, credentials={})

    async def check_one_file(self, generation: Generation) -> None:
        """All that was ever told names one file, and no file lies there that no row names."""
        names = {news.kept.name for news in self.heard if news.id == generation.id and news.kept}
        expect(len(names) == 1, Sentence("different files were told of, {count} of them", count=len(names)))

        async def all_named() -> bool:
            lying = set(await self.engine.folder.files())
            return lying <= await self.engine.store.media_names()

        await comes_true(all_named, Sentence("a file lies there that no row names"))


async def comes_true(holds: Callable[[], Awaitable[bool]], otherwise: Sentence) -> None:
    """Raises Broken with `otherwise` where it does not."""
    try:
        async with asyncio.timeout(WITHIN_S):
            while True:
                if await holds():
                    return
                await asyncio.sleep(EVERY_S)
    except TimeoutError:
        raise Broken(otherwise) from None


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""


def expect(holds: bool, otherwise: Sentence) -> None:
    if not holds:
        raise Broken(otherwise)


def written(row: object) -> str:
    """All that a page or the API could be told of it."""
    assert dataclasses.is_dataclass(row) and not isinstance(row, type)
    return json.dumps(dataclasses.asdict(row), default=str)
