"""Response models: a generation as the file object of the API."""

from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from services.api.status_messages import failure_of, message_of
from services.core.model import Generation, Kind, Phase, Receipt, Request, TraceEntry

TaskStatus = Literal["in_progress", "completed", "error"]


class ResponseModel(BaseModel):
    model_config = ConfigDict(protected_namespaces=(), ser_json_inf_nan="null")


class Refusal(ResponseModel):
    success: Literal[False]
    error: str
    field: str | None


class Accepted(ResponseModel):
    success: Literal[True] = True
    fileId: str  # noqa: N815  the original's spelling
    fileIds: list[str]  # noqa: N815
    requestId: str  # noqa: N815


class Done(ResponseModel):
    success: Literal[True] = True


class Task(ResponseModel):
    id: str
    type: str
    status: TaskStatus


class GenerationRequest(ResponseModel):
    prompt: str
    backend: str
    model: str
    duration: float | None
    aspect_ratio: str
    resolution: str
    width: int
    height: int
    fps: int | None
    seed: int
    negative_prompt: str
    style: str
    shot_size: str
    chat_id: str | None
    has_source: bool


class ReceiptAnswer(ResponseModel):
    won_by: str
    backend_finished_at: str | None
    backend_said_at: str
    kept_at: str
    shown_at: str | None
    attempts: int
    other_said: str
    other_said_at: str | None
    other_due_at: str | None
    late_s: float | None
    said_after_s: float
    """From the request to the news."""
    kept_after_s: float
    """From the request to the bytes on our disk."""
    delivery_s: float
    """From the backend's end (or, where it does not say, from its news) to the bytes on our disk."""
    shown_after_s: float | None
    """From the bytes on our disk to the first page that showed them."""


class FileAnswer(ResponseModel):
    id: str
    type: str
    status: str
    phase: str
    progress: int | None
    message: str
    url: str | None
    thumbnail_url: str | None
    created_at: str
    tasks: list[Task]
    video_generation: GenerationRequest | None
    image_generation: GenerationRequest | None
    error: str | None
    receipt: ReceiptAnswer | None
    starred: bool
    tags: list[str]
    trashed: bool
    unwanted: bool
    """It arrived although it had been stopped: to be kept, or deleted."""


class FilesAnswer(ResponseModel):
    items: list[FileAnswer]
    next: str | None


class TraceLine(ResponseModel):
    seq: int
    at: str
    after_s: float
    lane: str
    event: str
    data: dict[str, str | float | int | bool | None]


class TraceAnswer(ResponseModel):
    id: str
    items: list[TraceLine]


def accepted(generations: list[Generation]) -> Accepted:
    first = generations[0]
    return Accepted(fileId=first.id, fileIds=[each.id for each in generations], requestId=first.request_id)


def file_answer(generation: Generation, base_url: str) -> FileAnswer:
    kept = generation.phase is Phase.COMPLETED and generation.kept is not None
    media_url = f"{base_url}/media/{generation.id}"
    asked = _generation_request(generation.request)
    is_video = generation.request.kind is Kind.VIDEO
    return FileAnswer(
        id=generation.id,
        type=generation.request.kind,
        status=generation.status,
        phase=generation.phase,
        progress=percent(generation),
        message=message_of(generation),
        url=f"{media_url}/file" if kept else None,
        thumbnail_url=f"{media_url}/poster" if kept and generation.poster else None,
        created_at=iso(generation.created_at),
        tasks=[task(generation)],
        video_generation=asked if is_video else None,
        image_generation=None if is_video else asked,
        error=failure_of(generation),
        receipt=_receipt(generation.receipt, generation.created_at) if generation.receipt else None,
        starred=generation.starred_at is not None,
        tags=list(generation.tags),
        trashed=generation.trashed_at is not None,
        unwanted=generation.unwanted,
    )


def trace_answer(generation: Generation, entries: list[TraceEntry]) -> TraceAnswer:
    lines = [
        TraceLine(
            seq=entry.seq,
            at=iso(entry.at),
            after_s=_seconds(entry.at - generation.created_at),
            lane=entry.lane,
            event=entry.event,
            data=entry.data,
        )
        for entry in entries
    ]
    return TraceAnswer(id=generation.id, items=lines)


def percent(generation: Generation) -> int | None:
    if generation.phase is Phase.COMPLETED:
        return 100
    return None if generation.progress is None else round(min(1.0, max(0.0, generation.progress)) * 100)


def task(generation: Generation) -> Task:
    status: TaskStatus = "in_progress"
    if generation.final:
        status = "completed" if generation.phase is Phase.COMPLETED else "error"
    return Task(id=generation.id, type=f"{generation.request.kind}-generation-flow", status=status)


def iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _generation_request(request: Request) -> GenerationRequest:
    width, height = request.size
    return GenerationRequest(
        prompt=request.prompt,
        backend=request.backend,
        model=request.model,
        duration=request.settings.duration_s,
        aspect_ratio=request.settings.aspect_ratio or "",
        resolution=request.settings.resolution or "",
        width=width,
        height=height,
        fps=request.settings.fps,
        seed=request.seed,
        negative_prompt=request.settings.negative_prompt,
        style=request.settings.style,
        shot_size=request.settings.shot_size,
        chat_id=request.chat_id,
        has_source=request.source is not None,
    )


def _receipt(receipt: Receipt, created_at: float) -> ReceiptAnswer:
    finished_at = receipt.backend_finished_at
    return ReceiptAnswer(
        won_by=receipt.won_by,
        backend_finished_at=_iso_or_none(finished_at),
        backend_said_at=iso(receipt.backend_said_at),
        kept_at=iso(receipt.kept_at),
        shown_at=_iso_or_none(receipt.shown_at),
        attempts=receipt.attempts,
        other_said=receipt.other_said,
        other_said_at=_iso_or_none(receipt.other_said_at),
        other_due_at=_iso_or_none(receipt.other_due_at),
        late_s=receipt.late_s,
        said_after_s=_seconds(receipt.backend_said_at - created_at),
        kept_after_s=_seconds(receipt.kept_at - created_at),
        delivery_s=_seconds(receipt.delivery_s),
        shown_after_s=None if receipt.shown_at is None else _seconds(receipt.shown_at - receipt.kept_at),
    )


def _iso_or_none(at: float | None) -> str | None:
    return None if at is None else iso(at)


def _seconds(span_s: float) -> float:
    return round(span_s, 3)
