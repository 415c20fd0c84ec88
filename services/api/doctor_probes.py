"""GET /api/doctor/…: endpoints that the doctor measures the way to the app with."""

from __future__ import annotations

import json
import re
import time
from collections.abc import AsyncIterator
from typing import Annotated

import anyio
from fastapi import APIRouter, Query, Request, Response
from sse_starlette import EventSourceResponse, ServerSentEvent

from services.api.events import HEADERS, KEEP_ALIVE_S, LEAVES_WITHIN_S
from services.diagnostics.doctor.address import PATTERN

LONGEST_S = 3600
BRISK_S = 5
"""So long an event comes every second; then as seldom as a real stream's keep-alive, which proxies cut."""


def router() -> APIRouter:
    routes = APIRouter(prefix="/api/doctor", tags=["running it"])

    @routes.get(
        "/stream",
        response_class=Response,
        responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
    )
    async def stream(seconds: Annotated[int, Query(ge=1, le=LONGEST_S)] = 35) -> Response:
        """Numbered events with the time they were sent; the last one says that it is."""
        stops = anyio.Event()
        return EventSourceResponse(
            _events(seconds, stops),
            ping=LONGEST_S,
            sep="\n",
            headers=HEADERS,
            shutdown_event=stops,
            shutdown_grace_period=LEAVES_WITHIN_S,
        )

    @routes.get("/bytes", response_class=Response, responses={206: {"description": "The part asked for."}})
    async def some_bytes(request: Request) -> Response:
        """64 KiB of a known pattern, or one range of it."""
        asked = re.fullmatch(r"bytes=(\d{1,5})-(\d{1,5})", request.headers.get("range", ""))
        if asked is None or not int(asked[1]) <= int(asked[2]) < len(PATTERN):
            return Response(
                PATTERN, media_type="application/octet-stream", headers={"Accept-Ranges": "bytes"}
            )
        first, last = int(asked[1]), int(asked[2])
        content_range = {"Content-Range": f"bytes {first}-{last}/{len(PATTERN)}"}
        return Response(
            PATTERN[first : last + 1], 206, media_type="application/octet-stream", headers=content_range
        )

    return routes


async def _events(seconds: int, stops: anyio.Event) -> AsyncIterator[ServerSentEvent]:
    """To its end, or until the server stops."""
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
    """Seconds after the beginning."""
    seldom = range(BRISK_S + KEEP_ALIVE_S, seconds, KEEP_ALIVE_S)
    return [*range(min(BRISK_S + 1, seconds)), *seldom, seconds]
