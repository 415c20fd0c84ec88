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
    Receipt,
    Request,
    TraceEntry,
)

_PLAIN = [
    name
    for name in (field.name for field in fields(Generation))
    if name not in {"request", "phase", "kept", "receipt", "tags"}
]

_TRACE = [field.name for field in fields(TraceEntry) if field.name != "owner"]
_SETTINGS = frozenset(field.name for field in fields(GenerationSettings))


def to_row(generation: Generation) -> dict[str, Any]:
    row = {name: getattr(generation, name) for name in _PLAIN}
    return row | {
        "kind": generation.request.kind,
        "backend": generation.request.backend,
        "model": generation.request.model,
        "prompt": generation.request.prompt,
        "request": _request_to_json(generation.request),
        "source": generation.request.source,
        **changes_to_row({name: getattr(generation, name) for name in ("phase", "kept", "receipt", "tags")}),
    }


def _request_to_json(request: Request) -> dict[str, Any]:
    """Flat: the settings stand beside the prompt, where indexes and older rows have them."""
    flat = asdict(request)
    settings: dict[str, Any] = flat.pop("settings")
    return flat | settings


def _request_from_json(stored: dict[str, Any]) -> Request:
    settings = {name: stored[name] for name in _SETTINGS if name in stored}
    others = {name: value for name, value in stored.items() if name not in _SETTINGS}
    return Request(**(others | {"kind": Kind(stored["kind"])}), settings=GenerationSettings(**settings))


def changes_to_row(changes: dict[str, Any]) -> dict[str, Any]:
    return {name: _plain(value) for name, value in changes.items()}


def from_row(row: RowMapping) -> Generation:
    return Generation(
        request=_request_from_json(row["request"]),
        phase=Phase(row["phase"]),
        kept=Kept(**row["kept"]) if row["kept"] else None,
        receipt=receipt_of(row["receipt"]),
        tags=tuple(row["tags"] or ()),
        **{name: row[name] for name in _PLAIN},
    )


def trace_to_row(entry: TraceEntry) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in _TRACE}


def trace_from_row(row: RowMapping, owner: str) -> TraceEntry:
    """`owner` is the generation's."""
    return TraceEntry(owner=owner, **row)


def _plain(value: Any) -> Any:
    if isinstance(value, Kept | Receipt):
        return asdict(value)
    if isinstance(value, tuple):
        return list(value) or None
    return str(value) if isinstance(value, Phase) else value


def receipt_of(data: dict[str, Any] | None) -> Receipt | None:
    return Receipt(**(data | {"won_by": Channel(data["won_by"])})) if data else None
