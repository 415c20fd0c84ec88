"""Every fault at every point, over real sockets: nothing is lost, delivered twice or paid twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.matrix.plan import BLIND, FAULTS, POINTS, Combination
from tests.matrix.runner import run_combinations
from tests.matrix.table import combinations, left_out


@pytest.mark.proof
@pytest.mark.asyncio
@pytest.mark.timeout(300)
@pytest.mark.parametrize("point", POINTS)
async def test_the_promise_holds_whatever_fails_at_a_point(
    point: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tried = list(combinations(point))
    wrong = await run_combinations(tried, tmp_path, monkeypatch, caplog)
    print(f"{point}: {len(tried)} combinations tried, {len(left_out(point))} have no meaning")
    assert not wrong, wrong


@pytest.mark.asyncio
async def test_the_promise_holds_for_the_sample(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = await run_combinations(sample(), tmp_path, monkeypatch, caplog)
    assert not wrong, wrong


def test_the_sample_leaves_out_no_point_and_no_fault() -> None:
    assert {one.point for one in sample()} == set(POINTS)
    assert {one.fault for one in sample()} == set(FAULTS)


def test_each_combination_left_out_has_a_reason() -> None:
    assert all(len(why) > 10 for point in POINTS for why in left_out(point).values())


def sample() -> list[Combination]:
    """A diagonal through the matrix: three or four faults of each point, shapes and backends in turn."""
    chosen = []
    for row, point in enumerate(POINTS):
        for column, fault in enumerate(FAULTS):
            possible = [one for one in combinations(point) if one.fault == fault and one.backend != BLIND]
            if possible and (row + column) % 3 == 0:
                chosen.append(possible[(row + column) % len(possible)])
    return chosen
