"""The available models: the backends' lists, refreshed regularly and cached across restarts."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress

from services.backends.base import Backend
from services.catalogue import cache
from services.catalogue.completion import complete
from services.catalogue.overrides import Overrides, read_overrides
from services.core.errors import BackendError, NoModels
from services.core.events import Broadcaster, Unsubscribe
from services.core.model import Draft, Kind, Model, Request
from services.core.settings import Settings

log = logging.getLogger(__name__)

INTERVAL_S = 600.0
RETRY_DELAYS_S = (5.0, 10.0, 20.0, 40.0, 60.0)


class Catalogue:
    """`problems` are sentences for /health, by backend or file: why a list is unavailable or not cached."""

    def __init__(self, backends: Sequence[Backend], settings: Settings) -> None:
        """`backends` in order of preference; their cached lists are available at once."""
        self.problems: dict[str, str] = {}
        self._backends = list(backends)
        self._toml_path = settings.data_dir / "models.toml"
        self._cache_path = settings.data_dir / "catalogue.json"
        self._lists = cache.load(self._cache_path)
        self._overrides = Overrides()
        self._models: dict[tuple[Kind, str, str], Model] = {}
        self._wakers = [asyncio.Event() for _ in self._backends]
        self._saving = asyncio.Lock()
        self._changes: Broadcaster[None] = Broadcaster()
        self._merge()

    def models(self, kind: Kind, *, needs_source: bool | None = None) -> list[Model]:
        """The preferred backend's first, without hidden ones."""
        return [
            model
            for model in self._models.values()
            if model.kind is kind
            and needs_source in (None, model.needs_source)
            and not self._overrides.hides(model)
        ]

    def find(self, kind: Kind, backend: str, name: str) -> Model | None:
        """Includes hidden models: earlier generations still need their figures."""
        return self._models.get((kind, backend, name))

    def complete(self, draft: Draft, *, seed_from: Callable[[], int]) -> Request:
        """Raises InvalidRequest, NoModels."""
        names = [backend.name for backend in self._backends]
        wanted = [draft.backend] if draft.backend else names
        unlisted = [name for name in names if name in wanted and name not in self._lists]
        # A draft without a model means the preferred backend, not the first that happened to answer.
        usable = draft.model or wanted[:1] != unlisted[:1]
        models = self.models(draft.kind) if usable else []
        unavailable = self._no_models(unlisted) if unlisted or not names else None
        return complete(draft, models, unavailable, seed_from=seed_from)

    def on_change(self, callback: Callable[[], None]) -> Unsubscribe:
        """Calls `callback` when the models or the problems change."""
        return self._changes.subscribe(lambda _: callback())

    def wake(self) -> None:
        """Makes `run` refresh all lists now."""
        for waker in self._wakers:
            waker.set()

    async def refresh(self) -> None:
        """Reads the TOML and each backend's list once; failures are in `problems`."""
        await self._read_overrides()
        await asyncio.gather(*(self._refresh(backend) for backend in self._backends))

    async def run(self) -> None:
        """Refreshes every 10 minutes, and sooner after a failure, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for backend, waker in zip(self._backends, self._wakers, strict=True):
                group.create_task(self._follow(backend, waker), name=f"catalogue of {backend.name}")

    async def _follow(self, backend: Backend, waker: asyncio.Event) -> None:
        failures = 0
        while True:
            waker.clear()
            await self._read_overrides()
            failures = 0 if await self._refresh(backend) else failures + 1
            pause_s = RETRY_DELAYS_S[min(failures, len(RETRY_DELAYS_S)) - 1] if failures else INTERVAL_S
            with suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await waker.wait()
                    failures = 0

    async def _refresh(self, backend: Backend) -> bool:
        try:
            listed = await backend.models()
        except BackendError as error:
            self._report(backend.name, str(error))
            return False
        self._report(backend.name, "" if listed else f"{backend.name} lists no model for video or images.")
        if listed != self._lists.get(backend.name):
            self._lists[backend.name] = listed
            self._merge()
            await self._save()
        return True

    async def _save(self) -> None:
        problem = ""
        async with self._saving:
            try:
                await asyncio.to_thread(cache.save, self._cache_path, dict(self._lists))
            except OSError as error:
                problem = f"The model list cannot be kept: {error.strerror}."
            self._report(self._cache_path.name, problem)

    async def _read_overrides(self) -> None:
        overrides = await asyncio.to_thread(read_overrides, self._toml_path)
        self._report(self._toml_path.name, overrides.problem)
        if overrides != self._overrides:
            self._overrides = overrides
            self._merge()

    def _merge(self) -> None:
        listed = (model for backend in self._backends for model in self._lists.get(backend.name, ()))
        self._models = {
            (model.kind, model.backend, model.name): self._overrides.apply(model) for model in listed
        }
        self._changes.publish(None, topic="")

    def _report(self, name: str, problem: str) -> None:
        """Records the problem, or its end; logs only changes."""
        if problem == self.problems.get(name, ""):
            return
        if problem:
            self.problems[name] = problem
            log.warning("%s", problem)
        else:
            del self.problems[name]
            log.info("The catalogue's trouble with %s is over.", name)
        self._changes.publish(None, topic="")

    def _no_models(self, unlisted: list[str]) -> NoModels:
        names = ", ".join(unlisted)
        if not names:
            return NoModels("No backend is configured. Connect one and restart.")
        if why := " ".join(self.problems[name] for name in unlisted if name in self.problems):
            return NoModels("Models are not available yet ({names}). {why}", names=names, why=why)
        return NoModels("Models are not available yet ({names}). Try again in a moment.", names=names)
