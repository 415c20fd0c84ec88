"""Every boundary from the intent to the poster, crossed with kill, stop beyond the lease, exception and cancel."""

from __future__ import annotations

import pytest

from tests.support.failpoint_scenarios import DELIVERY, Scenario, ScenarioRunner, parameters, readable

pytestmark = [pytest.mark.proof, pytest.mark.timeout(240)]


@pytest.mark.parametrize(("scenario", "points", "act"), parameters(DELIVERY), ids=readable)
def test_nothing_is_lost_or_paid_twice(
    runner: ScenarioRunner, scenario: Scenario, points: str, act: str
) -> None:
    runner.run(scenario, points, act)
