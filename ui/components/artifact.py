"""A generation inside a conversation: the stage's own parts, for one that stays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nicegui import ui

from services.core.model import Generation, TraceEntry
from ui.components.actions import Actions
from ui.components.stage import Stage
from ui.session.page_context import PageContext
from ui.session.subscription import follow
from ui.state import Change, TabState
from ui.text import _


class Artifact(ui.element):
    """Has a state of its own, which only its own generation's news reach."""

    def __init__(
        self, context: PageContext, actions: Actions, generation_id: str, generation: Generation | None
    ) -> None:
        super().__init__("div")
        self.classes("r-artifact")
        self.props["data-artifact"] = generation_id
        self.props["aria-live"] = "off"  # the stage has a voice of its own
        self.id_of = generation_id
        self.context = replace(context, state=TabState())
        self.actions = actions
        self.stage: Stage | None = None
        self._newest = False
        if generation is not None:
            self.context.state.take(generation)
        self._draw()

    async def live(self, *, newest: bool) -> None:
        """Listen, then read: nothing falls between. The newest one's film is loaded at once."""
        self._newest = newest
        context = self.context
        follow(context, generation_id=self.id_of, on_change=self._changed, on_trace=self._traced)
        known = context.state.known.get(self.id_of)
        if known is None or known.trashed_at is not None:
            return
        await context.learn_of(known)
        typical = context.typical_of(known)
        context.state.take(known, stage=True, estimated_s=typical.p50_s if typical else None)
        self._draw()
        self._traced(await context.generations.trace(self.id_of, owner=context.owner))

    def _changed(self, change: Change) -> None:
        current = self.context.state.current_generation
        if current is None or self.stage is None:
            self.context.state.take(change.after, stage=True)
            self._draw()
        else:
            self.stage.take(current)

    def _traced(self, entries: Sequence[TraceEntry]) -> None:
        for entry in entries:
            self.context.state.take(entry)
        if self.stage is not None:
            self.stage.add(entries)

    def _draw(self) -> None:
        """The stage, or a word where it was."""
        self.clear()
        self.stage = None
        current = self.context.state.current_generation
        with self:
            if current is not None:
                self.stage = Stage(self.context, self.actions, name=_("Artifact"), eager=self._newest)
                self.stage.show(current)
            elif self.id_of not in self.context.state.known or self._gone():
                ui.label(_("This one was deleted.")).classes("r-quiet r-artifact-gone")

    def _gone(self) -> bool:
        return self.context.state.known[self.id_of].trashed_at is not None
