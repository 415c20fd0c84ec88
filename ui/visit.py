"""One open page: whose it is, what it shows, and what it may ask for."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import time

from nicegui import Client

from services.generations import Generations, Typical
from services.model import Generation, Kind
from ui.state import TabState


@dataclass(slots=True, kw_only=True)
class Visit:
    generations: Generations
    owner: str
    client: Client
    state: TabState
    opened_at: float = field(default_factory=time)
    typical: dict[tuple[str, str], Typical | None] = field(default_factory=dict)
    """By backend and model; filled before it is drawn."""

    async def learn(self, kind: Kind) -> None:
        for model in self.generations.catalogue.models(kind, needs_source=False):
            self.typical[model.backend, model.name] = await self.generations.typical(
                model.backend, model.name
            )

    async def learn_of(self, generation: Generation) -> None:
        key = (generation.request.backend, generation.request.model)
        self.typical[key] = await self.generations.typical(*key)

    def typical_of(self, generation: Generation) -> Typical | None:
        return self.typical.get((generation.request.backend, generation.request.model))

    def free(self, generation: Generation) -> bool:
        """Whether its model is known to cost nothing."""
        request = generation.request
        return any(
            model.price_per_second == 0
            for model in self.generations.catalogue.models(request.kind)
            if (model.backend, model.name) == (request.backend, request.model)
        )
