"""The page shape that video and images share: composer, stage, race strip, rushes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

from nicegui import Client, background_tasks, ui

from services.core.model import LOCAL_OWNER, Draft, Generation, Kind, Model, Phase, TraceEntry, replace
from services.generations.service import Generations
from ui.components.actions import Actions, to_composer
from ui.components.error_boundary import guarded
from ui.components.filmstrip import Filmstrip
from ui.components.notifications import FRAME_S, go_to
from ui.components.prompt_form import PromptForm
from ui.components.stage import Stage
from ui.pages import layout
from ui.session import drafts
from ui.session.page_context import PageContext
from ui.session.subscription import follow
from ui.state import Change, TabState
from ui.text import _, deferred

TITLES = {Kind.VIDEO: deferred("Video · Rushes"), Kind.IMAGE: deferred("Image · Rushes")}
RECENT = 24


def register(generations: Generations, *, kind: Kind, path: str) -> None:
    @layout.page(path)
    async def studio(client: Client) -> None:
        context = PageContext(
            generations=generations, owner=LOCAL_OWNER, client=client, state=TabState(kind=kind)
        )
        studio = StudioPage(context, kind)
        with layout.frame(here=path, title=_(TITLES[kind]), on_step=studio.step, open_it=studio.open_it):
            await studio.open()


class StudioPage:
    """One open page of the studio."""

    def __init__(self, context: PageContext, kind: Kind) -> None:
        self.context = context
        self.kind = kind
        self.generations = context.generations
        self.actions = Actions(context=context, started=self.started, edit=self.edit, compose=self.compose)
        self.ready = False
        """Drawn; before that, what is heard is only remembered."""

    async def open(self) -> None:
        """Subscribe, then read, then draw: nothing falls between."""
        context = self.context
        follow(context, on_change=self.changed, on_trace=self.traced)
        await context.learn(self.kind)
        recent = await self.generations.recent(owner=context.owner, kind=self.kind, limit=RECENT)
        for generation in reversed(recent.items):
            context.state.take(generation)
        self._draw()
        known = context.state.of_kind(self.kind)
        self.filmstrip.fill(known)
        self.ready = True
        await self.form.recheck_source()
        if known:
            context.state.take(known[0], newest=True)
            await self.put(known[0])

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
                    self.context, self.actions, on_example=self.example, on_clear=self.clear_stage
                )
                self.filmstrip = Filmstrip(on_choose=self.choose, on_clear=self.actions.clear(self.kind))

        self.context.client.on_delete(self.generations.catalogue.on_change(self.offered))

    def models(self, with_source: bool) -> list[Model]:
        return self.generations.catalogue.models(self.kind, needs_source=with_source)

    def offered(self) -> None:
        """The model list may have changed."""
        with self.context.client:
            self.form.offer()

    # what the person does

    async def submit(self, draft: Draft, count: int) -> None:
        """The first of them goes on the stage, the others wait beside it."""
        first, *others = await self.generations.start(draft, owner=self.context.owner, count=count)
        await self.started(first)
        for generation in others:
            self.context.state.take(generation, newest=True)
            self.filmstrip.take(self.context.state.known[generation.id])

    async def started(self, generation: Generation) -> None:
        self.context.state.take(generation, newest=True)
        self.filmstrip.take(self.context.state.known[generation.id])
        await self.put(generation)
        self.filmstrip.reveal()

    async def example(self, prompt: str) -> None:
        typed = drafts.load(self.kind)
        typed.prompt = prompt
        self.form.fill(typed)
        await self.form.generate()

    def edit(self, generation: Generation) -> None:
        self.compose(self.kind, drafts.of(generation))

    def compose(self, kind: Kind, typed: drafts.FormValues) -> None:
        if kind is not self.kind:
            to_composer(kind, typed)
            return
        self.form.fill(typed)
        self.form.fields["prompt"].control.run_method("focus")

    def clear_stage(self) -> None:
        self.context.state.take(None)
        self.stage.clear()
        self.filmstrip.choose("")
        self.studio.classes(add="is-blank")

    def choose(self, generation_id: str) -> None:
        async def act() -> None:
            known = self.context.state.known.get(generation_id)
            await self.put(known or await self.generations.get(generation_id, owner=self.context.owner))

        background_tasks.create(guarded(act)(), name=f"choose {generation_id}", context=self.context.client)

    def step(self, step: int) -> None:
        neighbour = self.filmstrip.neighbour(step)
        if neighbour is not None:
            self.choose(neighbour)
            self.filmstrip.reveal()

    async def put(self, generation: Generation) -> None:
        """On the stage with it; its trace is read while the page already listens."""
        state = self.context.state
        typical = self.context.typical_of(generation)
        state.take(generation, stage=True, estimated_s=typical.p50_s if typical else None)
        current = state.current_generation
        if current is None:
            return
        self.studio.classes(remove="is-blank")
        self.filmstrip.choose(current.id)
        self.stage.show(current)
        self.traced(await self.generations.trace(current.id, owner=self.context.owner))

    # what the page hears

    def changed(self, change: Change) -> None:
        """The film comes first; all else is drawn while its first frame is loaded."""
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
        beside = self.filmstrip.beside(after.id) if after.trashed_at is not None else None
        if after.request.kind is self.kind:
            self.filmstrip.take(after)
        if state.current_generation is not None and state.current_generation.id == after.id:
            self.stage.take(state.current_generation)
        elif after.trashed_at is not None and state.current_generation is None:
            if beside is not None and self.filmstrip.is_chosen(after.id):
                self.choose(beside)
            else:
                self.clear_stage()
        if after.final and (change.before is None or not change.before.final):
            background_tasks.create(self.context.learn_of(after), name="learn how long it took")

    def open_it(self, generation: Generation) -> None:
        if generation.request.kind is self.kind:
            self.choose(generation.id)
        else:
            go_to(generation)

    def traced(self, entries: Sequence[TraceEntry]) -> None:
        current = self.context.state.current_generation
        if self.ready and current is not None and entries and entries[0].generation_id == current.id:
            for entry in entries:
                self.context.state.take(entry)
            self.stage.add(entries)
