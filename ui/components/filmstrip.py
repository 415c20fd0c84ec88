"""The strip of rushes, newest first; left and right step through it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from nicegui import ui

from services.core.model import Generation
from ui.components.button import Button
from ui.components.error_boundary import Act
from ui.components.generation_card import GenerationCard
from ui.text import _

CARD_PX = 180
ROOM = 30
"""Cards at most; the library has the rest."""


class Filmstrip:
    def __init__(self, *, on_choose: Callable[[str], object], on_clear: Act) -> None:
        self._on_choose = on_choose
        self._cards: dict[str, GenerationCard] = {}
        self._chosen = ""
        with ui.element("section").classes("r-rushes") as self.section:
            self.section.props["aria-label"] = _("Rushes")
            with ui.element("div").classes("r-rushes-head"):
                with ui.element("h2").classes("r-h2"):
                    ui.label(_("Latest rushes"))
                Button(_("Clear all"), on_clear, look="bare")
            self.strip = (
                ui.element("div").classes("r-strip").props("role=listbox aria-orientation=horizontal")
            )
            self.strip.props["aria-label"] = _("Latest rushes, newest first")
        self.section.visible = False

    def fill(self, generations: Sequence[Generation]) -> None:
        for generation in reversed(generations):
            self.take(generation)

    def take(self, generation: Generation) -> None:
        card = self._cards.get(generation.id)
        if generation.trashed_at is not None:
            self.drop(generation.id)
        elif card is not None:
            card.take(generation)
        else:
            self._add(generation)

    def drop(self, generation_id: str) -> None:
        if card := self._cards.pop(generation_id, None):
            card.delete()
        self.section.visible = bool(self._cards)
        self._rove()

    def choose(self, generation_id: str) -> None:
        if generation_id == self._chosen:
            return
        for one, chosen in ((self._chosen, False), (generation_id, True)):
            if card := self._cards.get(one):
                card.choose(chosen)
        self._chosen = generation_id
        self._rove()

    def reveal(self) -> None:
        """Scroll the strip, not the page, to the chosen one."""
        order = self._order()
        if self._chosen in order:
            left = max(0, order.index(self._chosen) - 1) * CARD_PX
            self.strip.run_method("scrollTo", {"left": left, "behavior": "smooth"})

    def neighbour(self, step: int) -> str | None:
        """The id `step` cards to the right of the chosen one; None at the ends."""
        order = self._order()
        if not order:
            return None
        if self._chosen not in order:
            return order[0]
        place = order.index(self._chosen) + step
        return order[place] if 0 <= place < len(order) else None

    def is_chosen(self, generation_id: str) -> bool:
        return generation_id == self._chosen

    def beside(self, generation_id: str) -> str | None:
        """The card that takes the place of this one when it goes: the next older, else the next newer."""
        order = self._order()
        if generation_id not in order:
            return None
        place = order.index(generation_id)
        return next(iter([*order[place + 1 : place + 2], *order[max(0, place - 1) : place]]), None)

    def _order(self) -> list[str]:
        return sorted(self._cards, key=lambda one: self._cards[one].created_at, reverse=True)

    def _add(self, generation: Generation) -> None:
        with self.strip:
            card = GenerationCard(generation, on_choose=self._on_choose)
        self._cards[generation.id] = card
        order = self._order()
        card.move(target_index=order.index(generation.id))
        self.section.visible = True
        self._rove()
        for surplus in order[ROOM:]:
            self.drop(surplus)

    def _rove(self) -> None:
        """Exactly one card is reached by the Tab key: the chosen one, else the newest."""
        order = self._order()
        reached = self._chosen if self._chosen in self._cards else order[0] if order else ""
        for generation_id, card in self._cards.items():
            card.reach(generation_id == reached)
