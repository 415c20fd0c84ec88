"""The stage: one generation, whatever its state; each state has its own picture and its own sentence."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from nicegui import background_tasks, ui

from services.model import Generation, Kind, Phase, TraceEntry
from ui import failures, words
from ui.acts import Acts
from ui.barrier import guarded
from ui.components.bar import Bar
from ui.components.button import Button, LinkButton
from ui.components.icon import icon
from ui.components.moment import Moment
from ui.components.player import player
from ui.components.race_strip import RaceStrip
from ui.state import shown_progress
from ui.text import _, deferred, measure
from ui.visit import Visit

EXAMPLES = (
    deferred("A lighthouse above a stormy sea at night, the beam sweeping slowly, slow zoom in"),
    deferred("Rain over a neon city, dolly forward between the towers"),
    deferred("Fog rising from a pine forest at dawn, slow pan to the right"),
)
VIEWS = {
    Phase.UNCONFIRMED: "unconfirmed",
    Phase.COMPLETED: "ready",
    Phase.ERROR: "failed",
    Phase.DROPPED: "stopped",
}


class Stage:
    """`on_example` starts one of the example prompts; without it the empty stage offers none."""

    def __init__(
        self,
        visit: Visit,
        acts: Acts,
        *,
        on_example: Callable[[str], Awaitable[None]] | None = None,
        on_clear: Callable[[], None] | None = None,
    ) -> None:
        self.visit = visit
        self.acts = acts
        self.on_example = on_example
        self.race: RaceStrip | None = None
        self._view: tuple[str, str] = ("", "")
        self._said = ""
        self._told: set[str] = set()
        with ui.element("section").classes("r-stage") as self.section:
            self.section.props["aria-label"] = _("Stage")
            with ui.element("header").classes("r-head") as self.header:
                with ui.element("h1").classes("r-title"):
                    self.title = ui.label()
                self.meta = ui.label().classes("r-meta")
            self.gate = ui.element("div").classes("r-gate")
            self.row = ui.element("div").classes("r-acts")
            self.below = ui.element("div").classes("r-below")
            self.voice = ui.label().classes("r-sr").props("role=status aria-live=polite")
        self._on_clear = on_clear
        self.show(None)

    def show(self, generation: Generation | None, entries: Sequence[TraceEntry] = ()) -> None:
        """Put another one on, or nothing."""
        self._said = ""
        if generation is None:
            self._blank()
            return
        self.title.text = generation.request.prompt
        self.meta.text = words.settings(generation)
        self.header.visible = True
        self.below.clear()
        with self.below:
            self.race = RaceStrip(generation, entries, self.visit.state)
        self.take(generation)

    def add(self, entries: Sequence[TraceEntry]) -> None:
        if self.race is not None:
            self.race.add(entries)

    def take(self, generation: Generation) -> None:
        """The one on the stage has changed."""
        view = VIEWS.get(generation.phase, "working")
        if (generation.id, view) != self._view:
            self._view = (generation.id, view)
            self._rebuild(generation, view)
        if view == "working":
            self._work(generation)
        if self.race is not None:
            self.race.take(generation)
        self._speak(generation)

    def _rebuild(self, generation: Generation, view: str) -> None:
        self.gate.clear()
        self.row.clear()
        self.gate.classes(replace=f"r-gate is-{view}")
        with self.gate:
            DRAW[view](self, generation)
        with self.row:
            ACTS[view](self, generation)
            if self._on_clear is not None:
                clear = Button(_("Clear stage"), self._on_clear, icon_name="blank", look="bare", shown=False)
                clear.classes("r-acts-last")

    def _blank(self) -> None:
        self._view = ("", "blank")
        self.race = None
        self.header.visible = False
        self.below.clear()
        self.row.clear()
        self.gate.clear()
        self.gate.classes(replace="r-gate is-blank")
        with self.gate:
            self._scene("slate", _("Nothing on the stage yet"), heading=True)
            if self.on_example is None:
                return
            ui.label(_("Write a prompt, or begin with one of these:")).classes("r-quiet")
            with ui.element("div").classes("r-examples"):
                for example in EXAMPLES:
                    self._example(_(example))

    def _example(self, text: str) -> None:
        begin = self.on_example
        with ui.element("button").classes("r-example").props("type=button") as button:
            ui.label(text)
        if begin is not None:
            button.on("click", guarded(lambda: begin(text)), [])

    def _scene(self, sign: str, sentence: str, *, heading: bool = False) -> ui.label:
        self.sign = icon(sign, size="xl").classes("r-scene-sign")
        with ui.element("h1" if heading else "p").classes("r-scene-words"):
            return ui.label(sentence)

    # working: from the moment it is written down until it is final

    def _draw_working(self, generation: Generation) -> None:
        status = self.visit.state.generation_status
        self.percent = ui.label().classes("r-percent")
        message = self._scene("reel", words.message(generation))
        message.bind_text_from(status, "message")
        with ui.element("p").classes("r-quiet r-figures"):
            Moment(generation.created_at, "since")
            ui.label("·").props("aria-hidden=true")
            ui.label(words.estimate(self.visit.typical_of(generation)))
        self.late = ui.label(words.still_running(generation)).classes("r-late")
        self.bar = Bar()

    def _work(self, generation: Generation) -> None:
        percent = shown_progress(generation)
        self.bar.show(percent)
        self.percent.text = "" if percent is None else _("{percent} %").format(percent=percent)
        self.percent.visible = percent is not None
        late = generation.late_since is not None
        self.late.visible = late
        sign = "late" if late else "send" if generation.status == "pending" else "reel"
        if f"i-{sign}" not in self.sign.classes:
            self.sign.classes(replace=f"i i-{sign} i-xl r-scene-sign")
        self.sign.visible = percent is None or late

    def _acts_working(self, generation: Generation) -> None:
        Button(_("Stop"), self.acts.stop(generation), icon_name="stop")
        Button(_("Check now"), self.acts.check(generation), icon_name="check")
        self._copy(generation)

    # ready

    def _draw_ready(self, generation: Generation) -> None:
        player(generation, on_shown=lambda: self._shown(generation.id))

    def _shown(self, generation_id: str) -> None:
        if generation_id in self._told:
            return
        self._told.add(generation_id)
        tell = self.visit.generations.shown(generation_id, owner=self.visit.owner)
        background_tasks.create(tell, name=f"shown {generation_id}")

    def _acts_ready(self, generation: Generation) -> None:
        with (
            ui.element("a")
            .classes("r-btn r-btn-quiet")
            .props("role=button data-act=download download") as save
        ):
            save.props["href"] = f"/media/{generation.id}/download"
            icon("download", size="s")
            ui.label(_("Download"))
        self._copy(generation)
        Button(_("Use again"), self.acts.revise(generation), icon_name="reuse")
        Button(_("Delete"), self.acts.delete(generation), icon_name="trash")

    # failed, stopped, unconfirmed

    def _draw_failed(self, generation: Generation) -> None:
        told = failures.explain(generation, free=self.visit.free(generation))
        self._scene("broken", told.happened)
        if told.theirs:
            ui.label(told.theirs).classes("r-theirs")
        ui.label(told.money).classes("r-quiet")
        ui.label(told.advice).classes("r-quiet")

    def _acts_failed(self, generation: Generation) -> None:
        Button(_("Retry"), self.acts.retry(generation), icon_name="retry")
        Button(_("Edit"), self.acts.revise(generation), icon_name="edit")
        if generation.job_id is not None:
            Button(_("Check now"), self.acts.check(generation), icon_name="check")
        Button(_("Delete"), self.acts.delete(generation), icon_name="trash")

    def _draw_stopped(self, generation: Generation) -> None:
        self._scene("stop", _("Stopped."))
        ui.label(_("Should the backend send it all the same, it is kept and you are told.")).classes(
            "r-quiet"
        )

    def _draw_unconfirmed(self, generation: Generation) -> None:
        self._scene("question", _("Nobody knows whether the backend took it."))
        ui.label(
            _("The line broke while it was sent. It may be in work there, and it may be charged.")
        ).classes("r-quiet")
        with ui.element("ul").classes("r-choices"):
            for name, meaning in (
                (_("Check now"), _("looks for it at the backend, and costs nothing")),
                (_("Submit again"), _("sends it once more, and may be charged twice")),
                (_("Drop"), _("lets it go; should it arrive, it is kept")),
            ):
                with ui.element("li"):
                    ui.label(name).classes("r-strong")
                    ui.label(meaning)

    def _acts_unconfirmed(self, generation: Generation) -> None:
        Button(_("Check now"), self.acts.check(generation), icon_name="check")
        Button(_("Submit again"), self.acts.submit_again(generation), icon_name="send")
        Button(_("Drop"), self.acts.stop(generation), icon_name="close")

    def _copy(self, generation: Generation) -> None:
        Button(_("Copy link"), icon_name="link").props["data-copy"] = f"/g/{generation.id}"

    def _speak(self, generation: Generation) -> None:
        """Each stage once, politely."""
        late = generation.late_since is not None and not generation.final
        sentence = words.still_running(generation) if late else words.message(generation)
        if sentence != self._said:
            self._said = sentence
            self.voice.text = sentence


Drawing = Callable[[Stage, Generation], None]
DRAW: dict[str, Drawing] = {
    "working": Stage._draw_working,
    "ready": Stage._draw_ready,
    "failed": Stage._draw_failed,
    "stopped": Stage._draw_stopped,
    "unconfirmed": Stage._draw_unconfirmed,
}
ACTS: dict[str, Drawing] = {
    "working": Stage._acts_working,
    "ready": Stage._acts_ready,
    "failed": Stage._acts_failed,
    "stopped": Stage._acts_failed,
    "unconfirmed": Stage._acts_unconfirmed,
}
__all__ = ["Kind", "LinkButton", "Stage", "measure"]
