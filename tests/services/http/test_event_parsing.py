"""The parse vectors: our own table, after the list of web-platform-tests' eventsource/format-*.

Where we differ on purpose: an event without data is dropped (the specification dispatches it when a data
field was there), and `retry` is held between 0.5 and 60 s.
"""

from __future__ import annotations

import asyncio
import itertools
import time
import tracemalloc
from collections.abc import AsyncIterator, Iterable, Iterator

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.core.errors import ChannelLost
from services.http.event_stream import EventStream, StreamEvent
from services.http.event_stream_guard import MAX_EVENT_BYTES

Received = tuple[str, str, str]
"""type, data, id"""

VECTORS: dict[str, tuple[bytes, list[Received]]] = {
    "bom": (b"\xef\xbb\xbfdata:1\n\n\xef\xbb\xbfdata:2\n\ndata:3\n\n", [("message", "1", ""), ("message", "3", "")]),
    "bom-2": (b"\xef\xbb\xbf\xef\xbb\xbfdata:1\n\ndata:2\n\ndata:3\n\n", [("message", "2", ""), ("message", "3", "")]),
    "bom, half of one": (b"\xef\xbbdata:1\n\ndata:2\n\n", [("message", "2", "")]),
    "comments": (
        b"data:1\r:\x00\n:\r\ndata:2\n:" + b"x" * 2048 + b"\rdata:3\n:data:fail\r:" + b"x" * 2048 + b"\ndata:4\n\n",
        [("message", "1\n2\n3\n4", "")],
    ),
    "data before the final empty line": (b"retry:1000\ndata:test1\n\nid:test\ndata:test2", [("message", "test1", "")]),
    "field-data": (b"data:\n\ndata\ndata\n\ndata:test\n\n", [("message", "\n", ""), ("message", "test", "")]),
    "field-event": (b"event:test\ndata:x\n\ndata:x\n\n", [("test", "x", ""), ("message", "x", "")]),
    "field-event-empty": (b"event: \ndata:data\n\n", [("message", "data", "")]),
    "field-event, the last counts": (b"event:a\nevent:b\ndata:x\n\n", [("b", "x", "")]),
    "field-event without data is forgotten": (b"event:a\n\ndata:x\n\n", [("message", "x", "")]),
    "field-id stays": (b"id: 1\ndata:a\n\ndata:b\n\n", [("message", "a", "1"), ("message", "b", "1")]),
    "field-id-2": (
        b"id\ndata:0\n\nid:1\ndata:1\n\nid:\ndata:2\n\ndata:3\n\n",
        [("message", "0", ""), ("message", "1", "1"), ("message", "2", ""), ("message", "3", "")],
    ),
    "field-id alone is no event": (b"id:7\n\ndata:x\n\n", [("message", "x", "7")]),
    "field-id-null": (b"id: 1\x00\ndata:a\n\nid:2\ndata:b\n\nid:\x003\ndata:c\n\n",
        [("message", "a", ""), ("message", "b", "2"), ("message", "c", "2")]),
    "field-parsing": (
        b"data:\x00\ndata:  2\rData:1\ndata\x00:2\ndata:1\r\x00data:4\nda-ta:3\rdata_5\ndata:3\rdata:\r\n data:32\ndata:4\n\n",
        [("message", "\x00\n 2\n1\n3\n\n4", "")],
    ),
    "field-retry is no event": (b"retry:3000\n\ndata:x\n\n", [("message", "x", "")]),
    "field-retry-bogus": (b"retry:3000\nretry:1000x\ndata:x\n\n", [("message", "x", "")]),
    "field-retry-empty": (b"retry\ndata:test\n\n", [("message", "test", "")]),
    "field-unknown": (b"data:test\n data\ndata\nfoobar:xxx\njustsometext\n:thisisacommentyay\ndata:test\n\n",
        [("message", "test\n\ntest", "")]),
    "leading-space": (b"data:\ttest\rdata: \ndata:test\n\n", [("message", "\ttest\n\ntest", "")]),
    "newlines": (b"data:test\r\ndata\ndata:test\r\n\r", [("message", "test\n\ntest", "")]),
    "newlines, CR only": (b"data:a\r\rdata:b\r\r", [("message", "a", ""), ("message", "b", "")]),
    "newlines, CRLF only": (b"data:a\r\n\r\ndata:b\r\n\r\n", [("message", "a", ""), ("message", "b", "")]),
    "null-character": (b"data:\x00\n\n\n\n", [("message", "\x00", "")]),
    "utf-8": ("data:ok…\n\ndata: Grüße 🎬\n\n".encode(), [("message", "ok…", ""), ("message", "Grüße 🎬", "")]),
    "utf-8, broken": (b"data:\xe2\x80\ndata:\xff!\n\n", [("message", "\ufffd\n\ufffd!", "")]),
    "U+2028 and its kin end no line": (
        "data:a\u2028b\u2029c\x85d\x0be\x0cf\x1cg\n\n".encode(), [("message", "a\u2028b\u2029c\x85d\x0be\x0cf\x1cg", "")]),
    "a heartbeat event without data": (b"event:ping\ndata:\n\ndata:x\n\n", [("message", "x", "")]),
    "a keep-alive between": (b": ping\n\ndata:x\n\n: ping\n\n", [("message", "x", "")]),
}  # fmt: skip


