"""A whole engine on a folder of the drill's own, with the scripted backends, and helpers that observe it."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import hashlib
import io
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from services.backends.base import Backend, Capabilities
from services.backends.scripted import Script
from services.backends.superduperai import SuperDuperAI
from services.channels.race import ReportedResult
from services.core.errors import Sentence
from services.core.events import GenerationEvent
from services.core.model import LOCAL_OWNER, Channel, Draft, Generation, Kind, Phase, Result, TraceEntry
from services.core.settings import Settings
from services.diagnostics.drill.database_probe import DatabaseProbe, probing
from services.diagnostics.drill.loopback_service import LoopbackService
from services.diagnostics.drill.recording_backend import STILL, RecordingBackend
from services.generations.delivery import Delivery
from services.generations.service import Generations
from services.generations.supervisor import Supervisor
from services.http.address import Address
from services.library import Library
from services.media.storage.folder import MediaFolder
from services.store.store import Store

HOSTED = "drill-hosted"
FOREVER_S = 1e6
WITHIN_S = 20.0
"""A condition that is not met by then counts as broken."""
EVERY_S = 0.02
DEFAULTS = Script(length_s=0.5, event_every_s=0.1)


class RuleBroken(Exception):
    def __init__(self, seen: Sentence) -> None:
        super().__init__(str(seen))
        self.seen = seen


class Engine(Protocol):
    """The parts of the app's engine that the drill uses."""

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
    def library(self) -> Library: ...


OpenEngine = Callable[[Path, Sequence[Backend], Iterable[str]], AbstractAsyncContextManager[Engine]]
"""Opens an engine on a folder with these backends, whose results may come from the origins."""


@dataclass(slots=True, kw_only=True)
class Sandbox:
    open_engine: OpenEngine
    folder: Path
    service: LoopbackService
    log: io.StringIO
    backend: RecordingBackend = field(default_factory=RecordingBackend)
    engine: Engine = field(init=False)
    opening: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Two migrations at once in one process disturb each other."""
    events: list[Generation] = field(default_factory=list)
    uncommitted: list[Generation] = field(default_factory=list)
    """Events that were newer than the database."""
    before: dict[str, Generation] = field(default_factory=dict)
    """After a power cut: the rows before it, by prompt."""

    def beside(self, folder: Path, backend: RecordingBackend) -> Sandbox:
        """Returns another one, to be opened at the same time."""
        return dataclasses.replace(self, folder=folder, backend=backend)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Sandbox]:
        address = Address(self.service.origin, self.service.api_key)
        hosted = SuperDuperAI(name=HOSTED, address=address, capabilities=Capabilities())
        async with AsyncExitStack() as stack:
            async with self.opening:
                engine = self.open_engine(self.folder, (self.backend, hosted), (self.service.origin,))
                self.engine = await stack.enter_async_context(engine)
            self.backend.read_row = self.engine.store.get
            probe = stack.enter_context(probing(self.engine.settings))
            stack.callback(self.engine.generations.bus.subscribe(functools.partial(self._record, probe)))
            await eventually(self._models_listed, Sentence("the backend's models are unavailable"))
            yield self

    async def _models_listed(self) -> bool:
        models = self.engine.generations.catalogue.models(Kind.IMAGE)
        return {model.backend for model in models} >= {self.backend.name, HOSTED}

    def _record(self, probe: DatabaseProbe, event: GenerationEvent) -> None:
        if isinstance(event, Generation):
            self.events.append(event)
            if probe.revision(event.id) < event.revision:
                self.uncommitted.append(event)

    async def start(self, prompt: str, model: str = STILL, **script: Any) -> Generation:
        """`script` holds fields of Script."""
        urls = (self.service.link("whole"),)
        self.backend.scripts[prompt] = dataclasses.replace(DEFAULTS, **{"urls": urls, **script})
        draft = Draft(kind=Kind.IMAGE, prompt=prompt, model=model)
        (generation,) = await self.engine.generations.start(draft, owner=LOCAL_OWNER)
        return generation

    async def until(
        self, generation: Generation, condition: Callable[[Generation], bool], otherwise: Sentence
    ) -> Generation:
        """Raises RuleBroken(otherwise) where the row does not come to meet the condition."""

        async def met() -> bool:
            return condition(await self.engine.store.get(generation.id))

        await eventually(met, otherwise)
        return await self.engine.store.get(generation.id)

    async def until_sent(self, generation: Generation) -> Generation:
        return await self.until(generation, lambda row: row.job_id is not None, Sentence("it was never sent"))

    async def until_unconfirmed(self, generation: Generation) -> Generation:
        otherwise = Sentence("it is not shown as unconfirmed")
        return await self.until(generation, lambda row: row.phase is Phase.UNCONFIRMED, otherwise)

    async def until_final(self, generation: Generation) -> Generation:
        return await self.until(generation, lambda row: row.final, Sentence("it did not end"))

    async def until_kept(self, generation: Generation) -> Generation:
        otherwise = Sentence("no result was saved within {seconds} s", seconds=round(WITHIN_S))
        row = await self.until(generation, lambda row: row.kept is not None, otherwise)
        assert row.kept is not None
        stored = await asyncio.to_thread(_sha256, self.engine.generations.media(row.kept.name))
        expect(stored == row.kept.sha256, Sentence("the row is final but its file is missing"))
        return row

    async def trace(self, generation: Generation) -> list[TraceEntry]:
        return await self.engine.generations.trace(generation.id, owner=LOCAL_OWNER)

    async def deliver_again(self, generation: Generation) -> None:
        """Repeats the delivery, as a process does that slept through the end."""
        result = Result(url=self.service.link("whole"))
        reported = ReportedResult(channel=Channel.PUSH, result=result, reported_at=generation.updated_at)
        await self.engine.delivery.deliver(generation, reported, credentials={})

    async def expect_one_file(self, generation: Generation) -> None:
        names = {event.kept.name for event in self.events if event.id == generation.id and event.kept}
        expect(len(names) == 1, Sentence("{count} different files were announced", count=len(names)))

        async def no_orphans() -> bool:
            return set(await self.engine.folder.files()) <= await self.engine.store.media_names()

        await eventually(no_orphans, Sentence("a file belongs to no row"))


async def eventually(condition: Callable[[], Awaitable[bool]], otherwise: Sentence) -> None:
    """Raises RuleBroken(otherwise) after WITHIN_S."""
    try:
        async with asyncio.timeout(WITHIN_S):
            while not await condition():  # noqa: ASYNC110
                await asyncio.sleep(EVERY_S)
    except TimeoutError:
        raise RuleBroken(otherwise) from None


def expect(holds: bool, otherwise: Sentence) -> None:
    if not holds:
        raise RuleBroken(otherwise)


def expect_sent_once(sent: int) -> None:
    expect(sent == 1, Sentence("it was sent {count} times", count=sent))


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""
