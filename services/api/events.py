"""GET /api/events/file.{id}: one generation's events as server-sent events."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from functools import partial
from typing import Any, cast

import anyio
from fastapi import APIRouter, Request, Response
from sse_starlette import EventSourceResponse, ServerSentEvent

from services.api.openapi import EVENT_STREAM
from services.api.request_context import BaseUrl, Owner
from services.api.response_models import FileAnswer, Refusal, Task
from services.api.status_messages import message_of
from services.core.errors import NotFound
from services.core.events import GenerationEvent
from services.core.model import Generation, Phase
from services.generations.service import Generations
from services.media.serve import served_type

KEEP_ALIVE_S = 15
REREAD_EVERY_S = 15.0
"""The row is read again after this long without an event of the bus, so a missed event only delays."""
SHUTDOWN_GRACE_S = 0.5
SEND_WITHIN_S = 30
"""A client that takes nothing for so long is cut off; it resumes from its last event."""
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class LatestSnapshot:
    """Holds only the newest snapshot: a slow client skips progress, but never the end."""

    def __init__(self) -> None:
        self._newest: Generation | None = None
        self._changed = asyncio.Event()
        self.stopped = False

    def set(self) -> None:
        """sse-starlette calls it as its shutdown event when the server stops."""
        self.stopped = True
        self._changed.set()

    def on_event(self, event: GenerationEvent) -> None:
        if isinstance(event, Generation) and (self._newest is None or event.revision > self._newest.revision):
            self._newest = event
            self._changed.set()

    async def after(self, revision: int, *, within_s: float) -> Generation | None:
        """The next snapshot with a higher revision; None at the timeout."""
        try:
            async with asyncio.timeout(within_s):
                while not self.stopped and (self._newest is None or self._newest.revision <= revision):
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return None
        return self._newest


def router(generations: Generations) -> APIRouter:
    routes = APIRouter(prefix="/api/events", tags=["events"])

    @routes.get(
        "/file.{file_id}",
        response_class=Response,
        responses={
            200: EVENT_STREAM,
            204: {"description": "There are no events after Last-Event-ID."},
            404: {"model": Refusal},
        },
    )
    async def generation_events(owner: Owner, file_id: str, request: Request, base_url: BaseUrl) -> Response:
        """`task`, `render_progress`, then `file` or `error`; with `id:` lines to resume from."""
        current = await generations.get(file_id, owner=owner)
        revision, final_phase = _last_event_id(request)
        if current.final and final_phase == current.phase:
            return Response(status_code=204, headers=HEADERS)  # this ends an EventSource's reconnecting
        latest = LatestSnapshot()
        return EventSourceResponse(
            _event_stream(owner, generations, file_id, latest, revision, base_url),
            ping=KEEP_ALIVE_S,
            ping_message_factory=partial(ServerSentEvent, comment="keep-alive", sep="\n"),
            sep="\n",
            headers=HEADERS,
            send_timeout=SEND_WITHIN_S,
            shutdown_event=cast(anyio.Event, latest),
            shutdown_grace_period=SHUTDOWN_GRACE_S,
        )

    return routes


async def _event_stream(
    owner: str,
    generations: Generations,
    file_id: str,
    latest: LatestSnapshot,
    resume_after: int | None,
    base_url: str,
) -> AsyncIterator[ServerSentEvent]:
    """Subscribes first, then reads, so that no change is missed. `resume_after` is a revision."""
    unsubscribe = generations.bus.subscribe(latest.on_event, generation_id=file_id)
    try:
        with suppress(NotFound):
            current = await generations.get(file_id, owner=owner)
            sent = current if current.revision == resume_after else None
            while current.trashed_at is None:
                for event in events_between(sent, current, base_url):
                    yield event
                if current.final:
                    return
                sent = current
                update = await latest.after(sent.revision, within_s=REREAD_EVERY_S)
                if latest.stopped:
                    return
                current = update or await generations.get(file_id, owner=owner)
        yield _event({"type": "error", "error": "This file was deleted.", "file_id": file_id})
    finally:
        unsubscribe()


def events_between(sent: Generation | None, current: Generation, base_url: str) -> Iterator[ServerSentEvent]:
    """Only the last event has an id, the revision: a client that resumes after it received all of them."""
    payloads = list(_payloads(sent, current, base_url))
    for number, payload in enumerate(payloads, start=1):
        yield _event(payload, _event_id(current) if number == len(payloads) else None)


def _payloads(sent: Generation | None, current: Generation, base_url: str) -> Iterator[dict[str, Any]]:
    if current.phase is Phase.COMPLETED:
        content_type = served_type(current.kept) if current.kept else None
        file = FileAnswer.of(current, base_url).model_dump(mode="json")
        yield {"type": "file", "object": {**file, "contentType": content_type}}
        return
    if current.final:
        yield {"type": "error", "error": message_of(current), "file_id": current.id}
        return
    about = _about(current)
    if sent is None or _about(sent) != about:
        yield {"type": "task", "object": {**Task.of(current).model_dump(), **about}}
    percent = current.percent
    if percent is not None and (sent is None or sent.percent != percent):
        yield {"type": "render_progress", "object": {"file_id": current.id, "progress": percent}}


def _about(generation: Generation) -> dict[str, Any]:
    about = {"file_id": generation.id, "phase": generation.phase, "message": message_of(generation)}
    place = generation.queue_place
    return about if place is None else about | {"queue_position": place}


def _event(payload: dict[str, Any], event_id: str | None = None) -> ServerSentEvent:
    return ServerSentEvent(json.dumps(payload, separators=(",", ":")), id=event_id, sep="\n")


def _event_id(sent: Generation) -> str:
    """The revision; with the phase of a final one, whose later revisions (a poster) are no events."""
    return f"{sent.revision}.{sent.phase}" if sent.final else str(sent.revision)


def _last_event_id(request: Request) -> tuple[int | None, str]:
    """The parts of an `_event_id`."""
    revision, _, final_phase = request.headers.get("last-event-id", "").partition(".")
    if not (revision.isascii() and revision.isdigit() and len(revision) < 19):
        return None, ""
    return int(revision), final_phase
