"""One generation's whole timeline, drawn and as a table, found by its id or its link."""

from __future__ import annotations

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

_ID = re.compile(r"^.*[?&]id=([\w-]+)|([\w-]+)/?(?:[?#].*)?$")
"""In an address of this page, or at the end of any other."""


class OneTimeline:
    """Its place on the page; empty until an `id` is chosen."""

    def __init__(self, context: PageContext, chosen: str) -> None:
        self.context = context
        self.id = chosen
        self.strip: RaceStrip | None = None
        self._typed = chosen

    async def draw(self) -> None:
        with section(_("One generation"), _("Its whole timeline, by its link or its id.")) as panel:
            with ui.element("form").classes("r-one-find") as form:
                field = line(_("Link or id"), self.id, self._type, key="one")
                field.control.props("maxlength=300")
                Button(_("Show"), self._go)
            form.on("submit", self._go, [], js_handler="(event) => { event.preventDefault(); emit(); }")
            self.typed = field
            if self.id:
                await self._show(panel)

    async def _show(self, panel: ui.element) -> None:
        try:
            generation = await self.context.generations.get(self.id, owner=self.context.owner)
        except NotFound:
            ui.label(_("There is no such generation here.")).classes("r-trouble")
            return
        entries = await self.context.generations.trace(self.id, owner=self.context.owner)
        self.context.state.take(generation, stage=True)
        with ui.element("div").classes("r-one-head"):
            with ui.element("a").classes("r-open-title") as link:
                link.props["href"] = f"/g/{generation.id}"
                ui.label(generation.request.prompt)
            self.said = ui.label(labels.message(generation)).classes("r-quiet")
        self.strip = RaceStrip(generation, self.context.state)
        with ui.element("div").classes("r-row"):
            LinkButton(_("Open it"), f"/g/{generation.id}", icon_name="open")
            bundle_button(generation)
        with ui.element("details").classes("r-details") as details:
            details.props["open"] = True
            with ui.element("summary").classes("r-h2"):
                ui.label(_("Timeline"))
            self.table = TraceTable()
        self.hear(entries)

    def take(self, generation: Generation) -> None:
        if self.strip is not None and generation.id == self.id:
            self.said.text = labels.message(generation)
            self.strip.take(generation)

    def hear(self, entries: Sequence[TraceEntry]) -> None:
        if self.strip is None or not entries:
            return
        for entry in entries:
            self.context.state.take(entry)
        self.strip.add(entries)
        self.table.add(entries)

    def _type(self, text: str) -> None:
        self._typed = text

    def _go(self) -> None:
        found = _ID.search(self._typed.strip())
        ui.navigate.to(f"/deliveries?id={found[1] or found[2]}" if found else "/deliveries")


def bundle_button(generation: Generation) -> None:
    """Prompt, settings and timeline as a file, for a bug report."""
    button = LinkButton(
        _("Bundle for a bug report"), f"/api/file/{generation.id}/bundle", icon_name="download"
    )
    button.props("download")
    button.props["title"] = _("Prompt, settings and timeline; no key, token or link is in it")
