"""`python -m tests.mutants [NAME …]`: break the rules one at a time; each must make a test fail."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from tests.mutants.patch import Mutant, mutants
from tests.mutants.runner import BaselineFailed, MutantRunner, Verdict
from tests.support.proof_counts import proven


def main(names: list[str]) -> int:
    known = mutants()
    if unknown := set(names) - set(known):
        print(f"No such mutant: {', '.join(sorted(unknown))}. There are: {', '.join(known)}.")
        return 2
    chosen = [one for one in known.values() if not names or one.name in names]
    tried = [one for one in chosen if one.same_from is None or sys.version_info < one.same_from]
    for mutant in chosen:
        if mutant not in tried:
            print(f"- {mutant.rule:4}{mutant.name}: unchanged on this Python")
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="rushes-mutants-") as folder:
        try:
            survived = _try(tried, MutantRunner(Path(folder)))
        except BaselineFailed as error:
            print(f"These tests fail without any mutant:\n{error}")
            return 2
    killed = len(tried) - survived
    proven("mutants", mutants=len(tried), killed=killed, survived=survived)
    print(f"{len(tried)} mutants, {killed} killed, {survived} not, in {time.monotonic() - begun:.0f} s.")
    return 1 if survived else 0


def _try(tried: list[Mutant], runner: MutantRunner) -> int:
    """Returns the number of survivors."""
    runner.check_baseline(tried)
    survived = 0
    for verdict in runner.verdicts(tried):
        survived += not verdict.killed_by
        print(_row(verdict), flush=True)
    return survived


def _row(verdict: Verdict) -> str:
    mutant, killer = verdict.mutant, verdict.killed_by
    mark, end = ("✓", f"killed by {killer}") if killer else ("✗", verdict.because)
    head = f"{mark} {mutant.rule:4}{mutant.name:40}{verdict.took_s:6.1f} s"
    return f"{head}\n      {mutant.breaks}\n      {end}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
