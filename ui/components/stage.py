"""The stage: one generation in any state with its race strip, or the empty stage."""

import functools
from collections.abc import Callable, Sequence
from contextlib import suppress

from nicegui import background_tasks, ui

from services.core.errors import AppError
from services.core.model import Generation, Phase, TraceEntry
from ui.components import animatic_notice, stage_states
from ui.components.actions import Actions
from ui.components.button import Button
from ui.components.player import DEFAULT_RATIO, Player, shown_ratio
from ui.components.progress_panel import ProgressPanel
from ui.components.race_strip import RaceStrip
from ui.session.page_context import PageContext
from ui.text import _, labels

VIEWS = {
    Phase.UNCONFIRMED: "unconfirmed",
    Phase.COMPLETED: "ready",
    Phase.ERROR: "failed",
    Phase.DROPPED: "stopped",
}
"""All other phases share one view, so that the layout does not jump."""


class Stage:
    """`on_example` starts an example prompt; without it the empty stage offers none.

    `name` is for several stages on one page; a video that is not `eager` loads when it is played.
    """

    def __init__(
        self,
        context: PageContext,
        actions: Actions,
        *,
        on_example: stage_states.OnExample | None = None,
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
        self.working: ProgressPanel | None = None
        self.player: Player | None = None
        self._view = ("", "")
        self._action_key = ("", "")
        self._revealed = ""
        self._reported: set[str] = set()
        with ui.element("section").classes("r-stage") as section:
            section.props["aria-label"] = name or _("Stage")
            with ui.element("header").classes("r-head") as self.header:
                with ui.element("h2" if name else "h1").classes("r-title"):
                    self.title = ui.label()
                self.meta = ui.label().classes("r-meta")
            self.view_box = ui.element("div").classes("r-gate")
            self.unwanted_row = ui.element("div").classes("r-unwanted")
            self.action_row = ui.element("div").classes("r-acts")
            self.animatic_note = ui.element("div").classes("r-stage-note")
            self.below = ui.element("div").classes("r-below")
            self.announcer = ui.label().classes("r-sr").props("role=status aria-live=polite")
        self.clear()

    def show(self, generation: Generation) -> None:
        """Shows another generation."""
        self.title.text = generation.request.prompt
        self.meta.text = labels.settings(generation, self.context.places.get(generation.id))
        self.header.visible = True
        self.animatic_note.clear()
        with self.animatic_note:
            animatic_notice.unmatched(generation.request)
        self.below.clear()
        with self.below:
            self.race = RaceStrip(generation, self.context.state)
        self.refresh(generation)

    def clear(self) -> None:
        """Shows the empty stage."""
        self._view = self._action_key = ("", "blank")
        self._revealed = ""
        self.race = self.working = self.player = None
        self.header.visible = False
        self.announcer.text = ""
        for part in (self.view_box, self.unwanted_row, self.action_row, self.animatic_note, self.below):
            part.clear()
        self.view_box.classes(replace="r-gate is-blank")
        with self.view_box:
            stage_states.blank(self.on_example, self.context.state.kind)
            self.welcome = animatic_notice.welcome()
        self.update_models()

    def update_models(self) -> None:
        """Says on the empty stage whether the animatic is all there is."""
        kind = self.context.state.kind
        self.welcome.visible = kind is not None and animatic_notice.draws_alone(
            self.context.generations.catalogue, kind
        )

    def add(self, entries: Sequence[TraceEntry]) -> None:
        if self.race is not None:
            self.race.add(entries)

    def refresh(self, generation: Generation) -> None:
        """Updates the shown generation."""
        view = (generation.id, VIEWS.get(generation.phase, "working"))
        if view != self._view:
            self._view = view
            if view[1] != "ready" or self._revealed != generation.id:
                self._fill_view(generation, view[1])
            self._revealed = ""
        elif self.working is not None:
            self.working.refresh(generation)
        if self.player is not None:
            self.player.refresh(generation)
        has_problem = view[1] == "ready" and bool(labels.problem(generation))
        self._draw_actions(
            generation, "unwanted" if generation.unwanted else "problem" if has_problem else view[1]
        )
        self.animatic_note.visible = view[1] in ("working", "ready")
        if self.race is not None:
            self.race.refresh(generation)
        self._announce(generation)

    def reveal(self, generation: Generation) -> bool:
        """Shows the player of a finished generation ahead of `refresh`; False if it is shown already."""
        if self._revealed == generation.id or self._view == (generation.id, "ready"):
            return False
        self._fill_view(generation, "ready")
        self._revealed = generation.id
        return True

    def _draw_actions(self, generation: Generation, view: str) -> None:
        """Draws the available actions, without touching the player."""
        if (generation.id, view) == self._action_key:
            return
        self._action_key = (generation.id, view)
        self.unwanted_row.clear()
        if generation.unwanted:
            with self.unwanted_row:
                stage_states.unwanted(self.actions, generation)
        self.action_row.clear()
        with self.action_row:
            stage_states.ACTIONS[view](self.actions, generation)
            if self.on_clear is not None:
                clear = Button(_("New"), self.on_clear, icon_name="blank", look="bare")
                clear.props["aria-label"] = clear.props["title"] = _("New: clear the current result")
                clear.classes("r-acts-last")

    def _fill_view(self, generation: Generation, view: str) -> None:
        self.working = self.player = None
        self.view_box.clear()
        self.view_box.classes(replace=f"r-gate is-{view}")
        has_problem = view == "ready" and bool(labels.problem(generation))
        framed = view in ("ready", "working") and not has_problem
        self.view_box.style["--ratio"] = f"{shown_ratio(generation) if framed else DEFAULT_RATIO:.4f}"
        with self.view_box:
            self._draw(generation, view)

    def _draw(self, generation: Generation, view: str) -> None:
        match view:
            case "ready" if labels.problem(generation):
                stage_states.arrived_with_problem(generation)
                self._shown(generation.id)
            case "ready":
                unseen = generation.receipt is not None and generation.receipt.shown_at is None
                shown = functools.partial(self._shown, generation.id)
                self.player = Player(generation, on_shown=shown, eager=self.eager or unseen)
            case "failed":
                stage_states.failed(generation, free=self.context.is_free(generation))
            case "stopped":
                stage_states.stopped()
            case "unconfirmed":
                stage_states.unconfirmed()
            case _:
                status = self.context.state.generation_status
                self.working = ProgressPanel(generation, status, self.context.typical_for(generation))

    def _shown(self, generation_id: str) -> None:
        if generation_id not in self._reported:
            self._reported.add(generation_id)
            background_tasks.create(self._note_shown(generation_id), name=f"shown {generation_id}")

    async def _note_shown(self, generation_id: str) -> None:
        with suppress(AppError):  # deleted meanwhile, or the disk is full: not worth a message
            await self.context.generations.shown(generation_id, owner=self.context.owner)

    def _announce(self, generation: Generation) -> None:
        """Announces the state to screen readers; an unchanged label stays silent."""
        late = generation.late_since is not None and not generation.final
        self.announcer.text = labels.still_running(generation) if late else labels.message(generation)
