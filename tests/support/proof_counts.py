"""What a proof has counted, for the README's promise table.

`proven("kills", points=1, lost=0)` adds a line of JSON to the file that $PROVEN names, and does nothing without it.
Whole numbers of one line are summed over all its tests; of decimals the largest stays.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Protocol

PROVEN = "PROVEN"

Counts = dict[str, int | float]


class Proven(Protocol):
    """`line` is one of tests.proof.lines; the counts' names are read as words, `paid_twice` as "paid twice"."""

    def __call__(self, line: str, /, **counts: int | float) -> None: ...


def proven(line: str, /, **counts: int | float) -> None:
    path = os.environ.get(PROVEN)
    if path is None:
        return
    with Path(path).open("a") as file:  # two test processes append at once: one write each
        file.write(json.dumps({"line": line, "counts": counts}) + "\n")


def read(path: Path) -> dict[str, Counts]:
    """By line, in the order in which the counts were first named."""
    found: dict[str, Counts] = {}
    for text in path.read_text().splitlines():
        said = json.loads(text)
        counts = found.setdefault(said["line"], {})
        for name, value in said["counts"].items():
            old = counts.get(name, 0)
            counts[name] = max(old, value) if isinstance(value, float) else old + value
    return found


def in_words(counts: Counts) -> str:
    """`{"kills": 31, "paid_twice": 0}` is "31 kills, 0 paid twice"."""
    return ", ".join(
        f"{value:,.1f} {_words(name)}" if isinstance(value, float) else f"{value:,} {_words(name)}"
        for name, value in counts.items()
    )


def _words(name: str) -> str:
    return name.replace("_", " ")
