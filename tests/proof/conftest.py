from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.failpoint_scenarios import ScenarioRunner, scenario_runner


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScenarioRunner]:
    with scenario_runner(tmp_path_factory.mktemp("points")) as runner:
        yield runner
