"""Converts values to rows and back."""

from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import RowMapping

from services.core.model import (
    Channel,
    Generation,
    GenerationSettings,
    Kept,
    Kind,
    Phase,
    Problem,
    Receipt,
    Request,
    TraceEntry,
)
from services.core.search_words import index_text

_CONVERTED = {"request", "phase", "kept", "receipt", "tags"}
_PLAIN = [field.name for field in fields(Generation) if field.name not in _CONVERTED]
_TRACE = [field.name for field in fields(TraceEntry) if field.name != "owner"]
_SETTINGS = frozenset(field.name for field in fields(GenerationSettings))


def to_row(generation: Generation) -> dict[str, Any]:
    request = asdict(generation.request)
    settings: dict[str, Any] = request.pop("settings")
    return {
        **{name: request[name] for name in ("kind", "backend", "model", "prompt", "source")},
        # Flat: the settings stand beside the prompt, where indexes and older rows have them.
        "request": request | settings,
        "search_text": index_text(request["prompt"]),
        **{name: getattr(generation, name) for name in _PLAIN},
        **changes_to_row({name: getattr(generation, name) for name in _CONVERTED - {"request"}}),
    }


def changes_to_row(changes: dict[str, Any]) -> dict[str, Any]:
    return {name: _to_column(value) for name, value in changes.items()}


def from_row(row: RowMapping) -> Generation:
    return Generation(
        request=_request_from_json(row["request"]),
        phase=Phase(row["phase"]),
        kept=kept_from_json(row["kept"]),
        receipt=receipt_from_json(row["receipt"]),
        tags=tuple(row["tags"] or ()),
        **{name: row[name] for name in _PLAIN},
    )


def kept_from_json(data: dict[str, Any] | None) -> Kept | None:
    if not data:
        return None
    problem = data.get("problem")
    return Kept(**(data | {"problem": Problem(**problem) if problem else None}))


def receipt_from_json(data: dict[str, Any] | None) -> Receipt | None:
    return Receipt(**(data | {"won_by": Channel(data["won_by"])})) if data else None


def trace_to_row(entry: TraceEntry) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in _TRACE}


def trace_from_row(row: RowMapping, owner: str) -> TraceEntry:
    """`owner` is the generation's."""
    return TraceEntry(owner=owner, **row)


def _request_from_json(stored: dict[str, Any]) -> Request:
    settings = {name: stored[name] for name in _SETTINGS if name in stored}
    others = {name: value for name, value in stored.items() if name not in _SETTINGS}
    return Request(**(others | {"kind": Kind(stored["kind"])}), settings=GenerationSettings(**settings))


def _to_column(value: Any) -> Any:
    match value:
        case Kept() | Receipt():
            return asdict(value)
        case tuple():
            return list(value) or None
        case Phase():
            return str(value)
    return value
