"""The plan for a message: stored before it is carried out, so that it is carried out once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter

from services.core.model import Draft

Value = str | float | int | bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjustment:
    """A setting that differs from the request, with the values `asked` and `given`.

    `code`: length, frame, resolution, rate, count, or model (the model asked for is not offered).
    """

    code: str
    values: dict[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedGeneration:
    draft: Draft
    count: int = 1
    source_of: str | None = None
    """The generation whose picture is the source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Stored as JSON. `code`: `making`, `said` for a model's text alone, else why nothing is made."""

    code: str
    works: tuple[PlannedGeneration, ...] = ()
    changes: tuple[str, ...] = ()
    """Codes of the differences from the artifact that the message changes."""
    notes: tuple[Adjustment, ...] = ()
    values: dict[str, Value] = field(default_factory=dict)
    text: str = ""
    """A language model's text."""

    def to_json(self) -> dict[str, Any]:
        written: dict[str, Any] = _PLAN.dump_python(self, mode="json")
        return written

    @staticmethod
    def from_json(written: dict[str, Any]) -> Plan:
        return _PLAN.validate_python(written)


_PLAN = TypeAdapter(Plan)
