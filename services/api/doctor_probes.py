"""GET /api/doctor/…: endpoints with which the doctor measures the connection to the app."""

import json
import re
import time
from collections.abc import AsyncIterator
from typing import Annotated

import anyio
from fastapi import APIRouter, Query, Request, Response
from sse_starlette import EventSourceResponse, ServerSentEvent

from services.api.events import HEADERS, KEEP_ALIVE_S, SHUTDOWN_GRACE_S
from services.api.openapi import EVENT_STREAM
from services.diagnostics.doctor.address import PATTERN

MAX_STREAM_S = 120
SEND_WITHIN_S = 10
"""A client that does not take an event for so long is cut off."""
EVERY_SECOND_UNTIL_S = 5
"""Seconds with one event each; after them events come at the keep-alive's interval, which proxies may cut."""


def router() -> APIRouter:
    routes = APIRouter(prefix="/api/doctor", tags=["running it"])

    @routes.get("/stream", response_class=Response, responses={200: EVENT_STREAM})
    async def probe_stream(seconds: Annotated[int, Query(ge=1, le=MAX_STREAM_S)] = 35) -> Response:
        """Numbered events with their sending time; `last` marks the last one."""
        stops = anyio.Event()
        return EventSourceResponse(
            _events(seconds, stops),
            ping=MAX_STREAM_S,
            sep="\n",
            headers=HEADERS,
            send_timeout=SEND_WITHIN_S,
            shutdown_event=stops,
            shutdown_grace_period=SHUTDOWN_GRACE_S,
        )

    @routes.get("/bytes", response_class=Response, responses={206: {"description": "The part asked for."}})
    async def probe_bytes(request: Request) -> Response:
        """64 KiB of a known pattern, or one range of it."""
        wanted = re.fullmatch(r"bytes=(\d{1,5})-(\d{1,5})", request.headers.get("range", ""))
        if wanted is None or not int(wanted[1]) <= int(wanted[2]) < len(PATTERN):
            return Response(PATTERN, 200, {"Accept-Ranges": "bytes"}, "application/octet-stream")
        first, last = int(wanted[1]), int(wanted[2])
        content_range = {"Content-Range": f"bytes {first}-{last}/{len(PATTERN)}"}
        return Response(PATTERN[first : last + 1], 206, content_range, "application/octet-stream")

    return routes


async def _events(seconds: int, stops: anyio.Event) -> AsyncIterator[ServerSentEvent]:
    """Ends early when the server stops."""
    times = sending_times(seconds)
    begun = time.monotonic()
    for number, at_s in enumerate(times, start=1):
        with anyio.move_on_after(max(0.0, begun + at_s - time.monotonic())):
            await stops.wait()
        if stops.is_set():
            return
        event = {"number": number, "sent_at": round(time.time(), 3), "last": number == len(times)}
        yield ServerSentEvent(json.dumps(event), id=str(number), sep="\n")


def sending_times(seconds: int) -> list[int]:
    """Seconds after the start."""
    slow = range(EVERY_SECOND_UNTIL_S + KEEP_ALIVE_S, seconds, KEEP_ALIVE_S)
    return [*range(min(EVERY_SECOND_UNTIL_S + 1, seconds)), *slow, seconds]
