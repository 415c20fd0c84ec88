"""The drill on a build that breaks a rule, as an administrator would run it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from services.diagnostics.runs.finding_json import from_line
from tests.mutants.drill_expectations import RED, UNSEEN
from tests.mutants.patch import Mutant, mutants
from tests.mutants.runner import copy_to
from tests.support.proof_counts import proven

MUTANTS = mutants()
TIMEOUT, SHORT_TIMEOUT = "WITHIN_S = 20.0", "WITHIN_S = 8.0"
"""A condition that never holds costs all of it."""


def test_of_each_mutant_it_is_known_whether_the_drill_sees_it() -> None:
    assert RED.keys() | UNSEEN.keys() == MUTANTS.keys()
    assert not RED.keys() & UNSEEN.keys()
    assert all(len(why) > 10 for why in UNSEEN.values())


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = copy_to(tmp_path_factory.mktemp("mutants") / "copy")
    sandbox = copy / "services" / "diagnostics" / "drill" / "sandbox.py"
    assert sandbox.read_text().count(TIMEOUT) == 1
    sandbox.write_text(sandbox.read_text().replace(TIMEOUT, SHORT_TIMEOUT))
    return copy


@pytest.mark.proof
@pytest.mark.parametrize(("name", "rule"), RED.items())
def test_the_drill_is_red_on_a_mutant(name: str, rule: str, copy: Path, tmp_path: Path) -> None:
    if _changes_nothing(MUTANTS[name]):
        return
    output: list[str] = []
    with run_drill(MUTANTS[name], rule, copy, tmp_path) as lines:
        found = any(_is_red(line, rule, output) for line in lines)
    proven("drill", mutants=1, red=int(found), not_red=int(not found))
    assert found, output


@pytest.mark.proof
def test_the_command_ends_with_1_on_a_mutant(copy: Path, tmp_path: Path) -> None:
    with MUTANTS["completed-may-be-overwritten"].applied(copy):
        done = subprocess.run(
            [sys.executable, "main.py", "drill", "R2"],
            cwd=copy,
            env=env(tmp_path),
            capture_output=True,
            text=True,
        )
    assert done.returncode == 1
    assert any(line.startswith("✗ R2 ") for line in done.stdout.splitlines())


def _changes_nothing(mutant: Mutant) -> bool:
    return mutant.same_from is not None and sys.version_info >= mutant.same_from


def _is_red(line: str, rule: str, output: list[str]) -> bool:
    output.append(line)
    finding = from_line(line)
    return finding is not None and finding.rule == rule and bool(finding.broken)


@contextmanager
def run_drill(mutant: Mutant, rule: str, copy: Path, data_dir: Path) -> Iterator[Iterator[str]]:
    """Yields its findings as they arrive; ends it with the block."""
    with (
        mutant.applied(copy),
        subprocess.Popen(
            [sys.executable, "main.py", "drill", "--lines", rule],
            cwd=copy,
            env=env(data_dir),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        assert process.stdin is not None and process.stdout is not None
        try:
            yield iter(process.stdout)
        finally:
            process.stdin.close()
            process.kill()


def env(data_dir: Path) -> dict[str, str]:
    return {"PATH": "/usr/bin", "RUSHES_DATA_DIR": str(data_dir), "PYTHONUTF8": "1"}
