"""The drill on a build that breaks a rule: what an admin would see."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.mutants.laboratory import copy_to
from tests.mutants.patch import Mutant, mutants
from tests.support.proven import proven

pytestmark = pytest.mark.proof

MUTANTS = mutants()
RED = {
    "fetched-by-both": "R2",
    "anything-is-kept": "R3",
    "a-clean-end-is-the-end": "R4",
    "a-stop-ends-the-watch": "R5",
    "error-never-becomes-completed": "R5",
    "never-given-up": "R5",
    "the-message-is-the-end": "R5",
    "retry-after-on-a-submit-is-ignored": "R6",
    "a-silent-stream-stays": "R7",
    "no-check-after-a-reconnect": "R7",
    "push-puts-the-poll-off": "R7",
    "retry-after-on-a-poll-is-ignored": "R7",
    "parts-stay": "R9",
    "a-listeners-bug-reaches-the-publisher": "R10",
}
"""Which rule the drill calls broken."""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_to(tmp_path_factory.mktemp("mutants") / "copy")


@pytest.mark.parametrize(("name", "rule"), RED.items())
def test_the_drill_is_red_on_a_mutant(name: str, rule: str, copy: Path, tmp_path: Path) -> None:
    said = drilled(MUTANTS[name], copy, tmp_path)
    found = any(line.split()[:2] == ["✗", rule] for line in said.stdout.splitlines())
    proven("drill", rules_switched_off=1, found=int(found), not_found=int(not found))
    assert found, said.stdout
    assert said.returncode == 1


def drilled(mutant: Mutant, copy: Path, data_dir: Path) -> subprocess.CompletedProcess[str]:
    env = {"PATH": "/usr/bin", "RUSHES_DATA_DIR": str(data_dir), "PYTHONUTF8": "1"}
    with mutant.applied(copy):
        return subprocess.run(
            [sys.executable, "main.py", "drill"],
            cwd=copy,
            env=env,
            capture_output=True,
            text=True,
            timeout=100,
        )
