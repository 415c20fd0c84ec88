"""The library: search, filters, tags, ZIP downloads, trash and restore."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from functools import partial

from nicegui import Client, background_tasks, ui
from starlette.requests import Request

from services.core.errors import Conflict
from services.core.model import Generation, Kind, Phase
from services.generations.service import Generations, Page
from services.library import Library
from services.library.query_match import matches
from ui.components import keyboard_help
from ui.components.actions import Actions, open_composer
from ui.components.button import Button
from ui.components.chip import chip, toggle
from ui.components.confirm import confirm
from ui.components.error_boundary import guarded
from ui.components.field import line
from ui.components.library_grid import LibraryGrid
from ui.components.tag_dialog import tag_dialog
from ui.components.toast import toast
from ui.pages import layout
from ui.session import drafts, library_query
from ui.session.library_query import LibraryQuery
from ui.session.page_context import PageContext
from ui.session.person import current_person
from ui.session.subscription import subscribe
from ui.state import Change, TabState
from ui.text import _, deferred, measure, ngettext

PATH = "/library"
KINDS = {"video": deferred("Videos"), "image": deferred("Images")}
STATES = {
    "ready": deferred("Ready"),
    "working": deferred("In progress"),
    "failed": deferred("Failed"),
    "stopped": deferred("Stopped"),
    "unwanted": deferred("Arrived after stop"),
}
SPANS = {
    "day": deferred("Last 24 hours"),
    "week": deferred("Last 7 days"),
    "month": deferred("Last 30 days"),
    "year": deferred("Last year"),
    library_query.BETWEEN: deferred("Custom range"),
}
DEBOUNCE_MS = 150
TOTALS_DELAY_S = 0.3
PAGE_SIZE = 60


def register(generations: Generations, library: Library) -> None:
    @layout.page(PATH)
    async def library_page(client: Client, request: Request) -> None:
        context = PageContext(
            generations=generations, owner=current_person(), client=client, state=TabState()
        )
        page = LibraryPage(context, library, library_query.from_params(request.query_params))
        keys = keyboard_help.TRASH if page.query.trash else keyboard_help.LIBRARY
        with layout.frame(path=PATH, title=_("Library · Rushes"), keys=keys):
            await page.open()


class LibraryPage:
    """One open page of the library."""

    def __init__(self, context: PageContext, library: Library, query: LibraryQuery) -> None:
        self.context = context
        self.library = library
        self.query = query
        self.filter = query.generation_query()
        self.next: str | None = None
        self._request_number = 0
        self._totals_timer: asyncio.TimerHandle | None = None
        self.date_inputs: list[ui.element] = []
        self._actions = Actions(context=context, started=_do_nothing, edit=_do_nothing)

    async def open(self) -> None:
        """Subscribes, then reads, then draws, so that no update is missed."""
        self.grid: LibraryGrid | None = None
        subscribe(self.context, on_change=self.on_change)
        models = await self.library.models(owner=self.context.owner)
        tags = await self.library.tags(owner=self.context.owner)
        with ui.element("div").classes("r-library"):
            self._head()
            self._filters(models, tags)
            self.grid = LibraryGrid(on_action=self.run_action, on_more=self._in_background(self.more))
        await self.fill()

    # layout

    def _head(self) -> None:
        trash = bool(self.query.trash)
        with ui.element("div").classes("r-library-head"):
            with ui.element("h1").classes("r-title"):
                ui.label(_("Trash") if trash else _("Library"))
            self.totals_label = ui.label().classes("r-quiet r-library-sum")
            with ui.element("div").classes("r-row r-library-acts"):
                if trash:
                    Button(_("Back to library"), partial(self.show_trash, False), icon_name="back")
                    Button(_("Empty trash"), self.empty, icon_name="trash", look="trouble")
                else:
                    Button(_("Trash"), partial(self.show_trash, True), icon_name="trash", look="bare")

    def _filters(self, models: list[tuple[str, str]], tags: list[str]) -> None:
        query = self.query
        with ui.element("search").classes("r-filters"):
            field = line(_("Search"), query.q, self._choose("q"), key="search")
            longest = library_query.MAX_TEXT_LENGTH
            field.control.props(f"debounce={DEBOUNCE_MS} clearable type=search maxlength={longest}")
            field.control.props["placeholder"] = _("Search prompts")
            field.box.classes("r-filters-search")
            with ui.element("div").classes("r-row r-filters-chips"):
                self._chip("kind", _("All types"), KINDS)
                self._chip("state", _("All statuses"), STATES)
                named = {f"{backend} {model}": model for backend, model in models}
                chip(_("All models"), named, query.model, self._choose("model"), key="model")
                self._dates()
                offered = {name: name for name in sorted({*tags, query.tag}) if name}
                self.tag_chip = chip(_("All tags"), offered, query.tag, self._choose("tag"), key="by-tag")
                self._offer_tags(tags)
                choose = self._choose("starred")
                toggle(_("Starred"), bool(query.starred), lambda on: choose("1" if on else ""))
                rank = self._choose("ranked")
                self.ranked = toggle(
                    _("Sorted by relevance"), bool(query.ranked), lambda on: rank("1" if on else "")
                )
                self.ranked.visible = bool(query.q.strip())
                clear = Button(_("Clear filters"), self.clear, look="bare")
                self.clear_button = clear
                clear.visible = query.is_filtered

    def _offer_tags(self, tags: Collection[str]) -> None:
        self.tags = set(tags)
        self.tag_chip.offer({name: name for name in sorted(tags)})
        self.tag_chip.box.visible = bool(tags or self.query.tag)

    def _chip(self, name: str, title: str, options: dict[str, str]) -> None:
        translated = {value: _(label) for value, label in options.items()}
        chip(title, translated, getattr(self.query, name), self._choose(name), key=name)

    def _dates(self) -> None:
        query = self.query
        self._chip("when", _("Any time"), SPANS)
        for name, title in (("since", _("From")), ("until", _("To"))):
            field = ui.element("input").classes("r-chip-date").props("type=date")
            field.props["aria-label"] = field.props["title"] = title
            field.props["value"] = getattr(query, name)
            choose = self._choose(name)
            field.on(
                "change",
                lambda event, choose=choose: choose(str(event.args)),
                js_handler="(event) => emit(event.target.value)",
            )
            field.visible = query.when == library_query.BETWEEN
            self.date_inputs.append(field)

    def _choose(self, name: str) -> Callable[[str], object]:
        """Returns the handler of one filter."""

        def choose(value: str) -> None:
            query = {**{key: getattr(self.query, key) for key in LibraryQuery.__slots__}, name: value}
            self.query = library_query.from_params(query)
            for day in self.date_inputs:
                day.visible = self.query.when == library_query.BETWEEN
            self.ranked.visible = bool(self.query.q.strip())
            self.clear_button.visible = self.query.is_filtered
            ui.run_javascript(f"history.replaceState(history.state, '', {self.query.url()!r})")
            self._in_background(self.fill)()

        return choose

    # lists

    async def fill(self) -> None:
        """Shows the first page of the current query; an outdated result is dropped."""
        self._request_number += 1
        number, self.filter = self._request_number, self.query.generation_query()
        page = await self._page(None)
        if number != self._request_number or self.grid is None:
            return
        self.next = page.next
        self.grid.fill(
            page.items, more=page.next is not None, trash=self.filter.trashed, empty_text=self._empty_text()
        )
        await self._update_totals()

    async def more(self) -> None:
        number = self._request_number
        page = await self._page(self.next)
        if number == self._request_number and self.grid is not None:
            self.next = page.next
            self.grid.append(page.items, more=page.next is not None)

    async def _page(self, cursor: str | None) -> Page:
        return await self.context.generations.listed(
            self.filter, owner=self.context.owner, cursor=cursor, limit=PAGE_SIZE
        )

    async def _update_totals(self) -> None:
        totals = await self.library.totals(owner=self.context.owner)
        here = [total for total in totals if total.trashed == self.filter.trashed]
        count, size = sum(total.items for total in here), sum(total.size_bytes for total in here)
        self.totals_label.text = ngettext("{count} file, {size}", "{count} files, {size}", count).format(
            count=measure.number(count), size=measure.size(size)
        )

    def _empty_text(self) -> tuple[str, str]:
        if self.query.is_filtered:
            return _("No results."), _("Remove a filter, or search for fewer words.")
        if self.filter.trashed:
            return _("The trash is empty."), _("Deleted items stay here until you empty the trash.")
        return _("Your library is empty."), _("Everything you generate appears here.")

    # actions

    def run_action(self, name: str, ids: list[str]) -> None:
        """Runs the action that the grid names (library_grid.ACTIONS)."""
        actions: dict[str, Callable[[list[str]], Awaitable[object]]] = {
            "star": partial(self.library.star, on=True, owner=self.context.owner),
            "unstar": partial(self.library.star, on=False, owner=self.context.owner),
            "tag": self.tag,
            "keep": self.keep,
            "check": partial(self.decide, "check"),
            "submit_again": partial(self.decide, "submit_again"),
            "let_go": partial(self.decide, "stop"),
            "trash": self.trash,
            "restore": self.restore,
            "remove": self.remove,
            "reuse": self.reuse,
            "film_from": partial(self.start_from, Kind.VIDEO),
            "image_from": partial(self.start_from, Kind.IMAGE),
            "unpacked": self.on_zip_missing,
        }
        if name in actions:
            self._in_background(partial(actions[name], ids))()

    async def trash(self, ids: list[str]) -> None:
        trashed = await self.library.trash.put(ids, owner=self.context.owner)
        if trashed:
            template = ngettext("Moved {count} item to trash.", "Moved {count} items to trash.", len(trashed))
            undo = self._in_background(partial(self.library.trash.restore, trashed, owner=self.context.owner))
            toast(template.format(count=measure.number(len(trashed))), on_open=undo, action_label=_("Undo"))
        await self._update_totals()

    async def decide(self, name: str, ids: list[str]) -> None:
        """Runs the person's choice for an unconfirmed generation."""
        generation = await self.context.generations.get(ids[0], owner=self.context.owner)
        if generation.phase is not Phase.UNCONFIRMED:
            raise Conflict("This item's status has changed. Nothing was submitted.")
        actions = self._actions
        decided = {"check": actions.check, "submit_again": actions.submit_again, "stop": actions.stop}[name]
        await guarded(decided(generation))()

    async def keep(self, ids: list[str]) -> None:
        for generation_id in ids:
            await self.context.generations.keep(generation_id, owner=self.context.owner)
        template = ngettext("Kept {count} item.", "Kept {count} items.", len(ids))
        toast(template.format(count=measure.number(len(ids))), tone="good")

    async def restore(self, ids: list[str]) -> None:
        restored = await self.library.trash.restore(ids, owner=self.context.owner)
        template = ngettext("Restored {count} item.", "Restored {count} items.", len(restored))
        toast(template.format(count=measure.number(len(restored))), tone="good")
        await self._update_totals()

    async def remove(self, ids: list[str]) -> None:
        template = ngettext("Permanently delete {count} item?", "Permanently delete {count} items?", len(ids))
        question = template.format(count=measure.number(len(ids)))
        if await confirm(question, _("The files are deleted too. This cannot be undone."), yes=_("Delete")):
            count = await self.library.trash.empty(ids, owner=self.context.owner)
            self._report_removed(count, await self.library.trash.waiting(ids, owner=self.context.owner))
            await self.fill()

    async def empty(self) -> None:
        if await confirm(
            _("Empty trash?"),
            _("All files in the trash are permanently deleted. This cannot be undone."),
            yes=_("Empty"),
        ):
            count = await self.library.trash.empty(owner=self.context.owner)
            self._report_removed(count, await self.library.trash.waiting(owner=self.context.owner))
            await self.fill()

    def _report_removed(self, count: int, waiting: int) -> None:
        template = ngettext("Permanently deleted {count} item.", "Permanently deleted {count} items.", count)
        sentences = [template.format(count=measure.number(count))] if count or not waiting else []
        if waiting:
            sentence = ngettext(
                "{count} stopped item stays in the trash: its paid result may still arrive.",
                "{count} stopped items stay in the trash: their paid results may still arrive.",
                waiting,
            )
            sentences.append(sentence.format(count=measure.number(waiting)))
        toast(" ".join(sentences))

    async def tag(self, ids: list[str]) -> None:
        chosen = await self.library.these(ids, owner=self.context.owner)
        if not chosen:
            return
        assigned = set.intersection(*(set(each.tags) for each in chosen))

        async def set_tag(name: str, on: bool) -> None:
            await self.library.tag(ids, name, on=on, owner=self.context.owner)

        tag_dialog(await self.library.tags(owner=self.context.owner), assigned, on_tag=set_tag)

    async def reuse(self, ids: list[str]) -> None:
        """Opens the composer's page with these settings."""
        for generation in await self.library.these(ids[:1], owner=self.context.owner):
            open_composer(generation.request.kind, drafts.from_generation(generation))

    async def start_from(self, kind: Kind, ids: list[str]) -> None:
        for generation in await self.library.these(ids[:1], owner=self.context.owner):
            await guarded(self._actions.start_from(generation, kind))()

    async def on_zip_missing(self, _ids: list[str]) -> None:
        toast(_("The ZIP could not be created: the files are missing from the disk."), tone="trouble")

    def show_trash(self, on: bool) -> None:
        ui.navigate.to(LibraryQuery(trash="1" if on else "").url())

    def clear(self) -> None:
        ui.navigate.to(LibraryQuery(trash=self.query.trash).url())

    # updates from the bus

    def on_change(self, change: Change) -> None:
        if self.grid is None:
            return
        self.grid.put(change.after, belongs=matches(self.filter, change.after))
        before, after = change.before, change.after
        if not self.tags.issuperset(after.tags):
            self._offer_tags(self.tags.union(after.tags))
        if before is None or _counted(before) != _counted(after):
            self._schedule_totals()

    async def _update_summary(self) -> None:
        await self._update_totals()
        self._offer_tags(await self.library.tags(owner=self.context.owner))

    def _schedule_totals(self) -> None:
        """Schedules one update of the totals for several changes."""
        if self._totals_timer is None:
            self._totals_timer = asyncio.get_running_loop().call_later(TOTALS_DELAY_S, self._run_totals)

    def _run_totals(self) -> None:
        self._totals_timer = None
        if not self.context.client.is_deleted:
            self._in_background(self._update_summary)()

    def _in_background(self, handler: Callable[[], Awaitable[object]]) -> Callable[[], None]:
        """Returns a function that runs `handler` in a background task in the page's context."""

        async def run_handler() -> None:
            await handler()

        def start() -> None:
            background_tasks.create(guarded(run_handler)(), name="library", context=self.context.client)

        return start


def _counted(generation: Generation) -> tuple[object, ...]:
    """Returns what totals and tags are made of."""
    return generation.kept, generation.trashed_at, generation.tags


async def _do_nothing(_: Generation) -> None:
    """Stays on the page."""
