"""Shows notifications once on each open page of their owner."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from time import time

from nicegui import Client, ui

from services.core.events import Bus, GenerationEvent
from services.core.model import Generation, Kind, Phase, TraceEntry
from ui.components.toast import BrowserNotification, toast
from ui.session.notification_rules import Event, event_for, is_plain_arrival, text_for
from ui.state import Change
from ui.text import ngettext

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
    on_stage: Callable[[], str]
    """The id of the generation that the page shows; no button leads there."""


class Notifications:
    """Subscribes to the bus for the life of the app and evaluates each change once for all pages."""

    def __init__(self, bus: Bus) -> None:
        self._pages: dict[int, OpenPage] = {}
        self._open: dict[str, Generation] = {}
        self._ended: dict[str, Generation] = {}
        self._batches: dict[str, list[Generation]] = {}
        """What has arrived of a request whose other results are expected, by request id."""
        self._since = time()
        bus.subscribe(self._receive)

    def add_page(
        self,
        client: Client,
        *,
        owner: str,
        on_open: Callable[[Generation], object] | None = None,
        on_stage: Callable[[], str] = lambda: "",
    ) -> None:
        """Adds a page until its client is deleted; `on_open` is for pages that can show a generation."""
        key = id(client)
        self._pages[key] = OpenPage(client=client, owner=owner, on_open=on_open or go_to, on_stage=on_stage)
        client.on_delete(lambda: self._pages.pop(key, None))

    def _receive(self, generation: GenerationEvent) -> None:
        if isinstance(generation, TraceEntry):
            return
        before = self._find(generation.id)
        if before is not None and generation.revision <= before.revision:
            return
        event = event_for(Change(before=before, after=generation), since=self._since)
        self._store(generation)
        if event is Event.ARRIVED and is_plain_arrival(generation):
            self._batches.setdefault(generation.request_id, []).append(generation)
        elif event is not None:
            self._schedule(partial(self._tell, event, [generation]), owner=generation.owner)
        if generation.request_id in self._batches and not self._is_awaited(generation.request_id):
            self._schedule(partial(self._tell_batch, generation.request_id), owner=generation.owner)

    def _is_awaited(self, request_id: str) -> bool:
        """Whether the request has more results to come, in time."""
        return any(
            one.request_id == request_id
            and one.phase is not Phase.UNCONFIRMED
            and one.late_since is None
            and one.trashed_at is None
            for one in self._open.values()
        )

    def _schedule(self, tell: Callable[[list[OpenPage]], None], *, owner: str) -> None:
        pages = [page for page in self._pages.values() if page.owner == owner]
        asyncio.get_running_loop().call_later(FRAME_S, tell, pages)

    def _tell_batch(self, request_id: str, pages: list[OpenPage]) -> None:
        if arrived := self._batches.pop(request_id, None):
            self._tell(Event.ARRIVED, arrived, pages)

    def _tell(self, event: Event, generations: list[Generation], pages: list[OpenPage]) -> None:
        """`generations` are results of one request."""
        if told := [one for one in generations if not self._is_deleted_since(one)]:
            for page in pages:
                self._show(page, event, told)

    def _is_deleted_since(self, generation: Generation) -> bool:
        newest = self._find(generation.id) or generation
        return newest.trashed_at is not None and generation.trashed_at is None

    def _show(self, page: OpenPage, event: Event, generations: list[Generation]) -> None:
        if page.client.is_deleted:
            return
        last = generations[-1]
        newest = self._find(last.id) or last
        with page.client:
            content = text_for(event, last)
            on_open = partial(go_to if newest.trashed_at is not None else page.on_open, newest)
            toast(
                content.text,
                tone=content.tone,
                caption=caption(generations),
                on_open=None if page.on_stage() in {one.id for one in generations} else on_open,
                browser_notification=BrowserNotification(
                    key=f"{last.id} {event} {last.revision}", address=address_of(last)
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


def caption(generations: Sequence[Generation]) -> str:
    """Returns the prompt, after the number of results if there are several."""
    prompt, count = generations[-1].request.prompt, len(generations)
    if count == 1:
        return prompt
    if generations[-1].request.kind is Kind.IMAGE:
        template = ngettext("{count} image: {prompt}", "{count} images: {prompt}", count)
    else:
        template = ngettext("{count} video: {prompt}", "{count} videos: {prompt}", count)
    return template.format(count=count, prompt=prompt)


def address_of(generation: Generation) -> str:
    return "/library?trash=1" if generation.trashed_at is not None else f"/g/{generation.id}"


def go_to(generation: Generation) -> None:
    ui.navigate.to(address_of(generation))
