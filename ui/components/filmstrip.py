"""The filmstrip of recent generations, newest first, with arrow-key navigation."""

from collections.abc import Awaitable, Callable, Sequence

from nicegui import ui

from services.core.model import Generation
from ui.components.button import Button
from ui.components.error_boundary import Handler
from ui.components.generation_card import GenerationCard
from ui.text import _

CARD_PX = 180
MAX_CARDS = 30
"""The library has older generations."""


class Filmstrip:
    def __init__(
        self,
        *,
        on_choose: Callable[[str], object],
        on_delete: Callable[[str], Awaitable[None]],
        on_clear: Handler,
    ) -> None:
        self._on_choose = on_choose
        self._on_delete = on_delete
        self._cards: dict[str, GenerationCard] = {}
        self._chosen = ""
        with ui.element("section").classes("r-rushes") as self.section:
            self.section.props["aria-label"] = _("Recent")
            with ui.element("div").classes("r-rushes-head"):
                with ui.element("h2").classes("r-h2"):
                    ui.label(_("Recent"))
                Button(_("Clear all"), on_clear, look="bare")
            self.strip = (
                ui.element("div").classes("r-strip").props("role=listbox aria-orientation=horizontal")
            )
            self.strip.props["aria-label"] = _("Recent results, newest first")
        self.section.visible = False

    def fill(self, generations: Sequence[Generation]) -> None:
        for generation in reversed(generations):
            self.put(generation)

    def put(self, generation: Generation) -> None:
        card = self._cards.get(generation.id)
        if generation.trashed_at is not None:
            self.drop(generation.id)
        elif card is not None:
            card.refresh(generation)
        else:
            self._add(generation)

    def drop(self, generation_id: str) -> None:
        if card := self._cards.pop(generation_id, None):
            card.delete()
        self.section.visible = bool(self._cards)
        self._update_tab_stop()

    def choose(self, generation_id: str) -> None:
        if generation_id == self._chosen:
            return
        for one, chosen in ((self._chosen, False), (generation_id, True)):
            if card := self._cards.get(one):
                card.choose(chosen)
        self._chosen = generation_id
        self._update_tab_stop()

    def reveal(self) -> None:
        """Scrolls the strip, not the page, to the chosen card."""
        order = self._order()
        if self._chosen in order:
            left = max(0, order.index(self._chosen) - 1) * CARD_PX
            self.strip.run_method("scrollTo", {"left": left, "behavior": "smooth"})

    def focus(self, generation_id: str | None) -> None:
        if card := self._cards.get(generation_id or ""):
            card.run_method("focus")

    def neighbour(self, step: int) -> str | None:
        """Returns the id `step` cards to the right of the chosen one; None at the ends."""
        order = self._order()
        if not order:
            return None
        if self._chosen not in order:
            return order[0]
        index = order.index(self._chosen) + step
        return order[index] if 0 <= index < len(order) else None

    def is_chosen(self, generation_id: str) -> bool:
        return generation_id == self._chosen

    def successor_of(self, generation_id: str) -> str | None:
        """Returns the card to choose when this one is removed: the next older, else the next newer."""
        order = self._order()
        if generation_id not in order:
            return None
        index = order.index(generation_id)
        return next(iter([*order[index + 1 : index + 2], *order[max(0, index - 1) : index]]), None)

    def _order(self) -> list[str]:
        return sorted(self._cards, key=lambda one: self._cards[one].created_at, reverse=True)

    def _add(self, generation: Generation) -> None:
        with self.strip:
            card = GenerationCard(generation, on_choose=self._on_choose, on_delete=self._on_delete)
        self._cards[generation.id] = card
        order = self._order()
        card.move(target_index=order.index(generation.id))
        self.section.visible = True
        self._update_tab_stop()
        for surplus in order[MAX_CARDS:]:
            self.drop(surplus)

    def _update_tab_stop(self) -> None:
        """Makes exactly one card reachable by Tab: the chosen one, else the newest."""
        order = self._order()
        tab_stop = self._chosen if self._chosen in self._cards else order[0] if order else ""
        for generation_id, card in self._cards.items():
            card.set_tab_stop(generation_id == tab_stop)
