"""A few of the failpoints; all of them: `make proof ONLY=kills`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support import failpoint_scenes
from tests.support.failpoint_scenes import Scene, Theatre, theatre

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    with theatre(tmp_path_factory.mktemp("points")) as stage:
        yield stage


@pytest.mark.parametrize(
    ("scene", "points", "act"),
    [
        (failpoint_scenes.on_its_way, "intent_committed", "cancel"),
        (failpoint_scenes.on_its_way, "before_submit", "raise"),
        (failpoint_scenes.on_its_way, "after_id", "stop"),
        (failpoint_scenes.on_its_way, "mid_download", "cancel"),
        (failpoint_scenes.on_its_way, "downloaded linked", "raise"),
        (failpoint_scenes.on_its_way, "before_commit after_write", "kill"),
        (failpoint_scenes.with_a_lost_answer, "before_search", "kill"),
        (failpoint_scenes.at_a_renewal, "before_renewal", "raise"),
        (failpoint_scenes.at_the_start, "after_claim", "kill"),
    ],
    ids=failpoint_scenes.named,
)
def test_nothing_is_lost_or_paid_twice(stage: Theatre, scene: Scene, points: str, act: str) -> None:
    stage.play(scene, points, act)
