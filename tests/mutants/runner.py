"""Runs the killing tests in mutated copies of the tree."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

from tests.mutants.patch import DoesNotApply, Mutant
from tests.support.app import ROOT
from tests.support.proof_counts import PROVEN

COPIED = ("main.py", "pyproject.toml", "services", "ui", "tests")
CONCURRENCY = 2
TEST_TIMEOUT_S = 60.0
"""The time limit of a test: one that a mutant blocks fails like any other."""
STARTUP_S = 60.0
OPTIONS = ("-q", "-rf", "--tb=no", "-p", "no:cacheprovider", "-p", "no:hypothesispytest", "-m", "")
"""Importing hypothesis takes as long as everything else together."""
_FAILED = re.compile(r"^FAILED (.+?)(?: - (.*))?$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    mutant: Mutant
    killed_by: str = ""
    because: str = ""
    """The killing test's failure; without a killer, the reason."""
    took_s: float = 0.0


class BaselineFailed(Exception):
    """The tests fail even without a mutant."""


class MutantRunner:
    """Works in copies, each for one mutant at a time; the tree itself stays unchanged."""

    def __init__(self, folder: Path) -> None:
        self._copies: SimpleQueue[Path] = SimpleQueue()
        for number in range(CONCURRENCY):
            self._copies.put(copy_to(folder / f"copy-{number}"))

    def check_baseline(self, mutants: Iterable[Mutant]) -> None:
        """Raises BaselineFailed."""
        killers = list(dict.fromkeys(killer for mutant in mutants for killer in mutant.killers))
        copy = self._copies.get()
        try:
            status, output = _pytest(
                copy, killers, "-n", str(CONCURRENCY), within_s=TEST_TIMEOUT_S * len(killers)
            )
        finally:
            self._copies.put(copy)
        if status != 0:
            raise BaselineFailed(output)

    def verdicts(self, mutants: Iterable[Mutant]) -> Iterator[Verdict]:
        """In the given order, each as soon as it is known."""
        with ThreadPoolExecutor(CONCURRENCY) as pool:
            yield from pool.map(self._try, mutants)

    def _try(self, mutant: Mutant) -> Verdict:
        copy, begun = self._copies.get(), time.monotonic()
        try:
            with mutant.applied(copy):
                within_s = STARTUP_S + TEST_TIMEOUT_S * len(mutant.killers)
                status, output = _pytest(copy, mutant.killers, "-x", "-n0", within_s=within_s)
        except DoesNotApply as error:
            return Verdict(mutant=mutant, because=f"It does not apply: {error}")
        finally:
            self._copies.put(copy)
        failed = _FAILED.search(output) if status == 1 else None
        because = (failed[2] or "") if failed else _why_not_killed(status, output)
        return Verdict(
            mutant=mutant,
            killed_by=failed[1] if failed else "",
            because=because,
            took_s=time.monotonic() - begun,
        )


def _why_not_killed(status: int, output: str) -> str:
    return "It survived." if status == 0 else f"The tests did not get to fail ({status}):\n{output[-2000:]}"


def copy_to(to: Path) -> Path:
    """Copies the part of the tree that the app and its tests need."""
    to.mkdir()
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, to / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(ROOT / name, to / name)
    return to


def _pytest(copy: Path, tests: Iterable[str], *options: str, within_s: float) -> tuple[int, str]:
    """Exit status and output; the status is -9 when it outlived its tests' time limits."""
    command = [sys.executable, "-m", "pytest", *OPTIONS]
    excluded = ("PYTEST_", PROVEN)
    env = {name: value for name, value in os.environ.items() if not name.startswith(excluded)}
    env |= {"COLUMNS": "200", "TMPDIR": str(copy.parent)}
    process = subprocess.Popen(
        [*command, f"--timeout={TEST_TIMEOUT_S:.0f}", *options, *tests],
        cwd=copy,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=within_s)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
    return process.returncode, output
