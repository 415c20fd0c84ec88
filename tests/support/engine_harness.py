"""The engine without its processes: real store, real watchers, a scripted backend, bytes that are notes.

Everything runs on one loop without threads, so it can be lived through in virtual time.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from services.app.generations import build_generations
from services.backends.base import Capabilities
from services.backends.scripted import Script, Scripted
from services.chat import Chats
from services.chat.replying import Llm
from services.core.errors import DeliveryFailed
from services.core.events import Bus, GenerationEvent
from services.core.model import (
    LOCAL_OWNER,
    Draft,
    Generation,
    GenerationSettings,
    Kept,
    Kind,
    Model,
    Request,
    TraceEntry,
)
from services.core.runtime import Runtime
from services.core.settings import Settings
from services.store.chats import ChatRows
from services.store.store import Store
from tests.support.race_harness import now


class NotedBytes:
    """Stands for the media room: keeps names, and knows what was never taken away again."""

    def __init__(self, bytes_ok: Callable[[str], bool]) -> None:
        self.files: set[str] = set()
        self.download_s = 0.02
        self._bytes_ok = bytes_ok
        self._made = 0

    async def keep(
        self,
        generation_id: str,
        kind: Kind,
        url: str,
        *,
        credentials: Mapping[str, Mapping[str, str]] | None = None,
    ) -> Kept:
        await asyncio.sleep(self.download_s)
        if not self._bytes_ok(url):
            raise DeliveryFailed("The address answered 403.", reason="refused")
        self._made += 1
        name = f"{generation_id}-{self._made}.mp4"
        self.files.add(name)
        return Kept(
            name=name,
            size_bytes=1000,
            sha256=hashlib.sha256(url.encode()).hexdigest(),
            content_type="video/mp4",
            width=1280,
            height=720,
            duration_s=5.0,
            fps=24.0,
        )

    async def illustrate(self, kept: Kept) -> tuple[str | None, str | None]:
        return f"{kept.name}.poster", None

    async def discard(self, *names: str) -> None:
        self.files.difference_update(names)


def _model(kind: Kind, *, needs_source: bool) -> Model:
    name = f"scripted/{kind}" + ("-from-picture" if needs_source else "")
    lengths = (2.0, 5.0, 10.0, 20.0) if kind is Kind.VIDEO else ()
    label = f"Scripted {kind}" + (" from a picture" if needs_source else "")
    return Model(
        backend="scripted", name=name, label=label, kind=kind, needs_source=needs_source, durations_s=lengths
    )


MODELS = [_model(kind, needs_source=needs) for kind in Kind for needs in (False, True)]


class EasyCatalogue:
    """A catalogue with nothing to refuse."""

    def complete(self, draft: Draft, *, seed_from: Callable[[], int]) -> Request:
        return Request(
            kind=draft.kind,
            prompt=draft.prompt,
            backend="scripted",
            model=draft.model or f"scripted/{draft.kind}",
            seed=seed_from() if draft.seed is None else draft.seed,
            chat_id=draft.chat_id,
            source=draft.source,
            settings=GenerationSettings(
                aspect_ratio=draft.settings.aspect_ratio or "16:9",
                resolution=draft.settings.resolution or "720p",
                duration_s=(draft.settings.duration_s or 5.0) if draft.kind is Kind.VIDEO else None,
                negative_prompt=draft.settings.negative_prompt,
            ),
        )

    def models(self, kind: Kind, *, needs_source: bool | None = None) -> list[Model]:
        return [one for one in MODELS if one.kind is kind and needs_source in (None, one.needs_source)]

    def on_change(self, callback: Callable[[], None]) -> Callable[[], None]:
        return lambda: None

    def find(self, kind: Kind, backend: str, name: str) -> Model | None:
        return next((one for one in MODELS if (one.kind, one.name) == (kind, name)), None)


class EngineHarness:
    """`crash` and `open` again: the backend, the database and the files stay, nothing else."""

    def __init__(
        self,
        folder: Path,
        backend: Scripted,
        *,
        bytes_ok: Callable[[str], bool] = lambda _: True,
        llm: Llm | None = None,
        checkpoint: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.backend = backend
        backend.now = now
        self.llm = llm
        self.checkpoint = checkpoint
        self.bytes = NotedBytes(bytes_ok)
        self.news: list[GenerationEvent] = []
        self.completions: Counter[str] = Counter()
        self._url = f"sqlite:///{folder / 'rushes.db'}"
        self._settings = Settings(_env_file=None, data_dir=folder)  # type: ignore[call-arg]
        self._opened = 0

    async def open(self) -> None:
        self._opened += 1
        self.bus = Bus()
        self.bus.subscribe(self._hear)
        self.store = Store(self._url, process=f"process-{self._opened}", now=now, inline=True)
        await self.store.open()
        parts = build_generations(
            self._settings,
            self.store,
            self.bus,
            self.bytes,
            NoSources(),  # type: ignore[arg-type]
            _no_source,
            EasyCatalogue(),  # type: ignore[arg-type]
            {"scripted": self.backend},
            Runtime(now=now, rng=random.Random(self._opened)),
        )
        self.event_log, self.delivery, self.generations = parts.event_log, parts.delivery, parts.generations
        self.supervisor, self.reconciler = parts.supervisor, parts.reconciler
        self._runner = asyncio.create_task(self.event_log.run(), name="journal")
        self.chats = Chats(
            self.generations,
            ChatRows(self.store),
            llm=self.llm,
            runtime=Runtime(now=now, checkpoint=lambda name: self.checkpoint(name)),
        )
        await self.chats.open()
        await self.supervisor.resume()

    async def crash(self) -> None:
        """Every task ends where it stands; nothing is told, nothing is tidied."""
        mine = asyncio.current_task()
        tasks = [task for task in asyncio.all_tasks() if task is not mine]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.store.close()

    async def close(self) -> None:
        await self.chats.close()
        await self.supervisor.close()
        await self.delivery.close()
        await self.event_log.flush()
        self._runner.cancel()
        await asyncio.gather(self._runner, return_exceptions=True)
        await self.store.close()

    async def start(self, prompt: str = "a kite", *, seed: int | None = None) -> Generation:
        draft = Draft(kind=Kind.VIDEO, prompt=prompt, seed=seed)
        (generation,) = await self.generations.start(draft, owner=LOCAL_OWNER)
        return generation

    async def get(self, generation: Generation) -> Generation:
        return await self.store.get(generation.id)

    def heard(self, generation: Generation) -> list[Generation]:
        return [news for news in self.news if isinstance(news, Generation) and news.id == generation.id]

    def traced(self, generation: Generation, lane: str, event: str) -> list[TraceEntry]:
        return [
            news
            for news in self.news
            if isinstance(news, TraceEntry)
            and (news.generation_id, news.lane, news.event) == (generation.id, lane, event)
        ]

    def _hear(self, news: GenerationEvent) -> None:
        self.news.append(news)


def told(harness: EngineHarness, script: Script, **capabilities: bool) -> None:
    """From now on the backend does as `script` says."""
    harness.backend._script = script
    harness.backend.capabilities = Capabilities(**capabilities)  # type: ignore[arg-type]


async def after(seconds: float, harness: EngineHarness, generation: Generation) -> Generation:
    await asyncio.sleep(seconds)
    await harness.event_log.flush()
    return await harness.get(generation)


async def _no_source(name: str) -> bytes:
    raise FileNotFoundError(name)


class NoSources:
    """The scripted backend's models take none."""


__all__ = ["EngineHarness", "Script", "Scripted", "after", "told"]
