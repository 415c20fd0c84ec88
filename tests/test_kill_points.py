"""A few of the failpoints; all of them: `make proof ONLY=kills`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support import scenes
from tests.support.scenes import Scene, Theatre, theatre

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    with theatre(tmp_path_factory.mktemp("points")) as stage:
        yield stage


@pytest.mark.parametrize(
    ("scene", "points", "act"),
    [
        (scenes.on_its_way, "intent_committed", "cancel"),
        (scenes.on_its_way, "before_submit", "raise"),
        (scenes.on_its_way, "after_id", "stop"),
        (scenes.on_its_way, "mid_download", "cancel"),
        (scenes.on_its_way, "downloaded linked", "raise"),
        (scenes.on_its_way, "before_commit after_write", "kill"),
        (scenes.with_a_lost_answer, "before_search", "kill"),
        (scenes.at_a_renewal, "before_renewal", "raise"),
        (scenes.at_the_start, "after_claim", "kill"),
    ],
    ids=scenes.named,
)
def test_nothing_is_lost_or_paid_twice(stage: Theatre, scene: Scene, points: str, act: str) -> None:
    stage.play(scene, points, act)
