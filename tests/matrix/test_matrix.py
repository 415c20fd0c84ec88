"""Every fault at every point, over real sockets: nothing is lost, delivered twice or paid for twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.matrix.plan import BLIND, FAULTS, POINTS, Combination
from tests.matrix.runner import played
from tests.matrix.table import combinations, left_out


@pytest.mark.proof
@pytest.mark.asyncio
@pytest.mark.timeout(300)
@pytest.mark.parametrize("point", POINTS)
async def test_whatever_breaks_at_a_point_all_that_is_promised_holds(
    point: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tried = list(combinations(point))
    wrong = await played(tried, tmp_path, monkeypatch, caplog)
    print(f"{point}: {len(tried)} combinations tried, {len(left_out(point))} have no meaning")
    assert not wrong, wrong


@pytest.mark.asyncio
async def test_of_each_point_and_each_fault_some_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = await played(sample(), tmp_path, monkeypatch, caplog)
    assert not wrong, wrong


def test_the_sample_leaves_out_no_point_and_no_fault() -> None:
    assert {one.point for one in sample()} == set(POINTS)
    assert {one.fault for one in sample()} == set(FAULTS)


def test_what_is_left_out_is_left_out_for_a_reason() -> None:
    assert all(len(why) > 10 for point in POINTS for why in left_out(point).values())


def sample() -> list[Combination]:
    """A diagonal through the matrix: three or four faults of each point, shapes and backends in turn."""
    chosen = []
    for row, point in enumerate(POINTS):
        for column, fault in enumerate(FAULTS):
            meant = [one for one in combinations(point) if one.fault == fault and one.backend != BLIND]
            if meant and (row + column) % 3 == 0:
                chosen.append(meant[(row + column) % len(meant)])
    return chosen
