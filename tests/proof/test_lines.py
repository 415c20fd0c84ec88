"""Long tests are left out of `make test`, so each must belong to a line of the promise table."""

from __future__ import annotations

from pathlib import Path

from tests.proof.lines import LINES
from tests.support.app import ROOT

MARK = "mark." + "proof"


def _named() -> set[Path]:
    """Every file that a line runs."""
    paths = [ROOT / word for line in LINES for word in line.command if word.startswith("tests/")]
    return {file for path in paths for file in (path.rglob("*.py") if path.is_dir() else [path])}


def test_each_long_test_belongs_to_a_line_of_the_promise() -> None:
    long = {path for path in (ROOT / "tests").rglob("test_*.py") if MARK in path.read_text()}
    assert long
    assert long <= _named()


def test_each_file_that_a_line_names_is_there() -> None:
    assert {file for file in _named() if not file.exists()} == set()
