"""One generation at its own URL: player, prompt, settings, receipt, race, timeline."""

from collections.abc import Sequence

from nicegui import Client, background_tasks, ui

from services.core.errors import NotFound
from services.core.model import Generation, TraceEntry
from services.generations.service import Generations
from ui.components import keyboard_help
from ui.components.actions import Actions, open_composer
from ui.components.button import LinkButton
from ui.components.facts import settings_facts
from ui.components.icon import icon
from ui.components.notifications import go_to
from ui.components.receipt import receipt_facts
from ui.components.stage import Stage
from ui.components.timeline_lookup import bundle_button
from ui.components.trace_table import TraceTable
from ui.pages import layout
from ui.session import drafts
from ui.session.page_context import PageContext
from ui.session.person import current_person
from ui.session.subscription import subscribe
from ui.state import Change, TabState
from ui.text import _


def register(generations: Generations) -> None:
    @layout.page("/g/{generation_id}")
    async def generation_page(client: Client, generation_id: str) -> None:
        context = PageContext(
            generations=generations, owner=current_person(), client=client, state=TabState()
        )
        page = GenerationPage(context, generation_id)
        page.subscribe()
        try:
            generation = await generations.get(generation_id, owner=context.owner)
        except NotFound:
            not_found()
            return
        title = _("{prompt} · Rushes").format(prompt=generation.request.prompt[:60])
        with layout.frame(
            path="",
            title=title,
            keys=keyboard_help.RESULT[generation.request.kind],
            on_open=page.open_generation,
            on_stage=context.state.stage_id,
        ):
            await page.draw(generation)


def not_found() -> None:
    ui.status_code(404)
    with layout.frame(path="", title=_("Not found · Rushes")):
        draw_not_found()


def draw_not_found() -> None:
    with ui.element("div").classes("r-lost"):
        icon("reel", size="xl").classes("r-scene-sign")
        with ui.element("h1").classes("r-scene-words"):
            ui.label(_("Page not found."))
        ui.label(_("It may have been deleted, or the link is incomplete.")).classes("r-quiet")
        LinkButton(_("Back to Video"), "/", icon_name="back")


class GenerationPage:
    """One open page of one generation."""

    def __init__(self, context: PageContext, generation_id: str) -> None:
        self.context = context
        self.id = generation_id
        self.stage: Stage | None = None
        self.deleted = False
        self.actions = Actions(context=context, started=self.started, edit=self.edit)

    def subscribe(self) -> None:
        subscribe(self.context, on_change=self.on_change, on_trace=self.on_trace)

    async def draw(self, generation: Generation) -> None:
        state = self.context.state
        await self.context.load_typical_for(generation)
        await self.context.load_place(generation)
        typical = self.context.typical_for(generation)
        state.apply(generation, stage=True, newest=True, estimated_s=typical.p50_s if typical else None)
        entries = await self.context.generations.trace(self.id, owner=self.context.owner)
        current = state.current_generation or generation
        with ui.element("div").classes("r-single") as self.page:
            self.stage = Stage(self.context, self.actions)
            self.stage.show(current)
            with ui.element("div").classes("r-pair"):
                with ui.element("section").classes("r-panel"):
                    heading(_("Prompt and settings"))
                    ui.label(current.request.prompt).classes("r-words")
                    settings_facts(current)
                with ui.element("section").classes("r-panel") as self.receipt_panel:
                    pass
            with ui.element("section").classes("r-panel"):
                heading(_("Timeline"))
                self.table = TraceTable()
                with ui.element("div").classes("r-row"):
                    bundle_button(current)
        self.draw_receipt(current)
        self.on_trace(entries)

    def draw_receipt(self, generation: Generation) -> None:
        self.receipt_panel.clear()
        with self.receipt_panel:
            heading(_("Delivery receipt"))
            if generation.receipt is None:
                ui.label(_("Available when the file has been saved.")).classes("r-quiet")
            else:
                receipt_facts(generation, generation.receipt)

    async def started(self, generation: Generation) -> None:
        go_to(generation)

    def open_generation(self, generation: Generation) -> None:
        if generation.id == self.id:
            ui.run_javascript("scrollTo({ top: 0 })")
        else:
            go_to(generation)

    def edit(self, generation: Generation) -> None:
        """Opens the composer's page with these settings."""
        open_composer(generation.request.kind, drafts.from_generation(generation))

    def on_change(self, change: Change) -> None:
        after = change.after
        current = self.context.state.current_generation
        if self.stage is None or after.id != self.id:
            return
        if after.trashed_at is None and self.deleted:  # restored from the trash
            go_to(after)
            return
        if current is None:
            self.deleted = True
            self.page.clear()
            with self.page:
                draw_not_found()
            return
        self.stage.refresh(current)
        if change.before is None or change.before.receipt != after.receipt:
            self.draw_receipt(current)
        if current.final and (change.before is None or not change.before.final):
            background_tasks.create(self.context.load_typical_for(current), name="load typical duration")

    def on_trace(self, entries: Sequence[TraceEntry]) -> None:
        if self.stage is not None:
            for entry in entries:
                self.context.state.apply(entry)
            self.stage.add(entries)
            self.table.add(entries)


def heading(text: str) -> None:
    with ui.element("h2").classes("r-h2"):
        ui.label(text)
