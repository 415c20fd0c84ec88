"""Every boundary from the intent to the poster, crossed with kill, stop beyond the lease, exception and cancel."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.scenes import BETWEEN, Scene, Theatre, listed, named, theatre

pytestmark = [pytest.mark.proof, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    with theatre(tmp_path_factory.mktemp("points")) as stage:
        yield stage


@pytest.mark.parametrize(("scene", "points", "act"), listed(BETWEEN), ids=named)
def test_nothing_is_lost_or_paid_twice(stage: Theatre, scene: Scene, points: str, act: str) -> None:
    stage.play(scene, points, act)
