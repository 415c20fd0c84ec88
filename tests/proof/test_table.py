"""What tests/README.md says was counted is what the code counts."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from services.diagnostics.drill.checks import CHECKS
from tests.matrix.plan import POINTS
from tests.matrix.table import combinations
from tests.matrix.test_matrix import sample
from tests.matrix.test_virtual_time import POINTS as IN_VIRTUAL_TIME
from tests.mutants.drill_expectations import RED
from tests.mutants.patch import mutants
from tests.proof.lines import LINES
from tests.proof.test_two_watchers import POINTS as PAUSED_AT
from tests.support.app import ROOT
from tests.support.failpoint_scenarios import DELIVERY, LIFECYCLE, parameters

ROW = re.compile(r"^\| `([^`]+)` \| .* \| ([^|]+) \|$", re.M)
COUNTED: dict[str, str] = dict(ROW.findall((ROOT / "tests" / "README.md").read_text()))


def cells(points: tuple[str, ...]) -> int:
    return sum(1 for point in points for _ in combinations(point))


FIGURES: dict[str, Callable[[], str]] = {
    "matrix": lambda: (
        f"{cells(POINTS) + len(sample())} combinations and {cells(IN_VIRTUAL_TIME)} in virtual time"
    ),
    "kills": lambda: f"{len(parameters(DELIVERY)) + len(parameters(LIFECYCLE))} failpoints",
    "leases": lambda: f"{len(PAUSED_AT) + 2} places to pause at",
    "drill": lambda: f"{len(CHECKS)} checks held; ",
    "mutants": lambda: f"{len(mutants())} mutants, {len(mutants())} killed",
}


def test_each_line_of_the_promise_stands_in_the_table() -> None:
    assert COUNTED.keys() == {line.name for line in LINES}


@pytest.mark.parametrize("line", FIGURES)
def test_what_the_table_counts_is_there(line: str) -> None:
    assert COUNTED[line].startswith(FIGURES[line]())


def test_the_table_says_how_many_mutants_the_drill_sees() -> None:
    assert f"red on {len(RED)} of the {len(mutants())} mutants" in COUNTED["drill"]
