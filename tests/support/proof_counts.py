"""The counts of the proofs, for the promise table of tests/README.md.

`proven("kills", points=1, lost=0)` adds a line of JSON to the file that $PROVEN names, and does nothing without it.
Whole numbers of one line are summed over all its tests; of decimals the maximum counts.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

PROVEN = "PROVEN"

Counts = dict[str, int | float]


def proven(line: str, /, **counts: int | float) -> None:
    """`line` is one of tests.proof.lines; the counts' names are read as words, `paid_twice` as "paid twice"."""
    path = os.environ.get(PROVEN)
    if path is None:
        return
    with Path(path).open("a") as file:  # one write each, as two test processes append at once
        file.write(json.dumps({"line": line, "counts": counts}) + "\n")


def read(path: Path) -> dict[str, Counts]:
    """By line, in the order in which the counts were first named."""
    found: dict[str, Counts] = {}
    for text in path.read_text().splitlines():
        entry = json.loads(text)
        counts = found.setdefault(entry["line"], {})
        for name, value in entry["counts"].items():
            old = counts.get(name, 0)
            counts[name] = max(old, value) if isinstance(value, float) else old + value
    return found


def in_words(counts: Counts) -> str:
    """`{"kills": 31, "paid_twice": 0}` is "31 kills, 0 paid twice"."""
    return ", ".join(
        f"{format(value, ',.1f' if isinstance(value, float) else ',')} {name.replace('_', ' ')}"
        for name, value in counts.items()
    )
