"""A few of the failpoints; all of them: `make proof ONLY=kills`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support import failpoint_scenarios
from tests.support.failpoint_scenarios import Scenario, ScenarioRunner, scenario_runner

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScenarioRunner]:
    with scenario_runner(tmp_path_factory.mktemp("points")) as runner:
        yield runner


@pytest.mark.parametrize(
    ("scenario", "points", "act"),
    [
        (failpoint_scenarios.delivery, "intent_committed", "cancel"),
        (failpoint_scenarios.delivery, "before_submit", "raise"),
        (failpoint_scenarios.delivery, "after_id", "stop"),
        (failpoint_scenarios.delivery, "mid_download", "cancel"),
        (failpoint_scenarios.delivery, "downloaded linked", "raise"),
        (failpoint_scenarios.delivery, "before_commit after_write", "kill"),
        (failpoint_scenarios.unverified_result, "after_hold", "kill"),
        (failpoint_scenarios.unverified_result, "after_link", "kill"),
        (failpoint_scenarios.unverified_result, "after_link told", "cancel"),
        (failpoint_scenarios.lost_answer, "before_search", "kill"),
        (failpoint_scenarios.lease_renewal, "before_renewal", "raise"),
        (failpoint_scenarios.startup, "after_claim", "kill"),
    ],
    ids=failpoint_scenarios.readable,
)
def test_nothing_is_lost_or_paid_twice(
    runner: ScenarioRunner, scenario: Scenario, points: str, act: str
) -> None:
    runner.run(scenario, points, act)
