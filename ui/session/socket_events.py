"""Takes what pages send over their websocket as untrusted: one short log line, and not too many of them."""

import functools
import inspect
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from time import monotonic
from typing import Any

from nicegui import Client, core
from socketio.exceptions import ConnectionRefusedError as Refused
from starlette.types import ASGIApp, Receive, Scope, Send

log = logging.getLogger(__name__)

MAX_MESSAGE_CHARS = 300
MAX_LINES, WINDOW_S = 20, 60.0
LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.WARNING}
"""Of a page's own messages; its error is no error of this process."""
LIBRARY_LOGS = ("engineio.server", "engineio.client", "socketio.server")


class PageLog:
    """At most MAX_LINES a minute, each on one line; the rest is counted."""

    def __init__(self, *, now: Callable[[], float] = monotonic) -> None:
        self._now = now
        self._since = -WINDOW_S
        self._lines = self._dropped = 0

    def write(self, level: int, text: str) -> None:
        if self._now() - self._since >= WINDOW_S:
            dropped, self._since, self._lines, self._dropped = self._dropped, self._now(), 0, 0
            if dropped:
                log.warning("Messages of pages that were not logged: %d.", dropped)
        if self._lines >= MAX_LINES:
            self._dropped += 1
            return
        self._lines += 1
        log.log(level, "%s", text)

    def malformed(self, what: str) -> None:
        self.write(logging.WARNING, f"A malformed message of a page was ignored ({one_line(what, 60)}).")

    def reported(self, message: object) -> None:
        """NiceGUI's own handler writes any text as it comes, line breaks included."""
        if not isinstance(message, dict) or not isinstance(message.get("client_id"), str):
            return self.malformed("log")
        if message["client_id"] not in Client.instances:
            return None
        level, text = message.get("level"), message.get("message")
        if not isinstance(level, str) or level not in LEVELS or not isinstance(text, str):
            return self.malformed("log")
        return self.write(LEVELS[level], f"A page reports: {one_line(text)}")


def install() -> None:
    """Replaces the handler of `log`, and guards all others; NiceGUI must have been imported."""
    pages = PageLog()
    handlers: dict[str, Callable[..., Any]] = core.sio.handlers["/"]
    handlers["log"] = lambda _sid, message=None, *_: pages.reported(message)
    for event in ("handshake", "event", "javascript_response", "ack"):
        handlers[event] = _guarded(event, handlers[event], pages)
    handlers["connect"] = _refusing(handlers["connect"], pages)
    # "disconnect" stays as it is: the library calls it again, with other arguments, after a TypeError.
    for name in LIBRARY_LOGS:
        logging.getLogger(name).addFilter(functools.partial(_shorten, pages))


def _guarded(event: str, handler: Callable[..., Any], pages: PageLog) -> Callable[..., Awaitable[Any]]:
    """A handler's exception is a malformed message: NiceGUI catches those of the app's own handlers."""

    @functools.wraps(handler)
    async def guarded(*values: Any) -> Any:
        try:
            result = handler(*values)
            return await result if inspect.isawaitable(result) else result
        except Exception as error:
            pages.malformed(f"{event}: {type(error).__name__}")
            return False

    return guarded


def _refusing(handler: Callable[..., Awaitable[Any]], pages: PageLog) -> Callable[..., Awaitable[Any]]:
    """Refuses a websocket whose query lacks what a page writes into it."""

    @functools.wraps(handler)
    async def refusing(*values: Any) -> Any:
        try:
            return await handler(*values)
        except (LookupError, ValueError) as error:
            pages.malformed(f"connect: {type(error).__name__}")
            raise Refused("The page's query cannot be read.") from error

    return refusing


def _shorten(pages: PageLog, record: logging.LogRecord) -> bool:
    """Replaces the library's tracebacks."""
    if record.levelno >= logging.WARNING:
        pages.malformed("packet")
        return False
    return True


class SocketGuard:
    """A packet that the library cannot read ends its websocket; it would be a traceback."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._pages = PageLog()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except Exception as error:
            if scope["type"] != "websocket":
                raise
            self._pages.malformed(f"packet: {type(error).__name__}")
            with suppress(Exception):
                await send({"type": "websocket.close", "code": 1002})


def one_line(text: str, most: int = MAX_MESSAGE_CHARS) -> str:
    """Escapes line breaks, control characters and what is no text."""
    shown = "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text[: most + 1])
    return shown if len(shown) <= most else f"{shown[: most - 1]}…"
