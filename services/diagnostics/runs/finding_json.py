"""A finding as JSON: a line from the drill's process, and a part of the file that remembers a run."""

import json
from typing import Any

from services.core.errors import Sentence
from services.diagnostics.drill.checks import CHECKS, Finding


def to_line(finding: Finding) -> str:
    return json.dumps(to_json(finding), ensure_ascii=False)


def to_json(finding: Finding) -> dict[str, Any]:
    broken = {"sentence": finding.broken.sentence, "values": finding.broken.values}
    return {"trial": finding.check, "broken": broken if finding.broken else None}


def from_line(line: str | bytes) -> Finding | None:
    """None for anything but the finding of a known check."""
    try:
        return from_json(json.loads(line))
    except (ValueError, RecursionError):
        return None


def from_json(content: Any) -> Finding | None:
    match content:
        case {"trial": str(check), "broken": None} if check in CHECKS:
            return Finding(check)
        case {"trial": str(check), "broken": {"sentence": str(sentence), "values": dict(values)}} if (
            check in CHECKS
        ):
            return Finding(check, Sentence(sentence, **values))
        case _:
            return None
