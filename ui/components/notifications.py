"""Shows notifications once on each open page of their owner."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from time import time

from nicegui import Client, ui

from services.core.events import Bus, GenerationEvent
from services.core.model import Generation, TraceEntry
from ui.components.toast import BrowserNotification, toast
from ui.session.notification_rules import Event, event_for, text_for
from ui.state import Change

FRAME_S = 0.15
"""Delay of notifications, about the time that an arrived film needs to load its first frame."""
MAX_ENDED = 1000
"""Ended generations to remember, so that later changes are not notified as arrivals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPage:
    client: Client
    owner: str
    on_open: Callable[[Generation], object]
    """Opens the generation on that page."""


class Notifications:
    """Subscribes to the bus for the life of the app and evaluates each change once for all pages."""

    def __init__(self, bus: Bus) -> None:
        self._pages: dict[int, OpenPage] = {}
        self._open: dict[str, Generation] = {}
        self._ended: dict[str, Generation] = {}
        self._since = time()
        bus.subscribe(self._receive)

    def add_page(
        self, client: Client, *, owner: str, on_open: Callable[[Generation], object] | None = None
    ) -> None:
        """Adds a page until its client is deleted; `on_open` is for pages that can show a generation."""
        key = id(client)
        self._pages[key] = OpenPage(client=client, owner=owner, on_open=on_open or go_to)
        client.on_delete(lambda: self._pages.pop(key, None))

    def _receive(self, generation: GenerationEvent) -> None:
        if isinstance(generation, TraceEntry):
            return
        before = self._find(generation.id)
        if before is not None and generation.revision <= before.revision:
            return
        event = event_for(Change(before=before, after=generation), since=self._since)
        self._store(generation)
        if event is None:
            return
        loop = asyncio.get_running_loop()
        for page in self._pages.values():
            if page.owner == generation.owner:
                loop.call_later(FRAME_S, self._show, page, event, generation)

    def _show(self, page: OpenPage, event: Event, generation: Generation) -> None:
        newest = self._find(generation.id) or generation
        deleted_since = newest.trashed_at is not None and generation.trashed_at is None
        if page.client.is_deleted or deleted_since:
            return
        with page.client:
            content = text_for(event, generation)
            toast(
                content.text,
                tone=content.tone,
                caption=generation.request.prompt,
                on_open=partial(go_to if newest.trashed_at is not None else page.on_open, newest),
                browser_notification=BrowserNotification(
                    key=f"{generation.id} {event} {generation.revision}", address=address_of(generation)
                ),
            )

    def _find(self, generation_id: str) -> Generation | None:
        return self._open.get(generation_id) or self._ended.get(generation_id)

    def _store(self, generation: Generation) -> None:
        self._open.pop(generation.id, None)
        self._ended.pop(generation.id, None)
        (self._ended if generation.final else self._open)[generation.id] = generation
        if len(self._ended) > MAX_ENDED:
            oldest = self._ended.pop(next(iter(self._ended)))
            self._since = max(self._since, oldest.finished_at or 0.0)


def address_of(generation: Generation) -> str:
    return "/library?trash=1" if generation.trashed_at is not None else f"/g/{generation.id}"


def go_to(generation: Generation) -> None:
    ui.navigate.to(address_of(generation))