class Chunks(httpx.AsyncByteStream):
    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = chunks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            yield chunk


def stream_of(chunks: Iterable[bytes]) -> EventStream:
    return EventStream(httpx.Response(200, stream=Chunks(chunks)))


async def drain(stream: EventStream) -> tuple[list[StreamEvent], ChannelLost]:
    events: list[StreamEvent] = []
    try:
        async for event in stream:
            events.append(event)  # noqa: PERF401
    except ChannelLost as lost:
        return events, lost
    raise AssertionError("a stream never just ends")


def received(chunks: Iterable[bytes]) -> list[Received]:
    events, lost = asyncio.run(drain(stream_of(chunks)))
    assert lost.reason == "ended"
    return [(event.type, event.data, event.id) for event in events]


@pytest.mark.parametrize("name", VECTORS)
def test_a_vector_in_one_piece_is_heard_as_it_should(name: str) -> None:
    wire, events = VECTORS[name]
    assert received([wire]) == events


@pytest.mark.parametrize("name", VECTORS)
def test_a_vector_byte_by_byte_is_heard_just_the_same(name: str) -> None:
    wire, events = VECTORS[name]
    assert received(wire[at : at + 1] for at in range(len(wire))) == events


@settings(max_examples=200, deadline=None)
@given(name=st.sampled_from(sorted(VECTORS)), cuts=st.lists(st.integers(0, 4300), max_size=12))
def test_a_vector_cut_anywhere_is_heard_just_the_same(name: str, cuts: list[int]) -> None:
    wire, events = VECTORS[name]
    edges = [0, *sorted(min(cut, len(wire)) for cut in cuts), len(wire)]
    assert received(wire[start:end] for start, end in itertools.pairwise(edges)) == events


@settings(max_examples=300, deadline=None)
@given(
    wire=st.text("\r\n: dataievntr\x00é\u2028\ufeff1", max_size=60),
    cuts=st.lists(st.integers(0, 80), max_size=6),
)
def test_where_the_cuts_are_never_matters(wire: str, cuts: list[int]) -> None:
    raw = wire.encode()
    edges = [0, *sorted(min(cut, len(raw)) for cut in cuts), len(raw)]
    assert received(raw[start:end] for start, end in itertools.pairwise(edges)) == received([raw])


@pytest.mark.parametrize(
    ("line", "seconds"),
    [
        (b"retry:3000", 3.0),
        (b"retry: 3000", 3.0),
        (b"retry:0", 0.5),
        (b"retry:99999999", 60.0),
        (b"retry:" + b"9" * 5000, 60.0),
        (b"retry:-1", None),
        (b"retry:+1000", None),
        (b"retry:1_000", None),
        (b"retry:1e3", None),
        (b"retry:  1000", None),
        ("retry:١٠٠٠".encode(), None),
        (b"retry:", None),
        (b"retry", None),
        (b"retry :1000", None),
        (b"retryx:1000", None),
    ],
)
def test_retry_is_ascii_digits_between_half_a_second_and_a_minute(line: bytes, seconds: float | None) -> None:
    stream = stream_of([line + b"\n\n"])
    _, lost = asyncio.run(drain(stream))
    assert stream.retry_s == lost.retry_after_s == seconds


def test_comments_are_no_events() -> None:
    assert received([b": ping\n\n: ping\n\n", b"\n", b": half a comm", b"ent\n"]) == []
    assert received([b": ping\n\ndata:x\n\n: ping\n\n"]) == [("message", "x", "")]


@pytest.mark.asyncio
async def test_a_cr_ends_the_event_at_once_without_waiting_for_a_lf() -> None:
    def chunks() -> Iterator[bytes]:
        yield b"data:x\r\r"
        raise AssertionError("the next chunk was waited for")

    assert await anext(stream_of(chunks())) == StreamEvent(data="x")


@pytest.mark.parametrize(
    "endless", [b"x" * 65_536, b"data:" + b"x" * 65_530 + b"\n", b"data:\n" * 10_000, b":" + b"x" * 65_535]
)
def test_an_endless_event_ends_in_bounded_memory(endless: bytes) -> None:
    chunk = endless.rstrip(b"\n") if endless.startswith(b":") else endless
    tracemalloc.start()
    try:
        _, lost = asyncio.run(drain(stream_of(chunk for _ in range(1000))))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert lost.reason == "oversize"
    assert peak < 4 * MAX_EVENT_BYTES


def test_many_small_events_never_add_up_to_a_large_one() -> None:
    event = b"data:" + b"x" * 60_000 + b"\n\n"
    assert len(received(event for _ in range(100))) == 100


def test_an_event_just_below_the_bound_is_heard() -> None:
    wire = b"data:" + b"x" * (MAX_EVENT_BYTES - 6) + b"\n\n"
    assert (
        len(received(wire[at : at + 65_536] for at in range(0, len(wire), 65_536))[0][1])
        == MAX_EVENT_BYTES - 6
    )


def test_fifty_thousand_events_cost_well_under_their_ten_seconds() -> None:
    event = b'data: {"type":"render_progress","object":{"file_id":"0191f2d4","progress":40}}\n\n'
    begun = time.process_time()
    assert len(received(event for _ in range(50_000))) == 50_000
    assert time.process_time() - begun < 2.0  # 0.3 s when nothing else runs: 3 % of a core at 5,000/s
