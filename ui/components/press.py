"""Buttons that start something: each press has a key of its own, made in the browser by look/presses.js."""

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from uuid import UUID, uuid4, uuid5

from nicegui import events, ui

from ui.components.error_boundary import guarded

MAX_TEXTS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    id: str = field(default_factory=lambda: str(uuid4()))
    texts: Mapping[str, str] = field(default_factory=dict)
    """What the boxes around the button held, by their HTML ids."""

    def key(self, *intent: object) -> str:
        """The idempotency key: of this press, and of what it would start.

        A line break keeps it apart from the keys that clients of the API can send.
        """
        text = json.dumps(intent, sort_keys=True, default=str)
        return f"press\n{self.id}\n{hashlib.sha256(text.encode(errors='replace')).hexdigest()}"

    def message_id(self, text: str) -> str:
        """The id of the message that this press sends."""
        return str(uuid5(UUID(self.id), text.encode(errors="replace").decode()))


PressHandler = Callable[[Press], Awaitable[None] | None]


def on_press(button: ui.element, handler: PressHandler) -> None:
    """Calls `handler` for each click, and tells the browser when it has ended."""

    async def run(event: events.GenericEventArguments) -> None:
        press = _read(event.args)
        await guarded(lambda: handler(press))()
        if not event.client.is_deleted:
            event.client.run_javascript(f"rushes.answered('{press.id}')")

    button.props["data-press"] = ""
    button.on("click", run, ["press"])


def _read(args: object) -> Press:
    """A new press where the browser sent none."""
    sent = args.get("press") if isinstance(args, dict) else None
    if not isinstance(sent, dict):
        return Press()
    texts = sent.get("texts")
    known = list(texts.items())[:MAX_TEXTS] if isinstance(texts, dict) else []
    try:
        press_id = str(UUID(str(sent.get("key"))))
    except ValueError:
        press_id = str(uuid4())
    return Press(id=press_id, texts={str(name): text for name, text in known if isinstance(text, str)})
