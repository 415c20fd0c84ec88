"""One guarded event stream over httpx and httpx-sse."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Self, cast

import httpx

from services.core.errors import ChannelLost
from services.http.event_parser import Oversize, Parser, StreamEvent
from services.http.retry_after import retry_after_s

__all__ = ["EventStream", "StreamEvent", "lost_by_status", "open_stream"]

MOST_HOPS = 3
REDIRECTS = frozenset({301, 302, 303, 307, 308})
ASKING = {"Accept": "text/event-stream", "Cache-Control": "no-store", "Accept-Encoding": "identity"}


@asynccontextmanager
async def open_stream(
    transport: httpx.AsyncBaseTransport,
    url: str,
    *,
    headers: dict[str, str],
    silence_s: float,
    connect_s: float = 10.0,
    last_event_id: str = "",
) -> AsyncIterator[EventStream]:
    """Both opening and iterating raise ChannelLost, and nothing of httpx.

    `silence_s` without a byte, keep-alive comments counted, is the end of it.
    """
    headers = headers | ASKING | ({"Last-Event-ID": last_event_id} if last_event_id else {})
    response = await _open(transport, url, headers, {"connect": connect_s, "read": silence_s})
    try:
        _check(response)
        # aiter_raw: nothing is unpacked, so that one chunk stays as small as what is read at once
        async with aclosing(cast(AsyncGenerator[bytes], response.aiter_raw())) as chunks:
            yield EventStream(chunks)
    finally:
        await response.aclose()


class EventStream:
    """The events of one open stream; it never just ends, the end is a ChannelLost too (R4)."""

    __slots__ = ("_chunks", "_parser", "_ready")

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks
        self._parser = Parser()
        self._ready: deque[StreamEvent] = deque()

    @property
    def retry_s(self) -> float | None:
        """What the stream asked for by `retry:`, 0.5-60 s; each ChannelLost of it carries it as well."""
        return self._parser.retry_s

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> StreamEvent:
        while not self._ready:
            chunk = await self._next_chunk()
            try:
                self._ready.extend(self._parser.feed(chunk))
            except Oversize:
                raise self._lost("One event of the stream is larger than 1 MiB.", "oversize") from None
        return self._ready.popleft()

    async def _next_chunk(self) -> bytes:
        try:
            return await anext(self._chunks)
        except StopAsyncIteration:
            raise self._lost("The backend closed the stream.", "ended") from None
        except httpx.ReadTimeout as error:
            raise self._lost("The stream fell silent.", "silent") from error
        except (httpx.HTTPError, httpx.StreamError) as error:
            raise self._lost("The stream broke off.", "reset") from error

    def _lost(self, sentence: str, reason: str) -> ChannelLost:
        return ChannelLost(sentence, reason=reason, retry_after_s=self.retry_s)


async def _open(
    transport: httpx.AsyncBaseTransport, url: str, headers: dict[str, str], patience: dict[str, float]
) -> httpx.Response:
    """Follows redirects by hand, within the origin only: the headers carry the key."""
    for _ in range(MOST_HOPS + 1):
        try:
            request = httpx.Request("GET", url, headers=headers, extensions={"timeout": patience})
            response = await transport.handle_async_request(request)
        except httpx.TimeoutException as error:
            raise ChannelLost("The backend did not open the stream in time.", reason="timeout") from error
        except (httpx.ConnectError, httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
            raise ChannelLost("The backend cannot be reached.", reason="refused") from error
        except httpx.HTTPError as error:
            raise ChannelLost("The stream broke off while it was opened.", reason="reset") from error
        if response.status_code not in REDIRECTS:
            return response
        await response.aclose()
        url = _within_origin(request.url, response.headers.get("Location", ""))
    raise ChannelLost("The stream's address redirects too often.", reason="refused")


def _within_origin(here: httpx.URL, location: str) -> str:
    try:
        there = here.join(location)
    except httpx.InvalidURL as error:
        raise ChannelLost("The stream redirects to no address.", reason="refused") from error
    if not location or (there.scheme, there.host, there.port) != (here.scheme, here.host, here.port):
        raise ChannelLost("The stream redirects to another host.", reason="refused")
    return str(there)


def _check(response: httpx.Response) -> None:
    if response.status_code != 200:
        raise lost_by_status(response.status_code, response.headers)
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    packed = response.headers.get("Content-Encoding", "identity").strip().lower()
    if kind != "text/event-stream" or packed != "identity":
        raise ChannelLost("The answer is not an event stream.", reason="malformed")


def lost_by_status(status: int, headers: Mapping[str, str]) -> ChannelLost:
    """What an answer other than 200 means to a channel."""
    if status == 204:
        return ChannelLost("The backend has nothing to stream.", reason="no_content")
    if status in (401, 403):
        return ChannelLost("The backend does not take the key.", reason="unauthorized")
    if status in (404, 410):
        return ChannelLost("The backend does not know the job at this address.", reason="gone")
    if status in (429, 503):
        wait_s = retry_after_s(headers)
        return ChannelLost("The backend is busy.", reason="busy", retry_after_s=wait_s)
    if status >= 500:
        return ChannelLost(f"The backend answered {status}.", reason="server_error")
    return ChannelLost(f"The backend answered {status}.", reason="refused")
