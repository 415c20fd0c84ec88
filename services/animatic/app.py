"""The routes of the generation server (protocols: the file, event and config calls of SuperDuperAI)."""

import asyncio
import hmac
import json
from collections.abc import AsyncIterator
from typing import Any

from sse_starlette import EventSourceResponse
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from services.animatic.event_feed import Feed
from services.animatic.job_request import BadOrder, Kind, Order, read_order
from services.animatic.job_store import JobStore, write_atomically
from services.animatic.models import MODELS
from services.animatic.record import Record, hash_of, new_record, uploaded
from services.animatic.render_queue import RenderQueue
from services.animatic.uploads import BadUpload, TooLarge, extension_of, read_upload
from services.animatic.wire import CONTENT_TYPES, Wire, task_event

MAX_BODY_BYTES = 256 * 1024
MAX_KEY_LENGTH = 256
KEEP_ALIVE_S = 15


class Api:
    def __init__(self, store: JobStore, feed: Feed, render_queue: RenderQueue, wire: Wire) -> None:
        self._store = store
        self._feed = feed
        self._render_queue = render_queue
        self._wire = wire
        self._submitting = asyncio.Lock()

    def asgi(self, token: str) -> Starlette:
        return Starlette(
            routes=[
                Route("/api/v1/file/generate-video", self.generate_video, methods=["POST"]),
                Route("/api/v1/file/generate-image", self.generate_image, methods=["POST"]),
                Route("/api/v1/file/upload", self.upload, methods=["POST"]),
                Route("/api/v1/file", self.files, methods=["GET"]),
                Route("/api/v1/file/{file_id}", self.file, methods=["GET"]),
                Route("/api/v1/file/{file_id}", self.delete, methods=["DELETE"]),
                Route("/api/v1/events/file.{file_id}", self.events, methods=["GET"]),
                Route("/api/v1/generation-config", self.models, methods=["GET"]),
                Route("/api/v1/ping", self.ping, methods=["GET"]),
                Route("/files/{path_key}/{name}", self.result, methods=["GET"]),
            ],
            middleware=[Middleware(BearerOnly, token=token)],
            exception_handlers={HTTPException: _error_response, Exception: _error_response},
        )

    async def generate_video(self, request: Request) -> Response:
        return JSONResponse(self._file(await self._submit(request, "video")))

    async def generate_image(self, request: Request) -> Response:
        return JSONResponse([self._file(await self._submit(request, "image"))])

    async def file(self, request: Request) -> Response:
        return JSONResponse(self._file(self._record(request)))

    async def files(self, request: Request) -> Response:
        query = request.query_params
        offset, limit = (
            _natural_number(query.get("offset"), "offset", 0),
            _natural_number(query.get("limit"), "limit", 50),
        )
        types = query.get("type") or query.get("types")
        wanted = [
            record
            for record in self._store.newest_first()
            if types is None or record.type in types.split(",")
        ]
        return JSONResponse([self._wire.file(record) for record in wanted[offset : offset + limit]])

    async def delete(self, request: Request) -> Response:
        record = self._record(request)
        await asyncio.to_thread(self._store.remove, record.id)
        self._render_queue.cancel(record.id)
        return JSONResponse({"id": record.id, "deleted": True})

    async def events(self, request: Request) -> Response:
        record = self._record(request)
        return EventSourceResponse(self._events_of(record.id), ping=KEEP_ALIVE_S, sep="\n")

    async def models(self, request: Request) -> Response:
        wanted = request.query_params.get("type")
        return JSONResponse([model.to_json() for model in MODELS if wanted in (None, model.type)])

    async def ping(self, request: Request) -> Response:
        return JSONResponse({"ping": "pong"})

    async def upload(self, request: Request) -> Response:
        if request.query_params.get("type", "image") != "image":
            raise HTTPException(422, "Only uploads of type image are taken.")
        try:
            content = await read_upload(request)
            extension = await asyncio.to_thread(extension_of, content)
        except TooLarge as error:
            raise HTTPException(413, str(error)) from error
        except BadUpload as error:
            raise HTTPException(422, str(error)) from error
        record = uploaded(extension, len(content))
        await asyncio.to_thread(write_atomically, self._store.path_of(record), content)
        await asyncio.to_thread(self._store.put, record)
        return JSONResponse(self._wire.file(record))

    async def result(self, request: Request) -> Response:
        name = request.path_params["name"]
        record = self._store.get(name.split(".", 1)[0])
        if record is None or not hmac.compare_digest(
            record.path_key.encode(), request.path_params["path_key"].encode()
        ):
            raise HTTPException(404, "There is no such file.")
        if record.status != "completed" or name not in (record.file_name, record.thumbnail_name):
            raise HTTPException(404, "There is no such file.")
        content_type = CONTENT_TYPES[name.rsplit(".", 1)[1]]
        headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "private, immutable"}
        return FileResponse(self._store.files_dir / name, media_type=content_type, headers=headers)

    async def _submit(self, request: Request, kind: Kind) -> Record:
        body = await _json_body(request)
        key = request.headers.get("Idempotency-Key", "")
        if len(key) > MAX_KEY_LENGTH:
            raise HTTPException(422, f"The Idempotency-Key is longer than {MAX_KEY_LENGTH} characters.")
        body_hash = hash_of(request.url.path, body)
        async with self._submitting:
            earlier = self._store.by_key(key)
            if earlier is not None:
                if earlier.body_hash != body_hash:
                    raise HTTPException(409, "This Idempotency-Key was used for another request.")
                return earlier
            order = self._order(body, kind)
            record = new_record(order, kind=kind, idempotency_key=key, body_hash=body_hash)
            # Shielded: a client that disconnects must not leave a stored record that is never rendered.
            await asyncio.shield(
                asyncio.create_task(self._store_and_enqueue(record), name=f"submit-{record.id}")
            )
        return record

    async def _store_and_enqueue(self, record: Record) -> None:
        await asyncio.to_thread(self._store.put, record)
        self._render_queue.enqueue(record)

    def _order(self, body: dict[str, Any], kind: Kind) -> Order:
        try:
            order = read_order(body.get("config"), kind)
        except BadOrder as error:
            raise HTTPException(422, str(error)) from error
        if order.source_id is not None:
            source = self._store.get(order.source_id)
            if source is None or source.type != "image" or source.status != "completed":
                raise HTTPException(422, "The source picture is not known here: upload it first.")
        return order

    async def _events_of(self, file_id: str) -> AsyncIterator[dict[str, str]]:
        with self._feed.listen(file_id) as queue:
            record = self._store.get(file_id)
            if record is not None and record.status != "in_progress":
                yield _sse(self._wire.final_event(record))
            elif record is not None:
                yield _sse(task_event(record, self._render_queue.place_of(file_id)))
                if (progress := self._feed.last_progress(file_id)) is not None:
                    yield _sse(progress)
            while True:
                yield _sse(await queue.get())

    def _file(self, record: Record) -> dict[str, Any]:
        return self._wire.file(record, self._render_queue.place_of(record.id))

    def _record(self, request: Request) -> Record:
        record = self._store.get(request.path_params["file_id"])
        if record is None:
            raise HTTPException(404, "There is no such file.")
        return record


