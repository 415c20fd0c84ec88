"""Everything kept: searched, filtered, marked, packed, thrown away and brought back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from nicegui import Client, background_tasks, ui
from starlette.requests import Request

from services.core.errors import Conflict
from services.core.model import LOCAL_OWNER, Generation, Kind, Phase
from services.generations.service import Generations, Page
from services.library import Library
from services.library.query_match import fits
from ui.components.actions import Actions, to_composer
from ui.components.button import Button
from ui.components.chip import chip, toggle
from ui.components.confirm import confirm
from ui.components.error_boundary import guarded
from ui.components.field import line
from ui.components.library_grid import LibraryGrid
from ui.components.tag_dialog import tagging
from ui.components.toast import toast
from ui.pages import layout
from ui.session import drafts, library_query
from ui.session.library_query import LibraryQuery
from ui.session.page_context import PageContext
from ui.session.subscription import follow
from ui.state import Change, TabState
from ui.text import _, deferred, measure, ngettext

PATH = "/library"
KINDS = {"video": deferred("Videos"), "image": deferred("Images")}
STATES = {
    "ready": deferred("Ready"),
    "working": deferred("Under way"),
    "failed": deferred("Failed"),
    "stopped": deferred("Stopped"),
    "unwanted": deferred("Not wanted"),
}
SPANS = {
    "day": deferred("Last 24 hours"),
    "week": deferred("Last 7 days"),
    "month": deferred("Last 30 days"),
    "year": deferred("Last year"),
    library_query.BETWEEN: deferred("Between two days"),
}
TYPED_MS = 150
COUNT_AFTER_S = 0.3


def register(generations: Generations, library: Library) -> None:
    @layout.page(PATH)
    async def shelf(client: Client, request: Request) -> None:
        context = PageContext(generations=generations, owner=LOCAL_OWNER, client=client, state=TabState())
        page = LibraryPage(context, library, library_query.read(request.query_params))
        with layout.frame(here=PATH, title=_("Library · Rushes")):
            await page.open()


class LibraryPage:
    """One open page of the library."""

    def __init__(self, context: PageContext, library: Library, look_for: LibraryQuery) -> None:
        self.context = context
        self.library = library
        self.query = look_for
        self.wanted = look_for.wanted()
        self.next: str | None = None
        self._turn = 0
        self._counting: asyncio.TimerHandle | None = None
        self.days: list[ui.element] = []

    async def open(self) -> None:
        """Subscribe, then read, then draw: nothing falls between."""
        self.shelf: LibraryGrid | None = None
        follow(self.context, on_change=self.changed)
        models = await self.library.models(owner=self.context.owner)
        tags = await self.library.tags(owner=self.context.owner)
        with ui.element("div").classes("r-library"):
            self._head()
            self._filters(models, tags)
            self.shelf = LibraryGrid(on_act=self.act, on_more=self._later(self.more))
        await self.fill()

    # what is on the page

    def _head(self) -> None:
        trash = bool(self.query.trash)
        with ui.element("div").classes("r-library-head"):
            with ui.element("h1").classes("r-title"):
                ui.label(_("Trash") if trash else _("Library"))
            self.sum = ui.label().classes("r-quiet r-library-sum")
            with ui.element("div").classes("r-row r-library-acts"):
                if trash:
                    Button(_("Back to the library"), partial(self.show_trash, False), icon_name="back")
                    Button(_("Empty the trash"), self.empty, icon_name="trash", look="trouble")
                else:
                    Button(_("Trash"), partial(self.show_trash, True), icon_name="trash", look="bare")

    def _filters(self, models: list[tuple[str, str]], tags: list[str]) -> None:
        look_for = self.query
        with ui.element("search").classes("r-filters"):
            field = line(_("Search"), look_for.q, self._choose("q"), key="search")
            longest = library_query.LONGEST_WORDS
            field.control.props(f"debounce={TYPED_MS} clearable type=search maxlength={longest}")
            field.control.props["placeholder"] = _("Words of the prompt")
            field.box.classes("r-filters-search")
            with ui.element("div").classes("r-row r-filters-chips"):
                self._chip("kind", _("Any kind"), KINDS)
                self._chip("state", _("Any state"), STATES)
                named = {f"{backend} {model}": model for backend, model in models}
                chip(_("Any model"), named, look_for.model, self._choose("model"), key="model")
                self._dates()
                if tags:
                    own = {name: name for name in tags}
                    chip(_("Any tag"), own, look_for.tag, self._choose("tag"), key="by-tag")
                choose = self._choose("starred")
                toggle(_("Starred"), bool(look_for.starred), lambda on: choose("1" if on else ""))
                rank = self._choose("ranked")
                self.ranked = toggle(
                    _("Best match first"), bool(look_for.ranked), lambda on: rank("1" if on else "")
                )
                self.ranked.visible = bool(look_for.q.strip())
                clear = Button(_("Clear the filters"), self.clear, look="bare")
                self.clear_button = clear
                clear.visible = look_for.narrow

    def _chip(self, name: str, title: str, options: dict[str, str]) -> None:
        translated = {value: _(words) for value, words in options.items()}
        chip(title, translated, getattr(self.query, name), self._choose(name), key=name)

    def _dates(self) -> None:
        look_for = self.query
        self._chip("when", _("Any time"), SPANS)
        for name, title in (("since", _("From day")), ("until", _("To day"))):
            field = ui.element("input").classes("r-chip-date").props("type=date")
            field.props["aria-label"] = field.props["title"] = title
            field.props["value"] = getattr(look_for, name)
            choose = self._choose(name)
            field.on(
                "change",
                lambda event, choose=choose: choose(str(event.args)),
                js_handler="(event) => emit(event.target.value)",
            )
            field.visible = look_for.when == library_query.BETWEEN
            self.days.append(field)

    def _choose(self, name: str) -> Callable[[str], object]:
        """The handler of one filter."""

        def choose(value: str) -> None:
            query = {**{key: getattr(self.query, key) for key in LibraryQuery.__slots__}, name: value}
            self.query = library_query.read(query)
            for day in self.days:
                day.visible = self.query.when == library_query.BETWEEN
            self.ranked.visible = bool(self.query.q.strip())
            self.clear_button.visible = self.query.narrow
            ui.run_javascript(f"history.replaceState(history.state, '', {self.query.address()!r})")
            self._later(self.fill)()

        return choose

    # lists

    async def fill(self) -> None:
        """The first page of what is asked for now; an older answer that comes later is dropped."""
        self._turn += 1
        turn, self.wanted = self._turn, self.query.wanted()
        page = await self._page(None)
        if turn != self._turn or self.shelf is None:
            return
        self.next = page.next
        self.shelf.fill(
            page.items, more=page.next is not None, trash=self.wanted.trashed, nothing=self._nothing()
        )
        await self._count()

    async def more(self) -> None:
        turn = self._turn
        page = await self._page(self.next)
        if turn == self._turn and self.shelf is not None:
            self.next = page.next
            self.shelf.append(page.items, more=page.next is not None)

    async def _page(self, cursor: str | None) -> Page:
        return await self.library.page(self.wanted, owner=self.context.owner, cursor=cursor)

    async def _count(self) -> None:
        totals = await self.library.totals(owner=self.context.owner)
        here = [total for total in totals if total.trashed == self.wanted.trashed]
        count, size = sum(total.items for total in here), sum(total.size_bytes for total in here)
        self.sum.text = ngettext("{count} file, {size}", "{count} files, {size}", count).format(
            count=measure.number(count), size=measure.size(size)
        )

    def _nothing(self) -> tuple[str, str]:
        if self.query.narrow:
            return _("Nothing here matches."), _("Take a filter away, or search for fewer words.")
        if self.wanted.trashed:
            return _("The trash is empty."), _("What you delete waits here until you empty it.")
        return _("Nothing is kept yet."), _("What you make on the video page comes here by itself.")

    # what the person does

    def act(self, name: str, ids: list[str]) -> None:
        """By the names of the grid."""
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
            "unpacked": self.not_packed,
        }
        if name in actions:
            self._later(partial(actions[name], ids))()

    async def trash(self, ids: list[str]) -> None:
        gone = await self.library.trash(ids, owner=self.context.owner)
        if gone:
            words = ngettext("{count} is in the trash.", "{count} are in the trash.", len(gone))
            undo = self._later(partial(self.library.restore, gone, owner=self.context.owner))
            toast(words.format(count=measure.number(len(gone))), open_it=undo, act=_("Undo"))
        await self._count()

    async def decide(self, name: str, ids: list[str]) -> None:
        """What is to become of an unconfirmed one."""
        generation = await self.context.generations.get(ids[0], owner=self.context.owner)
        if generation.phase is not Phase.UNCONFIRMED:
            raise Conflict("This one is not unconfirmed any more.")
        actions = Actions(context=self.context, started=_stay, edit=_stay)
        decided = {"check": actions.check, "submit_again": actions.submit_again, "stop": actions.stop}[name]
        await guarded(decided(generation))()

    async def keep(self, ids: list[str]) -> None:
        for generation_id in ids:
            await self.context.generations.keep(generation_id, owner=self.context.owner)
        words = ngettext("{count} kept.", "{count} kept.", len(ids))
        toast(words.format(count=measure.number(len(ids))), tone="good")

    async def restore(self, ids: list[str]) -> None:
        back = await self.library.restore(ids, owner=self.context.owner)
        words = ngettext("{count} is back in the library.", "{count} are back in the library.", len(back))
        toast(words.format(count=measure.number(len(back))), tone="good")
        await self._count()

    async def remove(self, ids: list[str]) -> None:
        words = ngettext("Delete {count} for good?", "Delete {count} for good?", len(ids))
        question = words.format(count=measure.number(len(ids)))
        if await confirm(
            question, _("The files are removed too. Nothing brings them back."), yes=_("Delete")
        ):
            count = await self.library.empty(ids, owner=self.context.owner)
            self._removed(count, await self.library.waiting(ids, owner=self.context.owner))
            await self.fill()

    async def empty(self) -> None:
        if await confirm(
            _("Empty the trash?"), _("All files in it are removed. Nothing brings them back."), yes=_("Empty")
        ):
            count = await self.library.empty(owner=self.context.owner)
            self._removed(count, await self.library.waiting(owner=self.context.owner))
            await self.fill()

    def _removed(self, count: int, waiting: int) -> None:
        words = ngettext("{count} removed for good.", "{count} removed for good.", count)
        told = [words.format(count=measure.number(count))] if count or not waiting else []
        if waiting:
            stay = ngettext(
                "{count} stopped one stays: what was paid for may still come.",
                "{count} stopped ones stay: what was paid for may still come.",
                waiting,
            )
            told.append(stay.format(count=measure.number(waiting)))
        toast(" ".join(told))

    async def tag(self, ids: list[str]) -> None:
        chosen = await self.library.these(ids, owner=self.context.owner)
        if not chosen:
            return
        there = set.intersection(*(set(each.tags) for each in chosen))

        async def give(name: str, on: bool) -> None:
            await self.library.tag(ids, name, on=on, owner=self.context.owner)

        tagging(await self.library.tags(owner=self.context.owner), there, on_tag=give)

    async def reuse(self, ids: list[str]) -> None:
        """The composer has its own page: take the settings there."""
        for generation in await self.library.these(ids[:1], owner=self.context.owner):
            to_composer(generation.request.kind, drafts.of(generation))

    async def start_from(self, kind: Kind, ids: list[str]) -> None:
        for generation in await self.library.these(ids[:1], owner=self.context.owner):
            source = await self.context.generations.source_from(generation.id, owner=self.context.owner)
            to_composer(kind, drafts.starting_from(generation, kind, source))

    async def not_packed(self, _ids: list[str]) -> None:
        toast(_("The archive could not be made: the files are gone from the disk."), tone="trouble")

    def show_trash(self, on: bool) -> None:
        ui.navigate.to(LibraryQuery(trash="1" if on else "").address())

    def clear(self) -> None:
        ui.navigate.to(LibraryQuery(trash=self.query.trash).address())

    # what the page hears

    def changed(self, change: Change) -> None:
        if self.shelf is None:
            return
        self.shelf.put(change.after, belongs=fits(self.wanted, change.after))
        before, after = change.before, change.after
        if before is None or (before.kept, before.trashed_at) != (after.kept, after.trashed_at):
            self._count_soon()

    def _count_soon(self) -> None:
        """Once for all that come together."""
        if self._counting is None:
            self._counting = asyncio.get_running_loop().call_later(COUNT_AFTER_S, self._count_now)

    def _count_now(self) -> None:
        self._counting = None
        if not self.context.client.is_deleted:
            self._later(self._count)()

    def _later(self, act: Callable[[], Awaitable[object]]) -> Callable[[], None]:
        """In a task of its own, with the page around it."""

        async def acted() -> None:
            await act()

        def run() -> None:
            background_tasks.create(guarded(acted)(), name="library", context=self.context.client)

        return run


async def _stay(_: Generation) -> None:
    """These acts lead nowhere from here."""
