"""The stage: one generation, whatever its state, with its race strip below; or the empty stage."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from nicegui import background_tasks, ui

from services.core.errors import AppError
from services.core.model import Generation, Phase, TraceEntry
from ui.components import stage_states
from ui.components.actions import Actions
from ui.components.button import Button
from ui.components.player import player
from ui.components.progress_panel import Working
from ui.components.race_strip import RaceStrip
from ui.session.page_context import PageContext
from ui.text import _, labels

VIEWS = {
    Phase.UNCONFIRMED: "unconfirmed",
    Phase.COMPLETED: "ready",
    Phase.ERROR: "failed",
    Phase.DROPPED: "stopped",
}
"""All other phases are under way: one view, so that nothing jumps between them."""


class Stage:
    """`on_example` starts one of the example prompts; without it the empty stage offers none.

    With a `name` it is one of several on its page; a film that is not `eager` is loaded when it is played.
    """

    def __init__(
        self,
        context: PageContext,
        actions: Actions,
        *,
        on_example: Callable[[str], Awaitable[None]] | None = None,
        on_clear: Callable[[], None] | None = None,
        name: str = "",
        eager: bool = True,
    ) -> None:
        self.context = context
        self.actions = actions
        self.on_example = on_example
        self.on_clear = on_clear
        self.eager = eager
        self.race: RaceStrip | None = None
        self.working: Working | None = None
        self._view = ("", "")
        self._acts = ("", "")
        self._revealed = ""
        self._seen: set[str] = set()
        with ui.element("section").classes("r-stage") as section:
            section.props["aria-label"] = name or _("Stage")
            with ui.element("header").classes("r-head") as self.header:
                with ui.element("h2" if name else "h1").classes("r-title"):
                    self.title = ui.label()
                self.meta = ui.label().classes("r-meta")
            self.gate = ui.element("div").classes("r-gate")
            self.choice = ui.element("div").classes("r-unwanted")
            self.row = ui.element("div").classes("r-acts")
            self.below = ui.element("div").classes("r-below")
            self.voice = ui.label().classes("r-sr").props("role=status aria-live=polite")
        self.clear()

    def show(self, generation: Generation) -> None:
        """Put another one on."""
        self.title.text = generation.request.prompt
        self.meta.text = labels.settings(generation)
        self.header.visible = True
        self.below.clear()
        with self.below:
            self.race = RaceStrip(generation, self.context.state)
        self.take(generation)

    def clear(self) -> None:
        """Nothing on it."""
        self._view = self._acts = ("", "blank")
        self._revealed = ""
        self.race = self.working = None
        self.header.visible = False
        self.voice.text = ""
        for part in (self.gate, self.choice, self.row, self.below):
            part.clear()
        self.gate.classes(replace="r-gate is-blank")
        with self.gate:
            stage_states.blank(self.on_example, self.context.state.kind)

    def add(self, entries: Sequence[TraceEntry]) -> None:
        if self.race is not None:
            self.race.add(entries)

    def take(self, generation: Generation) -> None:
        """The one on the stage has changed."""
        view = (generation.id, VIEWS.get(generation.phase, "working"))
        if view != self._view:
            self._view = view
            if view[1] != "ready" or self._revealed != generation.id:
                self._fill_gate(generation, view[1])
            self._revealed = ""
        elif self.working is not None:
            self.working.take(generation)
        self._offer(generation, "unwanted" if generation.unwanted else view[1])
        if self.race is not None:
            self.race.take(generation)
        self._speak(generation)

    def reveal(self, generation: Generation) -> bool:
        """Put the finished one into the gate, all else comes by `take`; False when it is there already."""
        if self._revealed == generation.id or self._view == (generation.id, "ready"):
            return False
        self._fill_gate(generation, "ready")
        self._revealed = generation.id
        return True

    def _offer(self, generation: Generation, what: str) -> None:
        """What can be done now; a film that is kept after all plays on."""
        if (generation.id, what) == self._acts:
            return
        self._acts = (generation.id, what)
        self.choice.clear()
        if generation.unwanted:
            with self.choice:
                stage_states.unwanted(self.actions, generation)
        self.row.clear()
        with self.row:
            stage_states.ACTS[what](self.actions, generation)
            if self.on_clear is not None:
                clear = Button(_("New"), self.on_clear, icon_name="blank", look="bare")
                clear.props["aria-label"] = clear.props["title"] = _("New: clear the stage")
                clear.classes("r-acts-last")

    def _fill_gate(self, generation: Generation, view: str) -> None:
        self.working = None
        self.gate.clear()
        self.gate.classes(replace=f"r-gate is-{view}")
        with self.gate:
            self._draw(generation, view)

    def _draw(self, generation: Generation, view: str) -> None:
        match view:
            case "ready":
                unseen = generation.receipt is not None and generation.receipt.shown_at is None
                shown = functools.partial(self._shown, generation.id)
                player(generation, on_shown=shown, eager=self.eager or unseen)
            case "failed":
                stage_states.failed(generation, free=self.context.free(generation))
            case "stopped":
                stage_states.stopped()
            case "unconfirmed":
                stage_states.unconfirmed()
            case _:
                status = self.context.state.generation_status
                self.working = Working(generation, status, self.context.typical_of(generation))

    def _shown(self, generation_id: str) -> None:
        if generation_id not in self._seen:
            self._seen.add(generation_id)
            background_tasks.create(self._note_shown(generation_id), name=f"shown {generation_id}")

    async def _note_shown(self, generation_id: str) -> None:
        with suppress(AppError):  # deleted meanwhile, or the disk is full: nothing a person must know
            await self.context.generations.shown(generation_id, owner=self.context.owner)

    def _speak(self, generation: Generation) -> None:
        """Each stage once, politely; a label that keeps its text says nothing."""
        late = generation.late_since is not None and not generation.final
        self.voice.text = labels.still_running(generation) if late else labels.message(generation)
