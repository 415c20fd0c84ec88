"""Every boundary from the intent to the poster, crossed with kill, stop beyond the lease, exception and cancel."""

from __future__ import annotations

import pytest

from tests.support.failpoint_scenes import BETWEEN, Scene, Theatre, listed, named

pytestmark = [pytest.mark.proof, pytest.mark.timeout(240)]


@pytest.mark.parametrize(("scene", "points", "act"), listed(BETWEEN), ids=named)
def test_nothing_is_lost_or_paid_twice(stage: Theatre, scene: Scene, points: str, act: str) -> None:
    stage.play(scene, points, act)
