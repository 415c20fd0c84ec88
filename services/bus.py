"""In-process news: published after the commit only, heard in the order of publishing."""

from __future__ import annotations

import logging
from collections.abc import Callable

from services.model import Generation, TraceEntry

log = logging.getLogger(__name__)

News = Generation | TraceEntry
Listener = Callable[[News], None]


class Bus:
    def __init__(self) -> None:
        self._everyone: dict[int, Listener] = {}
        self._of_one: dict[str, dict[int, Listener]] = {}
        self._ids = 0

    def subscribe(self, listener: Listener, *, generation_id: str | None = None) -> Callable[[], None]:
        """Call `listener` for each news, or only for one generation's; returns the act that ends it."""
        self._ids += 1
        key = self._ids
        if generation_id is None:
            self._everyone[key] = listener
            return lambda: self._everyone.pop(key, None) and None
        self._of_one.setdefault(generation_id, {})[key] = listener
        return lambda: self._forget(generation_id, key)

    def publish(self, news: News) -> None:
        generation_id = news.id if isinstance(news, Generation) else news.generation_id
        listeners = [*self._everyone.values(), *self._of_one.get(generation_id, {}).values()]
        for listener in listeners:
            try:
                listener(news)
            except Exception:  # a bug in one listener must not reach the others, nor the publisher
                log.exception("A listener of the bus failed; the others go on.")

    def _forget(self, generation_id: str, key: int) -> None:
        listeners = self._of_one.get(generation_id, {})
        listeners.pop(key, None)
        if not listeners:
            self._of_one.pop(generation_id, None)
