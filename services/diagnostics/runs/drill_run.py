"""One drill run, in progress or ended, and the file that remembers the last one."""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services.core.errors import Sentence
from services.diagnostics.drill.checks import CHECKS, Finding
from services.diagnostics.runs.finding_json import from_json, to_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Times are Unix seconds."""

    began_at: float
    findings: tuple[Finding, ...] = ()
    """In the order of arrival."""
    ended_at: float | None = None
    trouble: Sentence = field(default_factory=Sentence)
    """Why it was not completed; empty otherwise."""

    @property
    def under_way(self) -> bool:
        return self.ended_at is None

    @property
    def broken(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.broken]

    @property
    def held(self) -> bool:
        """Every check ran, and every rule held."""
        checked = {finding.check for finding in self.findings}
        return not self.under_way and not self.trouble and not self.broken and checked == set(CHECKS)


def remember(run: Run, path: Path) -> None:
    """Writes the file atomically. Raises OSError."""
    content = {
        "began_at": run.began_at,
        "ended_at": run.ended_at,
        "trouble": {"sentence": run.trouble.sentence, "values": run.trouble.values},
        "findings": [to_json(finding) for finding in run.findings],
    }
    new = path.with_suffix(".new")
    with new.open("w") as file:
        file.write(json.dumps(content, ensure_ascii=False))
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def remembered(path: Path) -> Run | None:
    """None without a readable file."""
    try:
        return _run(json.loads(path.read_bytes()))
    except (OSError, ValueError, RecursionError):
        return None


def _run(content: Any) -> Run | None:
    match content:
        case {
            "began_at": int() | float() as began_at,
            "ended_at": int() | float() as ended_at,
            "trouble": {"sentence": str(sentence), "values": dict(values)},
            "findings": [*findings],
        }:
            known = [finding for finding in map(from_json, findings) if finding is not None]
            trouble = Sentence(sentence, **values)
            return Run(began_at=began_at, findings=tuple(known), ended_at=ended_at, trouble=trouble)
        case _:
            return None
