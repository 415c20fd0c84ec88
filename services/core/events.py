"""In-process events: published after the commit only, delivered in order."""

import logging
from collections.abc import Callable
from typing import Generic, TypeVar

from services.core.model import Generation, TraceEntry

log = logging.getLogger(__name__)

E = TypeVar("E")
Unsubscribe = Callable[[], None]
GenerationEvent = Generation | TraceEntry
"""The generation's new state, or a new entry of its trace."""


class Broadcaster(Generic[E]):
    """Calls each listener synchronously; a listener's exception is logged and goes no further."""

    def __init__(self) -> None:
        self._listeners: dict[str | None, dict[object, Callable[[E], None]]] = {None: {}}

    def subscribe(self, listener: Callable[[E], None], *, topic: str | None = None) -> Unsubscribe:
        """Calls `listener` for each event of the topic, without one for all; returns what unsubscribes it."""
        key = object()
        self._listeners.setdefault(topic, {})[key] = listener
        return lambda: self._remove(topic, key)

    def publish(self, event: E, *, topic: str) -> None:
        for listener in [*self._listeners[None].values(), *self._listeners.get(topic, {}).values()]:
            try:
                listener(event)
            except Exception:  # a bug in one listener must not reach the others, nor the publisher
                log.exception("A listener of the bus failed; the others go on.")

    def _remove(self, topic: str | None, key: object) -> None:
        listeners = self._listeners.get(topic, {})
        listeners.pop(key, None)
        if not listeners and topic is not None:
            self._listeners.pop(topic, None)


class Bus:
    """The events of all generations."""

    def __init__(self) -> None:
        self._events: Broadcaster[GenerationEvent] = Broadcaster()

    def subscribe(
        self, listener: Callable[[GenerationEvent], None], *, generation_id: str | None = None
    ) -> Unsubscribe:
        """Calls `listener` for each event, or only for one generation's."""
        return self._events.subscribe(listener, topic=generation_id)

    def publish(self, event: GenerationEvent) -> None:
        topic = event.id if isinstance(event, Generation) else event.generation_id
        self._events.publish(event, topic=topic)
