"""uvicorn's HTTP protocol with limits on clients that send too slowly, or a head without end."""

from asyncio import BaseTransport, TimerHandle
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_WITHIN_S = 20.0
MAX_HEAD_BYTES = 64 * 1024
BODY_WINDOW_S = 30.0
MIN_BODY_BYTES = 16 * 1024
"""A body must bring as much in each window: 0.5 KB/s, less than any phone. It may end sooner."""
SENTENCES = {
    408: "The request came too slowly. Try again over a better connection.",
    431: "The request's head is too large.",
}
REASONS = {408: "Request Timeout", 431: "Request Header Fields Too Large"}


class DeadlineProtocol(HttpToolsProtocol):
    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._deadline: TimerHandle | None = None
        self._in_head = True
        self._head_bytes = self._body_bytes = 0

    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[arg-type]
        self._set_deadline(HEAD_WITHIN_S, self._on_head_late)

    def connection_lost(self, exc: Exception | None) -> None:
        self._clear_deadline()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if not self._in_head:
            return
        self._head_bytes += len(data)
        if self._head_bytes > MAX_HEAD_BYTES:
            self._end(431)

    def handle_websocket_upgrade(self) -> None:
        self._clear_deadline()
        super().handle_websocket_upgrade()

    # the parser's callbacks

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head, self._head_bytes = True, 0
        if self._deadline is None:
            self._set_deadline(HEAD_WITHIN_S, self._on_head_late)

    def on_headers_complete(self) -> None:
        self._in_head, self._body_bytes = False, 0
        self._set_deadline(BODY_WINDOW_S, self._on_window_end)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._clear_deadline()
        super().on_message_complete()

    # deadlines

    def _on_head_late(self) -> None:
        if self._answers_another:
            self._set_deadline(HEAD_WITHIN_S, self._on_head_late)
        else:
            self._end(408)

    def _on_window_end(self) -> None:
        """While the app itself does not read, the client cannot send."""
        if self._body_bytes >= MIN_BODY_BYTES or self.flow.read_paused:
            self._body_bytes = 0
            self._set_deadline(BODY_WINDOW_S, self._on_window_end)
        else:
            self._end(408)

    @property
    def _answers_another(self) -> bool:
        return self._in_head and self.cycle is not None and not self.cycle.response_complete

    def _end(self, status: int) -> None:
        self._clear_deadline()
        if self.transport.is_closing():
            return
        if self._in_head or not self.cycle.response_started:
            self.transport.write(_answer(status))
        self.transport.close()

    def _set_deadline(self, within_s: float, late: Callable[[], None]) -> None:
        self._clear_deadline()
        self._deadline = self.loop.call_later(within_s, late)

    def _clear_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def _answer(status: int) -> bytes:
    sentence = SENTENCES[status]
    return (
        f"HTTP/1.1 {status} {REASONS[status]}\r\ncontent-type: text/plain; charset=utf-8\r\n"
        f"content-length: {len(sentence)}\r\nconnection: close\r\n\r\n{sentence}"
    ).encode()
