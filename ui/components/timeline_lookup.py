"""Finds a generation by id or link and shows its timeline as a strip and a table."""

import re
from collections.abc import Sequence

from nicegui import ui

from services.core.errors import NotFound
from services.core.model import Generation, TraceEntry
from ui.components.button import Button, LinkButton
from ui.components.field import line
from ui.components.race_strip import RaceStrip
from ui.components.section import section
from ui.components.trace_table import TraceTable
from ui.session.page_context import PageContext
from ui.text import _, labels

_ID = re.compile(r"^.*[?&]id=([\w-]+)|(?<![\w-])([\w-]++)/?(?:[?#].*)?$")
"""Matches the id in a URL of this page, or at the end of any other URL."""


class TimelineLookup:
    """The section; it has only the search field until an id is chosen."""

    def __init__(self, context: PageContext, chosen: str) -> None:
        self.context = context
        self.id = chosen
        self.strip: RaceStrip | None = None
        self._query = chosen

    async def draw(self) -> None:
        with section(_("Find a generation"), _("Enter a link or ID to see the timeline.")) as panel:
            with ui.element("form").classes("r-one-find") as form:
                field = line(_("Link or ID"), self.id, self._set_query, key="one")
                field.control.props("maxlength=300")
                Button(_("Show"), self._open)
            form.on("submit", self._open, [], js_handler="(event) => { event.preventDefault(); emit(); }")
            if self.id:
                await self._show(panel)

    async def _show(self, panel: ui.element) -> None:
        try:
            generation = await self.context.generations.get(self.id, owner=self.context.owner)
        except NotFound:
            ui.label(_("Generation not found.")).classes("r-trouble")
            return
        entries = await self.context.generations.trace(self.id, owner=self.context.owner)
        self.context.state.apply(generation, stage=True)
        with ui.element("div").classes("r-one-head"):
            with ui.element("a").classes("r-open-title") as link:
                link.props["href"] = f"/g/{generation.id}"
                ui.label(generation.request.prompt)
            self.status = ui.label(labels.message(generation)).classes("r-quiet")
        self.strip = RaceStrip(generation, self.context.state)
        with ui.element("div").classes("r-row"):
            LinkButton(_("Open generation"), f"/g/{generation.id}", icon_name="open")
            bundle_button(generation)
        with ui.element("details").classes("r-details") as details:
            details.props["open"] = True
            with ui.element("summary").classes("r-h2"):
                ui.label(_("Timeline"))
            self.table = TraceTable()
        self.add(entries)

    def refresh(self, generation: Generation) -> None:
        if self.strip is not None and generation.id == self.id:
            self.status.text = labels.message(generation)
            self.strip.refresh(generation)

    def add(self, entries: Sequence[TraceEntry]) -> None:
        if self.strip is None or not entries:
            return
        for entry in entries:
            self.context.state.apply(entry)
        self.strip.add(entries)
        self.table.add(entries)

    def _set_query(self, text: str) -> None:
        self._query = text

    def _open(self) -> None:
        found = _ID.search(self._query.strip())
        ui.navigate.to(f"/deliveries?id={found[1] or found[2]}" if found else "/deliveries")


def bundle_button(generation: Generation) -> None:
    """Link to prompt, settings and timeline as a file, for a bug report."""
    button = LinkButton(_("Download bug report"), f"/api/file/{generation.id}/bundle", icon_name="download")
    button.props("download")
    button.props["title"] = _("Contains the prompt, settings and timeline; no keys, tokens or links")
