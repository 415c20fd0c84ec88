"""Where a drill is played: this install's engine, the scripted backend, and what is looked at."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from services.backends.base import Backend
from services.backends.scripted import Script
from services.bus import News
from services.channels.race import Standing
from services.delivery import Delivery
from services.drill.files import Files
from services.drill.witness import STILL, Witness
from services.errors import Sentence
from services.generations import Generations
from services.media.files import MediaFolder
from services.model import Channel, Draft, Generation, Kind, Result, TraceEntry
from services.store.store import Store

WITHIN_S = 10.0
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
    def generations(self) -> Generations: ...
    @property
    def store(self) -> Store: ...
    @property
    def delivery(self) -> Delivery: ...
    @property
    def folder(self) -> MediaFolder: ...


class OpenEngine(Protocol):
    """Main's: a whole engine on `folder` with one backend, whose results come from `origin`."""

    def __call__(
        self, folder: Path, backend: Backend, origin: str
    ) -> AbstractAsyncContextManager[Engine]: ...


@dataclass(slots=True, kw_only=True)
class Stage:
    open_engine: OpenEngine
    folder: Path
    backend: Witness
    files: Files
    engine: Engine
    heard: list[Generation] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    """What the log said."""

    def listen(self, engine: Engine) -> None:
        engine.generations.bus.subscribe(self._hear)

    def _hear(self, news: News) -> None:
        if isinstance(news, Generation):
            self.heard.append(news)

    async def start(self, prompt: str, model: str = STILL, **script: Any) -> Generation:
        told = {"length_s": 0.5, "event_every_s": 0.1, "urls": (self.files.url("whole"),), **script}
        self.backend.scripts[prompt] = Script(**told)
        (generation,) = await self.engine.generations.start(
            Draft(kind=Kind.IMAGE, prompt=prompt, model=model)
        )
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
        return await self.until(generation, lambda row: row.kept is not None, otherwise)

    async def trace(self, generation: Generation) -> list[TraceEntry]:
        return await self.engine.generations.trace(generation.id)

    async def hand_over(self, engine: Engine, generation: Generation) -> None:
        """A result comes to the delivery once more, as from a process that slept through the end."""
        at = generation.updated_at
        standing = Standing(said_at=at, attempts=0, other_said="", other_said_at=None, other_due_at=None)
        result = Result(url=self.files.url("whole"))
        await engine.delivery.keep(generation, Channel.PUSH, result, standing, credentials={})

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


def expect(holds: bool, otherwise: Sentence) -> None:
    if not holds:
        raise Broken(otherwise)


def written(row: object) -> str:
    """All that a page or the API could be told of it."""
    assert dataclasses.is_dataclass(row) and not isinstance(row, type)
    return json.dumps(dataclasses.asdict(row), default=str)
