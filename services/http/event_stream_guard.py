"""Makes an event stream safe for httpx-sse to decode."""

from collections.abc import AsyncIterable, AsyncIterator

import httpx

MAX_EVENT_BYTES = 1024 * 1024
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
MIN_RETRY_S, MAX_RETRY_S = 0.5, 60.0


class OversizedEvent(Exception):
    """One event, or one line, is larger than MAX_EVENT_BYTES."""


class EventStreamGuard(httpx.AsyncByteStream):
    """Yields whole lines, each ended by LF, and bounds the size of an event.

    httpx-sse 0.4.3 buffers an unterminated line without a limit, loses the first event after a byte-order
    mark, holds a line that ends in CR back until the next chunk, and takes a negative `retry`.
    """

    def __init__(self, stream: AsyncIterable[bytes]) -> None:
        self.retry_s: float | None = None
        """The last `retry` field, clamped to 0.5-60 s."""
        self._stream = stream
        self._partial = bytearray()
        self._event_bytes = 0
        self._at_start = True
        self._after_cr = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Raises OversizedEvent."""
        async for chunk in self._stream:
            if lines := self._complete_lines(chunk):
                yield lines

    def _complete_lines(self, chunk: bytes) -> bytes:
        if (
            chunk.endswith(b"\n\n")
            and not (self._at_start or self._after_cr or self._partial or self._event_bytes)
            and len(chunk) <= MAX_EVENT_BYTES
            and b"\r" not in chunk
            and b"retry" not in chunk
        ):
            return chunk  # whole events, as most chunks are
        lines = [line + b"\n" for line in self._split(chunk) if self._admit(line)]
        if self._event_bytes + len(self._partial) > MAX_EVENT_BYTES:
            raise OversizedEvent
        return b"".join(lines)

    def _split(self, chunk: bytes) -> list[bytes]:
        """Splits at CR, LF and CRLF only; a CR ends its line at once, and an LF that follows is skipped."""
        if self._at_start:
            chunk = self._strip_mark(chunk)
        if self._after_cr and chunk:
            self._after_cr = False
            chunk = chunk.removeprefix(b"\n")
        if b"\r" in chunk:
            self._after_cr = chunk.endswith(b"\r")
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        lines = chunk.split(b"\n")
        partial = lines.pop()
        if lines and self._partial:
            lines[0] = bytes(self._partial + lines[0])
            self._partial = bytearray()
        self._partial += partial
        return lines

    def _strip_mark(self, chunk: bytes) -> bytes:
        """Buffers the first bytes until they are a byte-order mark or cannot become one."""
        start = bytes(self._partial) + chunk
        self._partial = bytearray()
        if len(start) < len(BYTE_ORDER_MARK) and BYTE_ORDER_MARK.startswith(start):
            self._partial += start
            return b""
        self._at_start = False
        return start.removeprefix(BYTE_ORDER_MARK)

    def _admit(self, line: bytes) -> bool:
        """Whether the decoder needs the line; `retry` fields are read here."""
        if not line:
            self._event_bytes = 0
        elif line.startswith(b"data"):
            self._event_bytes += len(line) + 1
            if self._event_bytes > MAX_EVENT_BYTES:
                raise OversizedEvent
        elif line.startswith(b"retry"):
            field, _, value = line.partition(b":")
            value = value.removeprefix(b" ")
            if field == b"retry" and value.isdigit():
                self.retry_s = min(max(float(value) / 1000, MIN_RETRY_S), MAX_RETRY_S)
            return False
        return True
