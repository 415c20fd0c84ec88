"""Response models: a generation as the file object of the API."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, AliasPath, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from services.api.status_messages import message_of
from services.core.model import Generation, Kind, Phase, Receipt, TraceEntry


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def setting(name: str) -> Any:
    """A field that is filled from the `settings` of a request or draft."""
    return Field(validation_alias=AliasPath("settings", name))


Timestamp = Annotated[float, PlainSerializer(_iso, return_type=str)]
"""Unix seconds, sent as ISO 8601 in UTC."""
Seconds = Annotated[float, AfterValidator(lambda span_s: round(span_s, 3))]
IsSet = Annotated[bool, BeforeValidator(lambda value: value is not None)]


class ResponseModel(BaseModel):
    """Reads the values of the core by their attributes."""

    model_config = ConfigDict(from_attributes=True, protected_namespaces=(), ser_json_inf_nan="null")


class Refusal(ResponseModel):
    success: Literal[False]
    error: str
    field: str | None


class Accepted(ResponseModel):
    success: Literal[True] = True
    fileId: str  # noqa: N815  the original's spelling
    fileIds: list[str]  # noqa: N815
    requestId: str  # noqa: N815

    @classmethod
    def of(cls, generations: list[Generation]) -> Self:
        first = generations[0]
        return cls(fileId=first.id, fileIds=[each.id for each in generations], requestId=first.request_id)


class Done(ResponseModel):
    success: Literal[True] = True


class Task(ResponseModel):
    id: str
    type: str
    status: Literal["in_progress", "completed", "error"]

    @classmethod
    def of(cls, generation: Generation) -> Self:
        completed = generation.phase is Phase.COMPLETED
        return cls(
            id=generation.id,
            type=f"{generation.request.kind}-generation-flow",
            status="completed" if completed else "error" if generation.final else "in_progress",
        )


class GenerationRequest(ResponseModel):
    prompt: str
    backend: str
    model: str
    duration: float | None = setting("duration_s")
    aspect_ratio: str = setting("aspect_ratio")
    resolution: str = setting("resolution")
    width: int = Field(validation_alias=AliasPath("size", 0))
    height: int = Field(validation_alias=AliasPath("size", 1))
    fps: int | None = setting("fps")
    seed: int
    negative_prompt: str = setting("negative_prompt")
    style: str = setting("style")
    shot_size: str = setting("shot_size")
    chat_id: str | None
    has_source: IsSet = Field(validation_alias="source")


class ReceiptAnswer(ResponseModel):
    won_by: str
    backend_finished_at: Timestamp | None
    backend_said_at: Timestamp
    kept_at: Timestamp
    shown_at: Timestamp | None
    attempts: int
    other_said: str
    other_said_at: Timestamp | None
    other_due_at: Timestamp | None
    late_s: float | None
    said_after_s: Seconds
    """From the request to the winning channel's report."""
    kept_after_s: Seconds
    """From the request to the bytes on our disk."""
    delivery_s: Seconds
    """From the end at the backend (or else from its report) to the bytes on our disk."""
    shown_after_s: Seconds | None
    """From the bytes on our disk to the first page that showed them."""

    @classmethod
    def of(cls, receipt: Receipt, created_at: float) -> Self:
        return cls(
            **asdict(receipt),
            said_after_s=receipt.backend_said_at - created_at,
            kept_after_s=receipt.kept_at - created_at,
            delivery_s=receipt.delivery_s,
            shown_after_s=None if receipt.shown_at is None else receipt.shown_at - receipt.kept_at,
        )


class ProblemAnswer(ResponseModel):
    """Why the file may not show in a browser; it is served as a download only."""

    code: str
    sentence: str

    @classmethod
    def of(cls, generation: Generation) -> Self | None:
        problem = generation.kept and generation.kept.problem
        return cls(code=problem.code, sentence=str(problem)) if problem else None


class FileAnswer(ResponseModel):
    id: str
    type: str
    status: str
    phase: str
    progress: int | None
    message: str
    queued: bool
    """It waits in the backend's queue, as far as the backend tells."""
    queue_position: int | None
    """1 is next."""
    url: str | None
    thumbnail_url: str | None
    created_at: Timestamp
    started_at: Timestamp | None
    """When the backend began to work on it, where it tells of its queue."""
    tasks: list[Task]
    video_generation: GenerationRequest | None
    image_generation: GenerationRequest | None
    error: str | None
    receipt: ReceiptAnswer | None
    problem: ProblemAnswer | None
    starred: bool
    tags: list[str]
    trashed: bool
    unwanted: bool
    """It arrived after a stop: to be kept, or deleted."""

    @classmethod
    def of(cls, generation: Generation, base_url: str) -> Self:
        kept = generation.phase is Phase.COMPLETED and generation.kept is not None
        media_url = f"{base_url}/media/{generation.id}"
        request = GenerationRequest.model_validate(generation.request)
        is_video = generation.request.kind is Kind.VIDEO
        message, receipt = message_of(generation), generation.receipt
        return cls(
            id=generation.id,
            type=generation.request.kind,
            status=generation.status,
            phase=generation.phase,
            progress=generation.percent,
            message=message,
            queued=generation.queued,
            queue_position=generation.queue_place,
            url=f"{media_url}/file" if kept else None,
            thumbnail_url=f"{media_url}/poster" if kept and generation.poster else None,
            created_at=generation.created_at,
            started_at=generation.started_at,
            tasks=[Task.of(generation)],
            video_generation=request if is_video else None,
            image_generation=None if is_video else request,
            error=message if generation.phase in (Phase.ERROR, Phase.DROPPED) else None,
            receipt=ReceiptAnswer.of(receipt, generation.created_at) if receipt else None,
            problem=ProblemAnswer.of(generation) if kept else None,
            starred=generation.starred_at is not None,
            tags=list(generation.tags),
            trashed=generation.trashed_at is not None,
            unwanted=generation.unwanted,
        )


class FilesAnswer(ResponseModel):
    items: list[FileAnswer]
    next: str | None


class TraceLine(ResponseModel):
    seq: int
    at: Timestamp
    after_s: Seconds
    lane: str
    event: str
    data: dict[str, str | float | int | bool | None]


class TraceAnswer(ResponseModel):
    id: str
    items: list[TraceLine]

    @classmethod
    def of(cls, generation: Generation, entries: list[TraceEntry]) -> Self:
        lines = [TraceLine(**asdict(entry), after_s=entry.at - generation.created_at) for entry in entries]
        return cls(id=generation.id, items=lines)
