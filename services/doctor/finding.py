"""What the doctor found: a mark, a sentence, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass

WELL, DOUBTFUL, ILL = "✓", "!", "✗"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    mark: str
    what: str
    says: str
    advice: str = ""

    def __str__(self) -> str:
        line = f"{self.mark} {self.what:<14} {self.says}"
        return line + (f"\n{'':<17}{self.advice}" if self.advice else "")


def well(what: str, says: str) -> Finding:
    return Finding(mark=WELL, what=what, says=says)


def doubtful(what: str, says: str, advice: str) -> Finding:
    return Finding(mark=DOUBTFUL, what=what, says=says, advice=advice)


def ill(what: str, says: str, advice: str) -> Finding:
    return Finding(mark=ILL, what=what, says=says, advice=advice)
