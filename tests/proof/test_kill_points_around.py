"""The boundaries around a generation's way: claims, renewals, the slow watch, stops, starts and ends."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.scenes import AROUND, Scene, Theatre, listed, named, theatre

pytestmark = [pytest.mark.proof, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    with theatre(tmp_path_factory.mktemp("points")) as stage:
        yield stage


@pytest.mark.parametrize(("scene", "points", "act"), listed(AROUND), ids=named)
def test_nothing_is_lost_or_paid_twice(stage: Theatre, scene: Scene, points: str, act: str) -> None:
    stage.play(scene, points, act)
