"""The models on offer: the lists of the backends, kept up to date and cached across restarts."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from services.backends.base import Backend
from services.catalogue.cache import Lists, recall, remember
from services.catalogue.completion import complete
from services.catalogue.overrides import Overrides, read_overrides
from services.core.errors import BackendError, NoModels
from services.core.model import Draft, Kind, Model, Request
from services.core.settings import Settings

log = logging.getLogger(__name__)

EVERY_S = 600.0
AFTER_A_FAILURE_S = (5.0, 10.0, 20.0, 40.0, 60.0)


class Catalogue:
    """`problems` says, by backend (or file), why a list cannot be had or kept: sentences for /health."""

    def __init__(
        self, backends: Sequence[Backend], settings: Settings, toml_path: Path | None = None
    ) -> None:
        """`backends` in the order of preference. What was listed before a restart is there at once."""
        self.problems: dict[str, str] = {}
        self._backends = list(backends)
        self._toml_path = toml_path
        self._memory = settings.data_dir / "catalogue.json"
        self._lists: Lists = recall(self._memory)
        self._overrides = Overrides()
        self._models: dict[tuple[Kind, str, str], Model] = {}
        self._wakers = [asyncio.Event() for _ in self._backends]
        self._writing = asyncio.Lock()
        self._listeners: dict[object, Callable[[], None]] = {}
        self._merge()

    def models(self, kind: Kind, *, needs_source: bool | None = None) -> list[Model]:
        """The preferred backend's first; without the hidden ones."""
        return [
            model
            for model in self._models.values()
            if model.kind is kind
            and needs_source in (None, model.needs_source)
            and not self._overrides.hides(model)
        ]

    def find(self, kind: Kind, backend: str, name: str) -> Model | None:
        """Hidden ones too: what was asked for before is still watched by its figures."""
        return self._models.get((kind, backend, name))

    def complete(self, draft: Draft, *, seed_from: Callable[[], int]) -> Request:
        """Raises InvalidRequest, NoModels."""
        asked = [draft.backend] if draft.backend else [backend.name for backend in self._backends]
        unheard = [
            each.name for each in self._backends if each.name in asked and each.name not in self._lists
        ]
        # A draft that leaves the model open means the preferred backend, not whichever was heard first.
        surely_known = draft.model or asked[:1] != unheard[:1]
        models = self.models(draft.kind) if surely_known else []
        missing = self._no_models(unheard) if unheard or not self._backends else None
        return complete(draft, models, missing, seed_from=seed_from)

    def on_change(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Called when the models or the problems are others; returns the act that ends it."""
        key = object()
        self._listeners[key] = callback
        return lambda: self._listeners.pop(key, None) and None

    def wake(self) -> None:
        """Something has changed: ask all backends now."""
        for waker in self._wakers:
            waker.set()

    async def refresh(self) -> None:
        """Ask each backend once, and read the TOML again; what fails stands in `problems`."""
        await self._read_overrides()
        await asyncio.gather(*(self._refresh(backend) for backend in self._backends))

    async def run(self) -> None:
        """Every 10 minutes, and after a failure sooner; until cancelled."""
        async with asyncio.TaskGroup() as group:
            for backend, waker in zip(self._backends, self._wakers, strict=True):
                group.create_task(self._follow(backend, waker), name=f"catalogue of {backend.name}")

    async def _follow(self, backend: Backend, waker: asyncio.Event) -> None:
        failures = 0
        while True:
            waker.clear()
            await self._read_overrides()
            failures = 0 if await self._refresh(backend) else failures + 1
            pause_s = AFTER_A_FAILURE_S[min(failures, len(AFTER_A_FAILURE_S)) - 1] if failures else EVERY_S
            try:
                async with asyncio.timeout(pause_s):
                    await waker.wait()
                    failures = 0
            except TimeoutError:
                pass

    async def _refresh(self, backend: Backend) -> bool:
        try:
            listed = await backend.models()
        except BackendError as error:
            self._note(backend.name, str(error))
            return False
        self._note(backend.name, "" if listed else f"{backend.name} lists no model for video or images.")
        if listed != self._lists.get(backend.name):
            self._lists[backend.name] = listed
            self._merge()
            await self._remember()
        return True

    async def _remember(self) -> None:
        async with self._writing:
            try:
                await asyncio.to_thread(remember, self._memory, dict(self._lists))
            except OSError as error:
                self._note(self._memory.name, f"The model list cannot be kept: {error.strerror}.")
            else:
                self._note(self._memory.name, "")

    async def _read_overrides(self) -> None:
        if self._toml_path is None:
            return
        overrides = await asyncio.to_thread(read_overrides, self._toml_path)
        self._note(self._toml_path.name, overrides.problem)
        if overrides != self._overrides:
            self._overrides = overrides
            self._merge()

    def _merge(self) -> None:
        listed = (model for backend in self._backends for model in self._lists.get(backend.name, ()))
        self._models = {
            (model.kind, model.backend, model.name): self._overrides.applied(model) for model in listed
        }
        self._tell()

    def _note(self, name: str, problem: str) -> None:
        """Logged when it breaks and when it heals, not in between."""
        before = self.problems.get(name, "")
        if problem == before:
            return
        if problem:
            self.problems[name] = problem
            log.warning("%s", problem)
        else:
            del self.problems[name]
            log.info("The catalogue's trouble with %s is over.", name)
        self._tell()

    def _tell(self) -> None:
        for listener in list(self._listeners.values()):
            try:
                listener()
            except Exception:  # a bug in one listener must not end the refreshing
                log.exception("A listener of the catalogue failed; the others go on.")

    def _no_models(self, unheard: list[str]) -> NoModels:
        names = ", ".join(unheard)
        if not names:
            return NoModels("No model list could be had yet (no backend is set up). Try again in a moment.")
        if why := " ".join(self.problems[name] for name in unheard if name in self.problems):
            return NoModels("No model list could be had yet ({names}). {why}", names=names, why=why)
        return NoModels("No model list could be had yet ({names}). Try again in a moment.", names=names)
