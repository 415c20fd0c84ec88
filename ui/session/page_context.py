"""Context of one open page: its owner, client, state and services."""

from dataclasses import dataclass, field

from nicegui import Client

from services.core.model import Generation, Kind
from services.generations.service import Generations, TypicalDuration
from ui.state import TabState


@dataclass(slots=True, kw_only=True)
class PageContext:
    generations: Generations
    owner: str
    client: Client
    state: TabState
    typical: dict[tuple[str, str], TypicalDuration | None] = field(default_factory=dict)
    """By backend and model, for the model's default length; loaded before the page is drawn."""
    typical_by_length: dict[tuple[str, str, float | None], TypicalDuration | None] = field(
        default_factory=dict
    )

    places: dict[str, tuple[int, int]] = field(default_factory=dict)
    """By id: which of how many results of one request, counted from 1."""

    async def load_place(self, generation: Generation) -> None:
        ids = await self.generations.siblings(generation)
        if generation.id in ids and len(ids) > 1:
            self.places[generation.id] = ids.index(generation.id) + 1, len(ids)

    async def load_typical(self, kind: Kind) -> None:
        for model in self.generations.catalogue.models(kind):
            for length_s in {model.default_duration_s, *model.durations_s}:
                await self._load(model.backend, model.name, length_s)
            self.typical[model.backend, model.name] = self.typical_by_length.get(
                (model.backend, model.name, model.default_duration_s)
            )

    async def load_typical_for(self, generation: Generation) -> None:
        await self._load(*_typical_key(generation))

    def typical_for(self, generation: Generation) -> TypicalDuration | None:
        """Returns the typical duration of runs of the same video length."""
        return self.typical_by_length.get(_typical_key(generation))

    async def _load(self, backend: str, model: str, length_s: float | None) -> None:
        self.typical_by_length[backend, model, length_s] = await self.generations.typical(
            backend, model, length_s
        )

    def is_free(self, generation: Generation) -> bool:
        """Whether the generation's model is known to be free."""
        request = generation.request
        return any(
            model.price_per_second == 0
            for model in self.generations.catalogue.models(request.kind)
            if (model.backend, model.name) == (request.backend, request.model)
        )


def _typical_key(generation: Generation) -> tuple[str, str, float | None]:
    request = generation.request
    return request.backend, request.model, request.settings.duration_s