class BearerOnly:
    """Result addresses contain a secret and need no token, as with SuperDuperAI."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._expected = f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not scope["path"].startswith("/files/"):
            given = dict(scope["headers"]).get(b"authorization", b"")
            if not hmac.compare_digest(given, self._expected):
                refusal = JSONResponse({"detail": "The bearer token is missing or wrong."}, 401)
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)


async def _json_body(request: Request) -> dict[str, Any]:
    content = b""
    async for chunk in request.stream():
        content += chunk
        if len(content) > MAX_BODY_BYTES:
            raise HTTPException(413, "The body is larger than 256 KB.")
    try:
        body = json.loads(content, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise HTTPException(422, "The body is not readable JSON.") from error
    if not isinstance(body, dict):
        raise HTTPException(422, "The body must be a JSON object.")
    return body


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def _natural_number(text: str | None, name: str, default: int) -> int:
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise HTTPException(422, f"{name} must be a whole number from 0 up.")
    return int(text)


def _sse(event: dict[str, Any]) -> dict[str, str]:
    return {"data": json.dumps(event, separators=(",", ":"))}


async def _error_response(request: Request, error: Exception) -> Response:
    if isinstance(error, HTTPException):
        return JSONResponse({"detail": error.detail}, error.status_code, error.headers)
    return JSONResponse({"detail": "The server failed at this; its log says why."}, 500)
