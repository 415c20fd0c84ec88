"""GET /api/events/file.{id}: one generation's events as server-sent events (C5)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any, cast

import anyio
from fastapi import APIRouter, Request, Response
from sse_starlette import EventSourceResponse, ServerSentEvent

from services.api.caller import Owner
from services.api.public_url import Addresses
from services.api.response_models import Refusal, file_answer, percent, task
from services.api.status_messages import message_of
from services.core.errors import NotFound
from services.core.events import GenerationEvent
from services.core.model import Generation, Phase
from services.generations.service import Generations

KEEP_ALIVE_S = 15
REREAD_S = 15.0
"""The row is the truth and news only wake: a piece of news that never came costs this long at most."""
LEAVES_WITHIN_S = 0.5
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class Newest:
    """Holds the newest snapshot alone: a slow reader misses some progress, and never the end."""

    def __init__(self) -> None:
        self._held: Generation | None = None
        self._came = asyncio.Event()
        self.ended = False

    def set(self) -> None:
        """Called by sse-starlette, as its shutdown event, when the server stops."""
        self.ended = True
        self._came.set()

    def hear(self, news: GenerationEvent) -> None:
        if isinstance(news, Generation) and (self._held is None or news.revision > self._held.revision):
            self._held = news
            self._came.set()

    async def after(self, revision: int, *, within_s: float) -> Generation | None:
        """The next snapshot behind `revision`, or None when none came in time."""
        try:
            async with asyncio.timeout(within_s):
                while not self.ended and (self._held is None or self._held.revision <= revision):
                    self._came.clear()
                    await self._came.wait()
        except TimeoutError:
            return None
        return self._held


def router(generations: Generations, addresses: Addresses) -> APIRouter:
    routes = APIRouter(prefix="/api/events", tags=["events"])

    @routes.get(
        "/file.{file_id}",
        response_class=Response,
        responses={
            200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}},
            204: {"description": "Everything up to Last-Event-ID is all there was."},
            404: {"model": Refusal},
        },
    )
    async def events(owner: Owner, file_id: str, request: Request) -> Response:
        """`task`, `render_progress`, then `file` or `error`; with `id:` lines to resume from."""
        current = await generations.get(file_id, owner=owner)
        seen = _seen(request)
        if current.final and seen.end == current.phase:
            return Response(status_code=204, headers=HEADERS)  # this ends an EventSource's reconnecting
        newest = Newest()
        return EventSourceResponse(
            _story(owner, generations, file_id, newest, seen.revision, addresses.base(request)),
            ping=KEEP_ALIVE_S,
            ping_message_factory=_keep_alive,
            sep="\n",
            headers=HEADERS,
            shutdown_event=cast(anyio.Event, newest),
            shutdown_grace_period=LEAVES_WITHIN_S,
        )

    return routes


async def _story(
    owner: str, generations: Generations, file_id: str, newest: Newest, seen: int | None, base_url: str
) -> AsyncIterator[ServerSentEvent]:
    """Subscribes first, then reads, so that nothing falls between."""
    forget = generations.bus.subscribe(newest.hear, generation_id=file_id)
    try:
        told: Generation | None = None
        current = await generations.get(file_id, owner=owner)
        if current.revision == seen:
            told = current
        while current.trashed_at is None:
            for event in events_between(told, current, base_url):
                yield event
            if current.final:
                return
            told = current
            heard = await newest.after(told.revision, within_s=REREAD_S)
            if newest.ended:
                return
            current = heard or await generations.get(file_id, owner=owner)
        yield _deleted(file_id)
    except NotFound:
        yield _deleted(file_id)
    finally:
        forget()


def events_between(told: Generation | None, now: Generation, base_url: str) -> Iterator[ServerSentEvent]:
    """What has to be told; the last event alone carries the revision, for the whole of it was told then."""
    payloads = list(_payloads(told, now, base_url))
    for place, payload in enumerate(payloads, start=1):
        yield _event(payload, _id(now) if place == len(payloads) else None)


def _payloads(told: Generation | None, now: Generation, base_url: str) -> Iterator[dict[str, Any]]:
    if now.phase is Phase.COMPLETED:
        content_type = now.kept.content_type if now.kept else None
        file = file_answer(now, base_url).model_dump(mode="json")
        yield {"type": "file", "object": {**file, "contentType": content_type}}
        return
    if now.final:
        yield {"type": "error", "error": message_of(now), "file_id": now.id}
        return
    about = {"file_id": now.id, "phase": now.phase, "message": message_of(now)}
    if told is None or message_of(told) != about["message"] or told.phase is not now.phase:
        yield {"type": "task", "object": {**task(now).model_dump(), **about}}
    progress = percent(now)
    if progress is not None and (told is None or percent(told) != progress):
        yield {"type": "render_progress", "object": {"file_id": now.id, "progress": progress}}


def _deleted(file_id: str) -> ServerSentEvent:
    return _event({"type": "error", "error": "This file was deleted.", "file_id": file_id})


def _event(payload: dict[str, Any], event_id: str | None = None) -> ServerSentEvent:
    return ServerSentEvent(json.dumps(payload, separators=(",", ":")), id=event_id, sep="\n")


def _keep_alive() -> ServerSentEvent:
    return ServerSentEvent(comment="keep-alive", sep="\n")


def _id(told: Generation) -> str:
    """The revision, and how it ended: the poster of a finished file is a revision, but no news to hear."""
    return f"{told.revision}.{told.phase}" if told.final else str(told.revision)


@dataclass(frozen=True, slots=True)
class Seen:
    revision: int | None = None
    end: str = ""


def _seen(request: Request) -> Seen:
    revision, _, end = request.headers.get("last-event-id", "").partition(".")
    if not (revision.isascii() and revision.isdigit() and len(revision) < 19):
        return Seen()
    return Seen(int(revision), end)
