"""The engine without its processes: a real store and supervisor, a scripted backend, a fake media ingest.

Everything runs on one loop without threads, so it works in virtual time.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace

from services.app.generations import build_generations
from services.backends.base import Capabilities
from services.backends.scripted import Script, Scripted
from services.chat import Chats
from services.chat.replying import Llm
from services.core.errors import DeliveryFailed, Unverified
from services.core.events import Bus, GenerationEvent
from services.core.model import (
    LOCAL_OWNER,
    Draft,
    Generation,
    GenerationSettings,
    Kept,
    Kind,
    Model,
    Problem,
    Request,
    TraceEntry,
)
from services.core.runtime import Runtime
from services.core.settings import Settings
from services.store.chats import ChatRows
from services.store.store import Store
from tests.support.race_harness import now

PROBLEM = Problem(code="unknown", reason="The file format is unknown.")


class FakeIngest:
    """Keeps names instead of bytes; `files` are those that were never discarded."""

    def __init__(self, bytes_ok: Callable[[str], bool]) -> None:
        self.files: set[str] = set()
        self.download_s = 0.02
        self.bytes_ok = bytes_ok
        self.downloads = 0
        self.unverified: Callable[[int], str | None] = lambda _: None
        """The hash of what comes with each download, where it cannot be verified; "" where the link is dead."""
        self.tries = 0
        self.held: dict[str, list[str]] = {}
        """Hashes by generation, of which the first is kept; they outlive a crash."""

    async def download_and_store(
        self,
        generation_id: str,
        kind: Kind,
        url: str,
        *,
        credentials: Mapping[str, Mapping[str, str]] | None = None,
    ) -> Kept:
        await asyncio.sleep(self.download_s)
        self.tries += 1
        bad = self.unverified(self.tries)
        if not self.bytes_ok(url) or bad == "":
            raise DeliveryFailed("The address answered 403.", reason="refused")
        if bad is not None:
            seen = self.held.setdefault(generation_id, [])
            seen.append(bad)
            if bad not in seen[:-1]:
                raise Unverified(PROBLEM)
            kept = await self.store_held(generation_id, kind)
            assert kept is not None
            return kept
        self.downloads += 1
        name = f"{generation_id}-{self.downloads}.mp4"
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

    async def store_held(self, generation_id: str, kind: Kind) -> Kept | None:
        if generation_id not in self.held:
            return None
        self.downloads += 1
        name = f"{generation_id}-{self.downloads}.bin"
        self.files.add(name)
        return Kept(
            name=name,
            size_bytes=1000,
            sha256=self.held[generation_id][0],
            content_type="application/octet-stream",
            width=None,
            height=None,
            duration_s=None,
            fps=None,
            problem=PROBLEM,
        )

    async def holds(self, generation_id: str) -> bool:
        return generation_id in self.held

    async def held_ids(self) -> set[str]:
        return set(self.held)

    async def release(self, generation_id: str) -> None:
        self.held.pop(generation_id, None)

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


class FakeCatalogue:
    """A catalogue that accepts every draft."""

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
    """`crash`, then `open` again: only the backend, the database and the files survive."""

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
        self.ingest = FakeIngest(bytes_ok)
        self.events: list[GenerationEvent] = []
        self._url = f"sqlite:///{folder / 'rushes.db'}"
        self._settings = Settings(_env_file=None, data_dir=folder)  # type: ignore[call-arg]
        self._opened = 0

    async def open(self) -> None:
        self._opened += 1
        self.bus = Bus()
        self.bus.subscribe(self.events.append)
        self.store = Store(self._url, process=f"process-{self._opened}", now=now, inline=True)
        await self.store.open()
        parts = build_generations(
            self._settings,
            self.store,
            self.bus,
            self.ingest,
            SimpleNamespace(),  # type: ignore[arg-type]
            _no_source,
            FakeCatalogue(),  # type: ignore[arg-type]
            {"scripted": self.backend},
            Runtime(now=now, rng=random.Random(self._opened)),
        )
        self.event_log, self.delivery, self.generations = parts.event_log, parts.delivery, parts.generations
        self.supervisor, self.reconciler = parts.supervisor, parts.reconciler
        self._runner = asyncio.create_task(self.event_log.run(), name="event-log")
        self.chats = Chats(
            self.generations,
            ChatRows(self.store),
            llm=self.llm,
            runtime=Runtime(now=now, checkpoint=lambda name: self.checkpoint(name)),
        )
        await self.chats.open()
        await self.supervisor.resume()

    async def crash(self) -> None:
        """Cancels every task; nothing is published and nothing cleaned up."""
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
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

    def snapshots(self, generation: Generation) -> list[Generation]:
        """Every state of it that was published."""
        return [one for one in self.events if isinstance(one, Generation) and one.id == generation.id]

    def trace_entries(self, generation: Generation, lane: str, event: str) -> list[TraceEntry]:
        return [
            one
            for one in self.events
            if isinstance(one, TraceEntry)
            and (one.generation_id, one.lane, one.event) == (generation.id, lane, event)
        ]


def set_script(harness: EngineHarness, script: Script, **capabilities: bool) -> None:
    """What the backend does from now on."""
    harness.backend._script = script
    harness.backend.capabilities = Capabilities(**capabilities)  # type: ignore[arg-type]


async def after(seconds: float, harness: EngineHarness, generation: Generation) -> Generation:
    await asyncio.sleep(seconds)
    await harness.event_log.flush()
    return await harness.get(generation)


async def _no_source(name: str) -> bytes:
    raise FileNotFoundError(name)
