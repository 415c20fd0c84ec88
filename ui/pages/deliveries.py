"""Deliveries: running generations on both channels, delivery figures, and one generation's timeline."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import urlencode

from nicegui import Client, background_tasks, ui

from services.core.model import TraceEntry
from services.generations.service import Generations
from services.statistics import Statistics
from services.statistics.figures import Figures
from ui.components.button import LinkButton
from ui.components.chip import chip
from ui.components.delivery_plots import DeliveryPlots
from ui.components.delivery_summary import Tiles, estimate_facts, integrity_facts
from ui.components.delivery_table import DeliveryTable
from ui.components.error_boundary import guarded
from ui.components.in_progress import InProgressRows
from ui.components.radio_options import options
from ui.components.section import section
from ui.components.timeline_lookup import TimelineLookup
from ui.pages import layout
from ui.session.page_context import PageContext
from ui.session.person import current_person
from ui.session.subscription import subscribe
from ui.state import Change, TabState
from ui.text import _, deferred, measure, ngettext

PATH = "/deliveries"
SPANS = {"1": deferred("Last 24 hours"), "7": deferred("Last 7 days"), "30": deferred("Last 30 days")}
DEFAULT_DAYS = "7"
REFRESH_S = 3.0
"""Minimum interval of counting the figures again; they are counted only after a change."""
REST_FACTOR = 10.0
"""The interval is at least this many times the duration of the last count."""


def register(generations: Generations, statistics: Statistics) -> None:
    @layout.page(PATH)
    async def page(client: Client, days: str = DEFAULT_DAYS, backend: str = "", id: str = "") -> None:
        context = PageContext(
            generations=generations, owner=current_person(), client=client, state=TabState()
        )
        deliveries_page = DeliveriesPage(
            context, statistics, days if days in SPANS else DEFAULT_DAYS, backend, id.strip()
        )
        with layout.frame(path=PATH, title=_("Deliveries · Rushes")):
            await deliveries_page.open()


class DeliveriesPage:
    """One open page."""

    def __init__(
        self, context: PageContext, statistics: Statistics, days: str, backend: str, chosen: str
    ) -> None:
        self.context = context
        self.statistics = statistics
        self.days = days
        self.backend = backend
        self.lookup = TimelineLookup(context, chosen)
        self.rows: InProgressRows | None = None
        self._offered_backends: tuple[str, ...] = ()
        self._request_number = 0
        self._scheduled = False
        self._refresh_after_s = REFRESH_S

    async def open(self) -> None:
        """Subscribes, then draws, then reads, so that no update is missed."""
        subscribe(
            self.context,
            on_change=self.on_change,
            on_trace=self.on_trace,
            wants_trace=lambda generation_id: self.rows is not None and self.rows.wants_trace(generation_id),
        )
        with ui.element("div").classes("r-single r-deliveries"):
            with ui.element("div").classes("r-page-head"):
                with ui.element("h1").classes("r-title"):
                    ui.label(_("Deliveries"))
                LinkButton(_("System check"), "/checkup", icon_name="check")
            if self.lookup.id:
                await self.lookup.draw()
            self._filters()
            self.tiles = Tiles()
            self.note = ui.label().classes("r-quiet r-note-below")
            about = _("Each running generation is tracked by push and polling at once.")
            with section(_("In progress"), about):
                self.rows = InProgressRows()
            self.plots = DeliveryPlots()
            self.table = DeliveryTable()
            with ui.element("div").classes("r-pair"):
                with section(_("Generation time")):
                    self.estimates = ui.element("div")
                with section(_("File integrity")):
                    self.integrity = ui.element("div").classes("r-safe")
            if not self.lookup.id:
                await self.lookup.draw()
        self._in_background(self.fill)

    def _filters(self) -> None:
        with ui.element("div").classes("r-row r-deliveries-filters"):
            options(
                _("Period"),
                {key: _(name) for key, name in SPANS.items()},
                self.days,
                on_choose=self.choose_span,
            )
            self.backends = ui.element("div")

    def choose_span(self, days: str) -> None:
        self.days = days
        self._reload()

    def choose_backend(self, backend: str) -> None:
        self.backend = backend
        self._reload()

    def _reload(self) -> None:
        ui.run_javascript(f"history.replaceState(history.state, '', {self.url()!r})")
        self._in_background(self.fill)

    def url(self) -> str:
        query = {
            "days": self.days if self.days != DEFAULT_DAYS else "",
            "backend": self.backend,
            "id": self.lookup.id,
        }
        text = urlencode({name: value for name, value in query.items() if value})
        return f"{PATH}?{text}" if text else PATH

    async def fill(self) -> None:
        """Counts and shows the figures; an outdated result is dropped."""
        self._request_number += 1
        number, began = self._request_number, time.monotonic()
        generations, total = await self.statistics.open_generations(owner=self.context.owner)
        if self.rows is not None:
            self.rows.fill(generations, total)
        figures = await self.statistics.figures(int(self.days), owner=self.context.owner)
        integrity = await self.statistics.file_integrity()
        estimates = await self.statistics.estimates(figures)
        self._refresh_after_s = max(REFRESH_S, REST_FACTOR * (time.monotonic() - began))
        if number != self._request_number:
            return
        self._show_backends(figures)
        self.tiles.show(figures.of(self.backend)[0], integrity)
        self.note.text = _note(figures)
        self.plots.show(figures, self.backend)
        self.table.show(figures, self.backend)
        self.estimates.clear()
        with self.estimates:
            estimate_facts(estimates)
        self.integrity.clear()
        with self.integrity:
            integrity_facts(integrity)

    def _show_backends(self, figures: Figures) -> None:
        """Offers the backends of this span, if there is a choice."""
        names = sorted({*figures.by_backend, *([self.backend] if self.backend else [])})
        offered = tuple(names) if len(names) > 1 or self.backend else ()
        if offered == self._offered_backends:
            return
        self._offered_backends = offered
        self.backends.clear()
        if offered:
            with self.backends:
                named = {name: name for name in offered}
                chip(_("All backends"), named, self.backend, self.choose_backend, key="backend")

    # updates from the bus

    def on_change(self, change: Change) -> None:
        after = change.after
        if self.rows is not None:
            self.rows.put(after)
        self.lookup.refresh(after)
        if change.before is None or change.before.phase is not after.phase:
            self._schedule_fill()

    def on_trace(self, entries: Sequence[TraceEntry]) -> None:
        if self.rows is not None:
            self.rows.add(entries)
        self.lookup.add([entry for entry in entries if entry.generation_id == self.lookup.id])

    def _schedule_fill(self) -> None:
        """Schedules one count after the interval."""
        if self._scheduled:
            return
        self._scheduled = True

        async def wait() -> None:
            await asyncio.sleep(self._refresh_after_s)
            self._scheduled = False
            if not self.context.client.is_deleted:
                await self.fill()

        self._in_background(wait)

    def _in_background(self, handler: Callable[[], Awaitable[object]]) -> None:
        """Runs `handler` in a background task in the page's context."""

        async def run() -> None:
            await handler()

        background_tasks.create(guarded(run)(), name="deliveries", context=self.context.client)


def _note(figures: Figures) -> str:
    asked = figures.all.total
    text = ngettext(
        "Based on {count} generation requested in this period.",
        "Based on {count} generations requested in this period.",
        asked,
    ).format(count=measure.number(asked))
    if figures.truncated:
        return text + " " + _("Older generations are not included.")
    return text
