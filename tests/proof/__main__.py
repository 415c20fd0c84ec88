"""`python -m tests.proof [LINE …]`: run the proofs and print the promise table. Without a name: all lines."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.proof.lines import LINES, Line
from tests.support import proof_counts

OUT = Path("proof.log")


def main(names: list[str]) -> int:
    unknown = set(names) - {line.name for line in LINES}
    if unknown:
        print(
            f"No such line: {', '.join(sorted(unknown))}. There are: {', '.join(each.name for each in LINES)}."
        )
        return 2
    chosen = [line for line in LINES if not names or line.name in names]
    rows, broken = [], []
    with OUT.open("w") as log:
        for line in chosen:
            begun = time.monotonic()
            print(f"{line.name} ...", end=" ", flush=True)
            held, figures = prove(line, log.fileno())
            took_s = time.monotonic() - begun
            print(f"{'held' if held else 'BROKEN'}, {figures}, {took_s:.0f} s", flush=True)
            rows.append(f"| {line.claim} | {figures} | `make proof ONLY={_quoted(line.name)}` |")
            if not held:
                broken.append(line.name)
    print("\n| the promise | counted | the command |\n|---|---|---|")
    print("\n".join(rows))
    if broken:
        print(f"\nBroken: {', '.join(broken)}. Their output is in {OUT}.")
    return 1 if broken else 0


def prove(line: Line, log: int) -> tuple[bool, str]:
    """A line holds when its command exits with 0 and has counted something."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "proven"
        path.touch()
        done = subprocess.run(
            line.command,
            env=os.environ | {proof_counts.PROVEN: str(path)},
            stdout=log,
            stderr=log,
            check=False,
        )
        counts = proof_counts.read(path).get(line.name, {})
    return done.returncode == 0 and bool(counts), proof_counts.in_words(counts) or "nothing was counted"


def _quoted(name: str) -> str:
    return f"'{name}'" if " " in name else name


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
