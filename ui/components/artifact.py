"""A generation inside a conversation, drawn with the stage's parts."""

from collections.abc import Sequence
from dataclasses import replace

from nicegui import ui

from services.core.model import Generation, TraceEntry
from ui.components.actions import Actions
from ui.components.stage import Stage
from ui.session.page_context import PageContext
from ui.session.subscription import subscribe
from ui.state import Change, TabState
from ui.text import _


class Artifact(ui.element):
    """Has its own TabState, which receives only the updates of its generation."""

    def __init__(
        self, context: PageContext, actions: Actions, generation_id: str, generation: Generation | None
    ) -> None:
        super().__init__("div")
        self.classes("r-artifact")
        self.props["data-artifact"] = generation_id
        self.props["aria-live"] = "off"  # the stage has its own live region
        self.generation_id = generation_id
        self.context = replace(context, state=TabState())
        self.actions = actions
        self.stage: Stage | None = None
        self._is_newest = False
        if generation is not None:
            self.context.state.apply(generation)
        self._draw()

    async def connect(self, *, newest: bool) -> None:
        """Subscribes before it reads. Only the newest artifact loads its film at once."""
        self._is_newest = newest
        context = self.context
        subscribe(
            context, generation_id=self.generation_id, on_change=self._on_change, on_trace=self._on_trace
        )
        known = context.state.known.get(self.generation_id)
        if known is None or known.trashed_at is not None:
            return
        await context.load_typical_for(known)
        await context.load_place(known)
        typical = context.typical_for(known)
        context.state.apply(known, stage=True, estimated_s=typical.p50_s if typical else None)
        self._draw()
        self._on_trace(await context.generations.trace(self.generation_id, owner=context.owner))

    def _on_change(self, change: Change) -> None:
        current = self.context.state.current_generation
        if current is None or self.stage is None:
            self.context.state.apply(change.after, stage=True)
            self._draw()
        else:
            self.stage.refresh(current)

    def _on_trace(self, entries: Sequence[TraceEntry]) -> None:
        for entry in entries:
            self.context.state.apply(entry)
        if self.stage is not None:
            self.stage.add(entries)

    def _draw(self) -> None:
        """Draws the stage, or a note that the generation was deleted."""
        self.clear()
        self.stage = None
        current = self.context.state.current_generation
        with self:
            if current is not None:
                self.stage = Stage(self.context, self.actions, name=_("Result"), eager=self._is_newest)
                self.stage.show(current)
            elif self.generation_id not in self.context.state.known or self._is_deleted():
                ui.label(_("Deleted.")).classes("r-quiet r-artifact-gone")

    def _is_deleted(self) -> bool:
        return self.context.state.known[self.generation_id].trashed_at is not None
