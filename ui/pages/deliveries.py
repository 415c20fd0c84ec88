"""The live promise: what is open over both channels, how results came, and one generation's whole story."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import urlencode

from nicegui import Client, background_tasks, ui

from services.core.model import LOCAL_OWNER, TraceEntry
from services.generations.service import Generations
from services.statistics import Statistics
from services.statistics.figures import Figures
from ui.components.button import LinkButton
from ui.components.chip import chip
from ui.components.delivery_plots import DeliveryPlots
from ui.components.delivery_summary import Tiles, estimates_of, safe_keeping
from ui.components.delivery_table import DeliveryTable
from ui.components.error_boundary import guarded
from ui.components.in_progress import OpenRows
from ui.components.radio_options import options
from ui.components.section import section
from ui.components.timeline_lookup import OneTimeline
from ui.pages import layout
from ui.session.page_context import PageContext
from ui.session.subscription import follow
from ui.state import Change, TabState
from ui.text import _, deferred, measure, ngettext

PATH = "/deliveries"
SPANS = {"1": deferred("Last 24 hours"), "7": deferred("Last 7 days"), "30": deferred("Last 30 days")}
USUAL = "7"
REFRESH_S = 3.0
"""The figures are counted again at most so often, and only where something happened."""
RESTS = 10.0
"""After counting, so many times what it took."""


def register(generations: Generations, deliveries: Statistics) -> None:
    @layout.page(PATH)
    async def page(client: Client, days: str = USUAL, backend: str = "", id: str = "") -> None:
        context = PageContext(generations=generations, owner=LOCAL_OWNER, client=client, state=TabState())
        shown = DeliveriesPage(context, deliveries, days if days in SPANS else USUAL, backend, id.strip())
        with layout.frame(here=PATH, title=_("Deliveries · Rushes")):
            await shown.open()


class DeliveriesPage:
    """One open page."""

    def __init__(
        self, context: PageContext, deliveries: Statistics, days: str, backend: str, chosen: str
    ) -> None:
        self.context = context
        self.deliveries = deliveries
        self.days = days
        self.backend = backend
        self.one = OneTimeline(context, chosen)
        self.rows: OpenRows | None = None
        self._offered: tuple[str, ...] = ()
        self._turn = 0
        self._waiting = False
        self._rest_s = REFRESH_S

    async def open(self) -> None:
        """Subscribe, then draw, then read: nothing falls between."""
        follow(
            self.context,
            on_change=self.changed,
            on_trace=self.traced,
            cares=lambda generation_id: self.rows is not None and self.rows.cares(generation_id),
        )
        with ui.element("div").classes("r-single r-deliveries"):
            with ui.element("div").classes("r-page-head"):
                with ui.element("h1").classes("r-title"):
                    ui.label(_("Deliveries"))
                LinkButton(_("Check-up"), "/checkup", icon_name="check")
            if self.one.id:
                await self.one.draw()
            self._filters()
            self.tiles = Tiles()
            self.note = ui.label().classes("r-quiet r-note-below")
            about = _("Every open generation is listened for over two channels at once.")
            with section(_("Under way"), about):
                self.rows = OpenRows()
            self.plots = DeliveryPlots()
            self.table = DeliveryTable()
            with ui.element("div").classes("r-pair"):
                with section(_("How long it takes here")):
                    self.estimates = ui.element("div")
                with section(_("Safe-keeping")):
                    self.safe = ui.element("div").classes("r-safe")
            if not self.one.id:
                await self.one.draw()
        self._later(self.fill)

    def _filters(self) -> None:
        with ui.element("div").classes("r-row r-deliveries-filters"):
            options(_("Span"), {key: _(name) for key, name in SPANS.items()}, self.days, on_choose=self.span)
            self.backends = ui.element("div")

    def span(self, days: str) -> None:
        self.days = days
        self._chosen()

    def of_backend(self, backend: str) -> None:
        self.backend = backend
        self._chosen()

    def _chosen(self) -> None:
        ui.run_javascript(f"history.replaceState(history.state, '', {self.address()!r})")
        self._later(self.fill)

    def address(self) -> str:
        query = {"days": self.days if self.days != USUAL else "", "backend": self.backend, "id": self.one.id}
        said = urlencode({name: value for name, value in query.items() if value})
        return f"{PATH}?{said}" if said else PATH

    # figures

    async def fill(self) -> None:
        """Count and show; an older answer that comes later is dropped."""
        self._turn += 1
        turn, began = self._turn, time.monotonic()
        found, many = await self.deliveries.open_ones(owner=self.context.owner)
        if self.rows is not None:
            self.rows.fill(found, many)
        figures = await self.deliveries.figures(int(self.days), owner=self.context.owner)
        safe = await self.deliveries.safe()
        estimates = await self.deliveries.estimates(figures)
        self._rest_s = max(REFRESH_S, RESTS * (time.monotonic() - began))
        if turn != self._turn:
            return
        self._offer(figures)
        self.tiles.show(figures.of(self.backend)[0], safe)
        self.note.text = _note(figures)
        self.plots.show(figures, self.backend)
        self.table.show(figures, self.backend)
        self.estimates.clear()
        with self.estimates:
            estimates_of(estimates)
        self.safe.clear()
        with self.safe:
            safe_keeping(safe)

    def _offer(self, figures: Figures) -> None:
        """The backends there were in this span, where there is a choice."""
        names = sorted({*figures.by_backend, *([self.backend] if self.backend else [])})
        offered = tuple(names) if len(names) > 1 or self.backend else ()
        if offered == self._offered:
            return
        self._offered = offered
        self.backends.clear()
        if offered:
            with self.backends:
                named = {name: name for name in offered}
                chip(_("Any backend"), named, self.backend, self.of_backend, key="backend")

    # what the page hears

    def changed(self, change: Change) -> None:
        after = change.after
        if self.rows is not None:
            self.rows.take(after)
        self.one.take(after)
        if change.before is None or change.before.phase is not after.phase:
            self._soon()

    def traced(self, entries: Sequence[TraceEntry]) -> None:
        if self.rows is not None:
            self.rows.hear(entries)
        self.one.hear([entry for entry in entries if entry.generation_id == self.one.id])

    def _soon(self) -> None:
        """Count again, once, when there was a rest."""
        if self._waiting:
            return
        self._waiting = True

        async def wait() -> None:
            await asyncio.sleep(self._rest_s)
            self._waiting = False
            if not self.context.client.is_deleted:
                await self.fill()

        self._later(wait)

    def _later(self, act: Callable[[], Awaitable[object]]) -> None:
        """In a task of its own, with the page around it."""

        async def acted() -> None:
            await act()

        background_tasks.create(guarded(acted)(), name="deliveries", context=self.context.client)


def _note(figures: Figures) -> str:
    asked = figures.all.asked
    said = ngettext(
        "Counted from {count} generation that was asked for in this time.",
        "Counted from {count} generations that were asked for in this time.",
        asked,
    ).format(count=measure.number(asked))
    if figures.cut:
        return said + " " + _("There were more: the oldest are left out.")
    return said
