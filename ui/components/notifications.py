"""Tells a person what happened, on each open page of theirs and once on each: the only place that does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from time import time

from nicegui import Client, ui

from services.core.events import Bus, News
from services.core.model import Generation, TraceEntry
from ui.components.toast import Notice, toast
from ui.session.notification_rules import Event, event_of, words_of
from ui.state import Change

FRAME_S = 0.15
"""How long a film that has arrived has the browser to itself before anything is told about it: about what its
first frame takes."""
REMEMBERED = 1000
"""Ended generations that are kept in mind, so that what changes afterwards is not told as an arrival."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPage:
    client: Client
    owner: str
    open_it: Callable[[Generation], object]
    """Takes the person there."""


class Notifications:
    """Hears the bus for the life of the app: each change is weighed once, however many pages are open."""

    def __init__(self, bus: Bus) -> None:
        self._pages: dict[int, OpenPage] = {}
        self._open: dict[str, Generation] = {}
        self._ended: dict[str, Generation] = {}
        self._since = time()
        bus.subscribe(self._hear)

    def tell_on(
        self, client: Client, *, owner: str, open_it: Callable[[Generation], object] | None = None
    ) -> None:
        """From now on until the page is gone; `open_it` is for pages that can show one themselves."""
        key = id(client)
        self._pages[key] = OpenPage(client=client, owner=owner, open_it=open_it or go_to)
        client.on_delete(lambda: self._pages.pop(key, None))

    def _hear(self, news: News) -> None:
        if isinstance(news, TraceEntry):
            return
        before = self._known(news.id)
        if before is not None and news.revision <= before.revision:
            return
        event = event_of(Change(before=before, after=news), since=self._since)
        self._remember(news)
        if event is None:
            return
        loop = asyncio.get_running_loop()
        for page in self._pages.values():
            if page.owner == news.owner:
                loop.call_later(FRAME_S, self._tell, page, event, news)

    def _tell(self, page: OpenPage, event: Event, generation: Generation) -> None:
        newest = self._known(generation.id) or generation
        deleted_since = newest.trashed_at is not None and generation.trashed_at is None
        if page.client.is_deleted or deleted_since:
            return
        with page.client:
            told = words_of(event, generation)
            toast(
                told.text,
                tone=told.tone,
                caption=generation.request.prompt,
                open_it=partial(go_to if newest.trashed_at is not None else page.open_it, newest),
                notice=Notice(
                    key=f"{generation.id} {event} {generation.revision}", address=address_of(generation)
                ),
            )

    def _known(self, generation_id: str) -> Generation | None:
        return self._open.get(generation_id) or self._ended.get(generation_id)

    def _remember(self, generation: Generation) -> None:
        self._open.pop(generation.id, None)
        self._ended.pop(generation.id, None)
        (self._ended if generation.final else self._open)[generation.id] = generation
        if len(self._ended) > REMEMBERED:
            forgotten = self._ended.pop(next(iter(self._ended)))
            self._since = max(self._since, forgotten.finished_at or 0.0)


def address_of(generation: Generation) -> str:
    return "/library?trash=1" if generation.trashed_at is not None else f"/g/{generation.id}"


def go_to(generation: Generation) -> None:
    ui.navigate.to(address_of(generation))
