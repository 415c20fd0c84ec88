"""The plan for a message: stored before it is carried out, so that it is carried out once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter

from services.core.model import Draft

Value = str | float | int | bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something a person should know about a work: `length`, `frame`, `resolution`, `rate` and `count` were
    `asked` and another was `given`; `model` was asked and is not here; `deleted`: the last one is gone.
    """

    code: str
    values: dict[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    draft: Draft
    count: int = 1
    source_of: str | None = None
    """The generation whose picture it begins from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`code` is `making` with works, `said` with a model's words alone, else why nothing is made."""

    code: str
    works: tuple[Work, ...] = ()
    changes: tuple[str, ...] = ()
    """What is otherwise than in the artifact that the message points back to."""
    notes: tuple[Note, ...] = ()
    values: dict[str, Value] = field(default_factory=dict)
    text: str = ""
    """A language model's own words."""

    def to_json(self) -> dict[str, Any]:
        written: dict[str, Any] = _PLAN.dump_python(self, mode="json")
        return written

    @staticmethod
    def from_json(written: dict[str, Any]) -> Plan:
        return _PLAN.validate_python(written)


_PLAN = TypeAdapter(Plan)
