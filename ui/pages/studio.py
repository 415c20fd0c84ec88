"""The page for videos and images: composer, stage, race strip, filmstrip."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial

from nicegui import Client, background_tasks, ui

from services.core.model import Draft, Generation, GenerationQuery, Kind, Model, Phase, TraceEntry
from services.generations.service import Generations
from ui.components import keyboard_help
from ui.components.actions import Actions, open_composer
from ui.components.error_boundary import guarded
from ui.components.filmstrip import Filmstrip
from ui.components.notifications import FRAME_S, go_to
from ui.components.press import Press
from ui.components.prompt_form import PromptForm
from ui.components.stage import Stage
from ui.components.toast import toast
from ui.pages import layout
from ui.session import drafts
from ui.session.page_context import PageContext
from ui.session.person import current_person
from ui.session.subscription import subscribe
from ui.state import Change, TabState
from ui.text import _, deferred

TITLES = {Kind.VIDEO: deferred("Video · Rushes"), Kind.IMAGE: deferred("Image · Rushes")}
RECENT = 24


def register(generations: Generations, *, kind: Kind, path: str) -> None:
    @layout.page(path)
    async def studio(client: Client) -> None:
        context = PageContext(
            generations=generations, owner=current_person(), client=client, state=TabState(kind=kind)
        )
        studio = StudioPage(context, kind)
        with layout.frame(
            path=path,
            title=_(TITLES[kind]),
            keys=keyboard_help.studio(kind),
            on_step=studio.step,
            on_open=studio.open_generation,
            on_stage=context.state.stage_id,
        ):
            await studio.open()


class StudioPage:
    """One open page of the studio."""

    def __init__(self, context: PageContext, kind: Kind) -> None:
        self.context = context
        self.kind = kind
        self.generations = context.generations
        self.actions = Actions(context=context, started=self.started, edit=self.edit, compose=self.compose)
        self.ready = False
        """Whether the page is drawn; updates before that only go into its state."""
        self.shows = 0
        """Counts what was put on the stage, or taken from it."""
        self.deleted_id = ""
        """What was deleted from the stage last: an undo brings it back there."""

    async def open(self) -> None:
        """Subscribes, then reads, then draws, so that no update is missed."""
        context = self.context
        subscribe(context, on_change=self.on_change, on_trace=self.on_trace)
        await context.load_typical(self.kind)
        query = GenerationQuery(kind=self.kind)
        recent = await self.generations.listed(query, owner=context.owner, limit=RECENT)
        for generation in reversed(recent.items):
            context.state.apply(generation)
        self._draw()
        known = context.state.of_kind(self.kind)
        self.filmstrip.fill(known)
        self.ready = True
        await self.form.recheck_source()
        if known:
            context.state.apply(known[0], newest=True)
            await self.show(known[0])

    def _draw(self) -> None:
        with ui.element("div").classes("r-desk is-blank") as self.studio:
            self.form = PromptForm(
                self.kind,
                self.models,
                self.context.typical,
                submit=self.submit,
                check_source=partial(self.generations.check_source, owner=self.context.owner),
                compose=self.compose,
            )
            with ui.element("div").classes("r-column"):
                self.stage = Stage(
                    self.context, self.actions, on_example=self.start_example, on_clear=self.clear_stage
                )
                self.filmstrip = Filmstrip(
                    on_choose=self.choose,
                    on_delete=self.delete_card,
                    on_clear=self.actions.clear(self.kind),
                )

        self.context.client.on_delete(self.generations.catalogue.on_change(self.on_models_changed))

    def models(self, with_source: bool) -> list[Model]:
        return self.generations.catalogue.models(self.kind, needs_source=with_source)

    def on_models_changed(self) -> None:
        """Updates the form; the catalogue may have changed."""
        with self.context.client:
            self.form.update_models()
            self.stage.update_models()

    # actions

    async def submit(self, draft: Draft, count: int, press: Press) -> None:
        """Starts `count` generations, once for each press; the first one goes on the stage."""
        key = press.key(asdict(draft), count)
        first, *others = await self.generations.start(draft, owner=self.context.owner, count=count, key=key)
        await self.started(first)
        for generation in others:
            self.context.state.apply(generation, newest=True)
            self.filmstrip.put(self.context.state.known[generation.id])

    async def started(self, generation: Generation) -> None:
        self.context.state.apply(generation, newest=True)
        self.filmstrip.put(self.context.state.known[generation.id])
        await self.show(generation)
        self.filmstrip.reveal()
        self.context.client.run_javascript("rushes.showStage()")

    async def start_example(self, prompt: str, press: Press) -> None:
        values = drafts.load(self.kind)
        values.prompt = prompt
        self.form.fill(values)
        await self.form.generate(press)

    def edit(self, generation: Generation) -> None:
        self.compose(self.kind, drafts.from_generation(generation))

    def compose(self, kind: Kind, values: drafts.FormValues) -> None:
        if kind is not self.kind:
            open_composer(kind, values)
            return
        self.form.fill(values)
        self.context.client.run_javascript("rushes.showComposer()")

    def clear_stage(self) -> None:
        self.shows += 1
        self.context.state.apply(None)
        self.stage.clear()
        self.filmstrip.choose("")
        self.studio.classes(add="is-blank")

    def choose(self, generation_id: str) -> None:
        async def load_and_show() -> None:
            known = self.context.state.known.get(generation_id)
            await self.show(known or await self.generations.get(generation_id, owner=self.context.owner))

        background_tasks.create(
            guarded(load_and_show)(), name=f"choose {generation_id}", context=self.context.client
        )

    async def delete_card(self, generation_id: str) -> None:
        generation = self.context.state.known[generation_id]
        if not generation.final:
            toast(_("Still in progress. Stop it before deleting."))
            return
        successor = self.filmstrip.successor_of(generation_id)
        await guarded(self.actions.delete(generation))()
        self.filmstrip.focus(successor)

    def step(self, step: int) -> None:
        neighbour = self.filmstrip.neighbour(step)
        if neighbour is not None:
            self.choose(neighbour)
            self.filmstrip.reveal()

    async def show(self, generation: Generation) -> None:
        """Puts a generation on the stage and reads its trace; the page is already subscribed."""
        state = self.context.state
        typical = self.context.typical_for(generation)
        self.shows += 1
        number = self.shows
        await self.context.load_place(generation)
        if number != self.shows:  # another one was chosen meanwhile
            return
        state.apply(generation, stage=True, estimated_s=typical.p50_s if typical else None)
        current = state.current_generation
        if current is None:
            return
        self.studio.classes(remove="is-blank")
        self.filmstrip.choose(current.id)
        self.stage.show(current)
        self.on_trace(await self.generations.trace(current.id, owner=self.context.owner))

    # updates from the bus

    def on_change(self, change: Change) -> None:
        """Shows an arrived film first; the rest is drawn while its first frame loads."""
        if not self.ready:
            return
        current = self.context.state.current_generation
        arrived = current is not None and current.id == change.after.id and current.phase is Phase.COMPLETED
        if arrived and current is not None and self.stage.reveal(current):
            asyncio.get_running_loop().call_later(FRAME_S, self._draw_later, change)
        else:
            self._draw_change(change)

    def _draw_later(self, change: Change) -> None:
        if self.context.client.is_deleted:
            return
        with self.context.client:
            self._draw_change(
                replace(change, after=self.context.state.known.get(change.after.id, change.after))
            )

    def _draw_change(self, change: Change) -> None:
        after, state = change.after, self.context.state
        successor = self.filmstrip.successor_of(after.id) if after.trashed_at is not None else None
        if after.request.kind is self.kind:
            self.filmstrip.put(after)
        if state.current_generation is not None and state.current_generation.id == after.id:
            self.stage.refresh(state.current_generation)
        elif after.trashed_at is None and self.deleted_id == after.id:
            self.deleted_id = ""
            self.choose(after.id)
        elif after.trashed_at is not None and state.current_generation is None:
            if self.filmstrip.is_chosen(after.id):
                self.deleted_id = after.id
            if successor is not None and self.filmstrip.is_chosen(after.id):
                self.choose(successor)
            else:
                self.clear_stage()
        if after.final and (change.before is None or not change.before.final):
            background_tasks.create(self.context.load_typical_for(after), name="load typical duration")

    def open_generation(self, generation: Generation) -> None:
        if generation.request.kind is self.kind:
            self.choose(generation.id)
        else:
            go_to(generation)

    def on_trace(self, entries: Sequence[TraceEntry]) -> None:
        current = self.context.state.current_generation
        if self.ready and current is not None and entries and entries[0].generation_id == current.id:
            for entry in entries:
                self.context.state.apply(entry)
            self.stage.add(entries)
