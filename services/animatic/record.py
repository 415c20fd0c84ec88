"""One file of the server: a job in progress, its result, or an uploaded picture."""

import hashlib
import json
import secrets
import time
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal, Self

from services.animatic.job_request import Kind, Order

Status = Literal["in_progress", "completed", "error"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Times in Unix nanoseconds; `created_ns` orders the list, `path_key` makes an address unguessable."""

    id: str
    type: Kind
    status: Status
    created_ns: int
    extension: str
    path_key: str = field(repr=False)
    task_id: str = ""
    order: Order | None = field(default=None, repr=False)
    error: str = ""
    size_bytes: int = 0
    idempotency_key: str = field(default="", repr=False)
    body_hash: str = ""
    completed_ns: int | None = None

    @property
    def created_at(self) -> str:
        return _iso(self.created_ns)

    @property
    def completed_at(self) -> str | None:
        return None if self.completed_ns is None else _iso(self.completed_ns)

    @property
    def file_name(self) -> str:
        return f"{self.id}.{self.extension}"

    @property
    def thumbnail_name(self) -> str:
        return f"{self.id}.thumb.jpg"

    def completed(self, size_bytes: int) -> Self:
        return replace(self, status="completed", size_bytes=size_bytes, error="", completed_ns=time.time_ns())

    def failed(self, error: str) -> Self:
        return replace(self, status="error", error=error)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        order = data.get("order")
        return cls(**{**data, "order": Order.from_json(order) if order else None})


def new_record(order: Order, *, kind: Kind, idempotency_key: str, body_hash: str) -> Record:
    return Record(
        id=str(uuid.uuid4()),
        type=kind,
        status="in_progress",
        created_ns=time.time_ns(),
        extension="mp4" if kind == "video" else "png",
        path_key=secrets.token_urlsafe(24),
        task_id=str(uuid.uuid4()),
        order=order,
        idempotency_key=idempotency_key,
        body_hash=body_hash,
    )


def uploaded(extension: str, size_bytes: int) -> Record:
    return Record(
        id=str(uuid.uuid4()),
        type="image",
        status="completed",
        created_ns=time.time_ns(),
        extension=extension,
        path_key=secrets.token_urlsafe(24),
        size_bytes=size_bytes,
    )


def _iso(moment_ns: int) -> str:
    return datetime.fromtimestamp(moment_ns / 1e9, UTC).isoformat(timespec="milliseconds")


def hash_of(path: str, body: object) -> str:
    """Equal for bodies that differ only in the order of their keys."""
    canonical = json.dumps([path, body], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
