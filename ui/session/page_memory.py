"""Gives the memory of pages back: of those that no browser connects to, and of those that are closed."""

import gc
from collections.abc import Callable
from time import time

from nicegui import Client, app, ui
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from services.http.client_address import household

MAX_UNCONNECTED = 40
"""Pages that a crawler or a script has fetched: each holds 0.75 MB, and NiceGUI keeps it for a minute."""
CONNECTS_WITHIN_S = 10.0
"""A browser opens its websocket much sooner; one that comes later loads the page again."""
MAX_UNCONNECTED_OF_ONE = 500
"""Per address, whatever their age: a whole office behind one router may open its pages at once."""
MIN_DELETED = 30
TEND_EVERY_S = 1.0
NO_PAGES = ("/api/", "/media/", "/_", "/health", "/alive", "/metrics", "/docs", "/openapi.json", "/favicon")
TOO_MANY = "Too many pages were opened from this address at once. Wait ten seconds, then reload."


class PageMemory:
    """Takes a deleted page's elements apart, and runs the collector for the other cycles of the page: its
    thresholds are so high, for the sake of latency, that it would hardly ever run by itself.
    """

    def __init__(self, *, collect: Callable[[], object] = gc.collect) -> None:
        self._connected: set[str] = set()
        """Ids of the clients that a browser has ever connected to: NiceGUI deletes those itself."""
        self._deleted = 0
        self._collect = collect

    def install(self) -> None:
        """Before NiceGUI starts."""
        self.observe()
        app.timer(TEND_EVERY_S, self.tend)

    def observe(self) -> None:
        app.on_connect(self._note_connected)
        app.on_delete(self._note_deleted)

    def tend(self) -> None:
        """Collects what the last turns deleted: a page's outbox holds it for up to a second more."""
        # A collection takes time for each page that is open: the more there are, the more it must find.
        if self._deleted >= max(MIN_DELETED, len(Client.instances) // 2):
            self._deleted = 0
            self._collect()
        unconnected = self._unconnected()
        for client in unconnected[: max(0, len(unconnected) - MAX_UNCONNECTED)]:
            if client.created <= time() - CONNECTS_WITHIN_S:
                client.delete()

    def unconnected_of(self, address: str) -> int:
        here = household(address)
        return sum(household(client.ip) == here for client in self._unconnected())

    def _unconnected(self) -> list[Client]:
        """Oldest first."""
        return [client for client in Client.instances.values() if client.id not in self._connected]

    def _note_connected(self, client: Client) -> None:
        self._connected.add(client.id)

    def _note_deleted(self, client: Client) -> None:
        self._connected.discard(client.id)
        self._deleted += 1
        for element in client.elements.values():
            _break_cycles(element)


def _break_cycles(element: ui.element) -> None:
    """Props, classes and style call back to themselves: three cycles for each element, which were half of the
    objects that a page left to the collector. NiceGUI has no public way to end them.
    """
    for collection in (element.props, element.classes, element.style):
        collection._change_handlers = []


class PageLimit:
    """Refuses a page while too many from the same address wait for their browser."""

    def __init__(self, app: ASGIApp, *, memory: PageMemory, most: int = MAX_UNCONNECTED_OF_ONE) -> None:
        self._app = app
        self._memory = memory
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._refuses(scope):
            refusal = PlainTextResponse(TOO_MANY, 429, {"Retry-After": f"{CONNECTS_WITHIN_S:.0f}"})
            await refusal(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _refuses(self, scope: Scope) -> bool:
        if scope["type"] != "http" or len(Client.instances) < self._most:
            return False
        if scope["path"].startswith(NO_PAGES) or not scope.get("client"):
            return False
        return self._memory.unconnected_of(scope["client"][0]) >= self._most
