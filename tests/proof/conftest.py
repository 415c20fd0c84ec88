from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.failpoint_scenes import Theatre, theatre


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    with theatre(tmp_path_factory.mktemp("points")) as stage:
        yield stage
