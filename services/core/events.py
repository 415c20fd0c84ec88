"""In-process events: published after the commit only, delivered in order."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Generic, TypeVar

from services.core.model import Generation, TraceEntry

log = logging.getLogger(__name__)

N = TypeVar("N")
News = Generation | TraceEntry
Listener = Callable[[News], None]


class Hub(Generic[N]):
    def __init__(self) -> None:
        self._everyone: dict[int, Callable[[N], None]] = {}
        self._about: dict[str, dict[int, Callable[[N], None]]] = {}
        self._ids = 0

    def listen(self, listener: Callable[[N], None], *, about: str | None = None) -> Callable[[], None]:
        """Call `listener` for each news, or only for those about one thing; returns the act that ends it."""
        self._ids += 1
        key = self._ids
        if about is None:
            self._everyone[key] = listener
            return lambda: self._everyone.pop(key, None) and None
        self._about.setdefault(about, {})[key] = listener
        return lambda: self._forget(about, key)

    def tell(self, news: N, *, about: str) -> None:
        listeners = [*self._everyone.values(), *self._about.get(about, {}).values()]
        for listener in listeners:
            try:
                listener(news)
            except Exception:  # a bug in one listener must not reach the others, nor the publisher
                log.exception("A listener of the bus failed; the others go on.")

    def _forget(self, about: str, key: int) -> None:
        listeners = self._about.get(about, {})
        listeners.pop(key, None)
        if not listeners:
            self._about.pop(about, None)


class Bus(Hub[News]):
    """The news of generations."""

    def subscribe(self, listener: Listener, *, generation_id: str | None = None) -> Callable[[], None]:
        """Call `listener` for each news, or only for one generation's; returns the act that ends it."""
        return self.listen(listener, about=generation_id)

    def publish(self, news: News) -> None:
        self.tell(news, about=news.id if isinstance(news, Generation) else news.generation_id)
