"""A card in the filmstrip: poster, length or progress, and status as a word and an icon."""

from collections.abc import Awaitable, Callable

from nicegui import ui

from services.core.model import Generation, Phase
from ui.components.icon import icon
from ui.components.player import is_picture
from ui.components.progress_bar import ProgressBar
from ui.components.timestamp import Timestamp
from ui.text import _, labels, measure

PHASE_ICONS = {
    Phase.ERROR: "alert",
    Phase.DROPPED: "stop",
    Phase.UNCONFIRMED: "question",
    Phase.COMPLETED: "done",
}


class GenerationCard(ui.element):
    def __init__(
        self,
        generation: Generation,
        *,
        on_choose: Callable[[str], object],
        on_delete: Callable[[str], Awaitable[None]],
    ) -> None:
        super().__init__("div")
        self.classes("r-card").props("role=option tabindex=-1 aria-selected=false")
        self.on("click", lambda: on_choose(generation.id), [])
        self.on("keydown.delete", lambda: on_delete(generation.id), [])
        self.created_at = generation.created_at
        self._drawn_state: tuple[object, ...] = ()
        with self:
            self.picture = ui.element("div").classes("r-card-picture").props("aria-hidden=true")
            with self.picture:
                self.poster = ui.element("img").props('alt="" loading=lazy draggable=false')
                self.shape = icon("reel").classes("r-card-shape")
                self.badge = ui.label().classes("r-card-badge")
                self.bar = ProgressBar()
            ui.label(generation.request.prompt).classes("r-card-title")
            with ui.element("div").classes("r-card-line").props("aria-hidden=true") as line:
                Timestamp(generation.created_at)
                self.word = ui.label()
        self.props["aria-describedby"] = line.html_id  # read after the prompt, which is its name
        self.refresh(generation)

    def refresh(self, generation: Generation) -> None:
        """Redraws only what changed."""
        still = generation.final or generation.phase is Phase.UNCONFIRMED
        percent = None if still else generation.percent
        self.bar.show(percent)
        state = (
            generation.phase,
            generation.poster,
            generation.late_since,
            generation.stage,
            generation.receipt,
            generation.unwanted,
        )
        if state == self._drawn_state:
            return
        self._drawn_state = state
        self.word.text = card_status(generation)
        self.props["title"] = labels.problem(generation)
        self.badge.text = length(generation)
        self.badge.visible = bool(self.badge.text)
        unwanted = " is-unwanted" if generation.unwanted else ""
        picture = " is-picture" if is_picture(generation) and not labels.problem(generation) else ""
        self.classes(replace=f"r-card is-{generation.status} phase-{generation.phase}{unwanted}{picture}")
        hidden = " hidden" if generation.poster is not None else ""
        self.shape.classes(replace=f"i i-{card_icon(generation)} r-card-shape{hidden}")
        self.poster.visible = generation.poster is not None
        if generation.poster is not None:
            self.poster.props["src"] = f"/media/{generation.id}/poster"

    def choose(self, chosen: bool) -> None:
        self.props["aria-selected"] = "true" if chosen else "false"

    def set_tab_stop(self, enabled: bool) -> None:
        tabindex = "0" if enabled else "-1"
        if self.props["tabindex"] != tabindex:
            self.props["tabindex"] = tabindex


def card_icon(generation: Generation) -> str:
    return "alert" if labels.problem(generation) else PHASE_ICONS.get(generation.phase, "reel")


def card_status(generation: Generation) -> str:
    """Returns the status after the time: push, poll · +4:12 late, failed, working."""
    word = labels.short(generation)
    if generation.phase is not Phase.COMPLETED:
        slow = generation.late_since is not None and not generation.final
        return _("{word}, taking longer").format(word=word) if slow else word
    receipt = generation.receipt
    if receipt is None:
        return word
    parts = [word if generation.unwanted else _(labels.CHANNELS[receipt.won_by]), labels.lateness(receipt)]
    if labels.problem(generation):
        parts.insert(0, _("may not show"))
    return " · ".join(part for part in parts if part)


def length(generation: Generation) -> str:
    kept = generation.kept
    return "" if kept is None or kept.duration_s is None else measure.clock(kept.duration_s)
