"""The guard in front of httpx-sse's decoder: lines from bytes, and a bound on what one event may hold.

httpx-sse 0.4.3 keeps all of an unterminated line, loses the first event after a byte-order mark, takes a
negative `retry` and makes events of blocks without data; none of that reaches it from here.
"""

from __future__ import annotations

from dataclasses import dataclass

from httpx_sse._decoders import SSEDecoder

MOST_BYTES = 1024 * 1024
MARK = b"\xef\xbb\xbf"
SHORTEST_RETRY_S, LONGEST_RETRY_S = 0.5, 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamEvent:
    """One non-empty event, or (with `data` empty and `comment` true) a sign of life."""

    type: str = "message"
    data: str = ""
    id: str = ""
    comment: bool = False


SIGN_OF_LIFE = StreamEvent(comment=True)


class Oversize(Exception):
    """One event, or one line, is larger than MOST_BYTES."""


class Parser:
    """Bytes in, in pieces of any size; events out."""

    __slots__ = ("_after_cr", "_at_start", "_decoder", "_event_bytes", "_rest", "retry_s")

    def __init__(self) -> None:
        self.retry_s: float | None = None
        """The stream's own wish for the pause before a reconnect, held between 0.5 and 60 s."""
        self._decoder = SSEDecoder()
        self._rest = bytearray()
        self._event_bytes = 0
        self._at_start = True
        self._after_cr = False

    def feed(self, chunk: bytes) -> list[StreamEvent]:
        """A chunk that ends lines but no event gives one sign of life. Raises Oversize."""
        lines = self._lines(chunk)
        events = [event for line in lines if (event := self._take(line)) is not None]
        if self._event_bytes + len(self._rest) > MOST_BYTES:
            raise Oversize
        return events or ([SIGN_OF_LIFE] if lines else [])

    def _lines(self, chunk: bytes) -> list[bytes]:
        """CR, LF and CRLF end a line, nothing else does; a CR ends it at once, a later LF adds nothing."""
        if self._at_start:
            chunk = self._without_mark(chunk)
        if self._after_cr and chunk:
            self._after_cr = False
            chunk = chunk.removeprefix(b"\n")
        if b"\r" in chunk:
            self._after_cr = chunk.endswith(b"\r")
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        lines = chunk.split(b"\n")
        rest = lines.pop()
        if lines and self._rest:
            lines[0] = bytes(self._rest + lines[0])
            self._rest = bytearray()
        if rest:
            self._rest += rest
        return lines

    def _without_mark(self, chunk: bytes) -> bytes:
        """Holds the first bytes back until they are a byte-order mark or surely none."""
        start = bytes(self._rest) + chunk
        self._rest = bytearray()
        if len(start) < len(MARK) and MARK.startswith(start):
            self._rest += start
            return b""
        self._at_start = False
        return start.removeprefix(MARK)

    def _take(self, line: bytes) -> StreamEvent | None:
        if not line:
            self._event_bytes = 0
        elif line.startswith(b"data"):
            self._event_bytes += len(line) + 1
            if self._event_bytes > MOST_BYTES:
                raise Oversize
        elif line.startswith(b"retry"):
            self._take_retry(line)
            return None
        heard = self._decoder.decode(line.decode("utf-8", "replace"))
        if heard is None or not heard.data:
            return None
        return StreamEvent(type=heard.event, data=heard.data, id=heard.id)

    def _take_retry(self, line: bytes) -> None:
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"retry" and value.isdigit():
            self.retry_s = min(max(float(value) / 1000, SHORTEST_RETRY_S), LONGEST_RETRY_S)
