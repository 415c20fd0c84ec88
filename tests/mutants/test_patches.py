"""The mutants apply to the current code; `python -m tests.mutants` checks whether each is killed."""

from __future__ import annotations

import ast
import shutil
from pathlib import Path

import pytest

from tests.mutants.patch import FOLDER, DoesNotApply, Mutant, mutants, read
from tests.support.app import ROOT

MUTANTS = mutants()


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=MUTANTS)
def test_a_mutant_still_applies_and_its_killers_are_there(mutant: Mutant, tmp_path: Path) -> None:
    before = {}
    for path in {hunk.path for hunk in mutant.hunks}:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, tmp_path / path)
        before[path] = (ROOT / path).read_text()
    with mutant.applied(tmp_path):
        for path, text in before.items():
            changed = (tmp_path / path).read_text()
            assert changed != text
            ast.parse(changed)
    assert all((tmp_path / path).read_text() == text for path, text in before.items())
    for killer in mutant.killers:
        file, _, test = killer.partition("::")
        assert f"def {test.partition('[')[0]}(" in (ROOT / file).read_text(), killer


def test_every_rule_has_its_mutants() -> None:
    assert {mutant.rule for mutant in MUTANTS.values()} == {f"R{number}" for number in range(1, 13)}


def test_no_two_mutants_are_the_same() -> None:
    assert len({mutant.hunks for mutant in MUTANTS.values()}) == len(MUTANTS)


@pytest.mark.parametrize("text", ["epoch = 1\n", "    if epochs:\n", 2 * "    if epoch:\n"])
def test_a_patch_whose_text_is_gone_or_stands_there_twice_does_not_apply(text: str, tmp_path: Path) -> None:
    mutant = read(FOLDER / "no-epoch-check.patch")
    path = tmp_path / mutant.hunks[0].path
    path.parent.mkdir(parents=True)
    path.write_text(text)
    with pytest.raises(DoesNotApply), mutant.applied(tmp_path):
        pass
    assert path.read_text() == text
