"""What a trial found, as words and as a line from one process to another."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from services.core.errors import Sentence, Words
from services.diagnostics.drill.plan import TRIALS


@dataclass(frozen=True, slots=True)
class Finding:
    trial: str
    """Its name in TRIALS."""
    broken: Sentence = field(default_factory=Sentence)
    """What was seen instead; empty where the rule held."""

    @property
    def rule(self) -> str:
        return TRIALS[self.trial].rule

    @property
    def does(self) -> Words:
        return TRIALS[self.trial].does

    def __str__(self) -> str:
        mark = "✗" if self.broken else "✓"
        seen = f" Seen instead: {self.broken}." if self.broken else ""
        return f"{mark} {self.rule:<4} {self.does}{seen}"


def written(finding: Finding) -> str:
    """One line of JSON."""
    return json.dumps(as_json(finding), ensure_ascii=False)


def as_json(finding: Finding) -> dict[str, Any]:
    broken = {"sentence": finding.broken.sentence, "values": finding.broken.values}
    return {"trial": finding.trial, "broken": broken if finding.broken else None}


def read(line: str | bytes) -> Finding | None:
    """None for what is no finding of a trial that is known here."""
    try:
        return from_json(json.loads(line))
    except (ValueError, RecursionError):
        return None


def from_json(told: Any) -> Finding | None:
    match told:
        case {"trial": str(trial), "broken": None} if trial in TRIALS:
            return Finding(trial)
        case {"trial": str(trial), "broken": {"sentence": str(sentence), "values": dict(values)}} if (
            trial in TRIALS
        ):
            return Finding(trial, Sentence(sentence, **values))
        case _:
            return None
