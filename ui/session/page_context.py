"""One open page: whose it is, what it shows, and what it may ask for."""

from __future__ import annotations

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
    """By backend and model, for the model's usual length; filled before it is drawn."""
    of_length: dict[tuple[str, str, float | None], TypicalDuration | None] = field(default_factory=dict)

    async def learn(self, kind: Kind) -> None:
        for model in self.generations.catalogue.models(kind):
            for length_s in {model.default_duration_s, *model.durations_s}:
                await self._learn(model.backend, model.name, length_s)
            self.typical[model.backend, model.name] = self.of_length.get(
                (model.backend, model.name, model.default_duration_s)
            )

    async def learn_of(self, generation: Generation) -> None:
        await self._learn(*_likes_of(generation))

    def typical_of(self, generation: Generation) -> TypicalDuration | None:
        """Of runs of the same length: a film of 20 s says nothing about one of 5 s."""
        return self.of_length.get(_likes_of(generation))

    async def _learn(self, backend: str, model: str, length_s: float | None) -> None:
        self.of_length[backend, model, length_s] = await self.generations.typical(backend, model, length_s)

    def free(self, generation: Generation) -> bool:
        """Whether its model is known to cost nothing."""
        request = generation.request
        return any(
            model.price_per_second == 0
            for model in self.generations.catalogue.models(request.kind)
            if (model.backend, model.name) == (request.backend, request.model)
        )


def _likes_of(generation: Generation) -> tuple[str, str, float | None]:
    request = generation.request
    return request.backend, request.model, request.settings.duration_s
