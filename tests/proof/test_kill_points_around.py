"""The boundaries around a generation's way: claims, renewals, the slow watch, stops, starts and ends."""

from __future__ import annotations

import pytest

from tests.support.failpoint_scenes import AROUND, Scene, Theatre, listed, named

pytestmark = [pytest.mark.proof, pytest.mark.timeout(240)]


@pytest.mark.parametrize(("scene", "points", "act"), listed(AROUND), ids=named)
def test_nothing_is_lost_or_paid_twice(stage: Theatre, scene: Scene, points: str, act: str) -> None:
    stage.play(scene, points, act)
