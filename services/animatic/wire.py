"""The wire format: the file object and the events of its stream."""

from dataclasses import dataclass
from typing import Any

from services.animatic.record import Record

Event = dict[str, Any]

CONTENT_TYPES = {
    "mp4": "video/mp4",
    "png": "image/png",
    "jpg": "image/jpeg",
    "webp": "image/webp",
}


@dataclass(frozen=True, slots=True)
class Wire:
    base_url: str

    def file(self, record: Record, queue_position: int | None = None) -> dict[str, Any]:
        """`queue_position` of one that waits: 1 is next."""
        done = record.status == "completed"
        shape: dict[str, Any] = {
            "id": record.id,
            "type": record.type,
            "url": self._address(record, record.file_name) if done else None,
            "thumbnail_url": self._address(record, record.thumbnail_name) if done and record.order else None,
            "contentType": CONTENT_TYPES[record.extension],
            "duration": record.order.duration if record.order and record.type == "video" else None,
            "created_at": record.created_at,
            "completed_at": record.completed_at,
            "tasks": [task(record)] if record.order else [],
        }
        for kind in ("image", "video"):
            mine = record.order is not None and record.type == kind
            shape[f"{kind}_generation_id"] = record.task_id if mine else None
            shape[f"{kind}_generation"] = generation(record) if mine else None
        return shape if queue_position is None else shape | {"queue_position": queue_position}

    def final_event(self, record: Record) -> Event:
        if record.status == "error":
            return {"type": "error", "error": record.error, "object": {"file_id": record.id}}
        return {"type": "file", "object": self.file(record)}

    def _address(self, record: Record, name: str) -> str:
        return f"{self.base_url}/files/{record.path_key}/{name}"


def task(record: Record) -> dict[str, Any]:
    return {
        "id": record.task_id,
        "type": f"{record.type}-generation-flow",
        "status": record.status,
        "file_id": record.id,
        "project_id": None,
    }


def generation(record: Record) -> dict[str, Any]:
    assert record.order is not None
    shape = record.order.to_json()
    source_id = shape.pop("source_id")
    shape["references"] = [{"type": "source", "reference_id": source_id}] if source_id else []
    return {"id": record.task_id, **shape}


def task_event(record: Record, queue_position: int | None = None) -> Event:
    place = {} if queue_position is None else {"queue_position": queue_position}
    return {"type": "task", "object": task(record) | place}


def progress_event(file_id: str, percent: int) -> Event:
    return {"type": "render_progress", "object": {"file_id": file_id, "progress": percent}}
