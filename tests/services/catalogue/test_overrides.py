"""A person's models.toml over what the backends list."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from services.core.errors import InvalidRequest
from services.core.model import Draft, Kind
from tests.support.catalogue_parts import (
    SORA,
    VEO,
    a_catalogue,
    a_seed,
    cloud,
)


@pytest.mark.asyncio
async def test_a_persons_toml_lies_on_top(tmp_path: Path) -> None:
    toml = """
        [cloud."google-cloud/veo3"]
        label = "Our Veo"
        price_per_second = 0.25
        durations_s = [8, 4]
        resolutions = ["1080p", "720p"]
        poll_every_s = 20
        poll_attempts = 30
        watch_for_s = 3600
        [cloud."azure/sora"]
        hide = true
        [gone.model]
        label = "nobody lists it"
    """
    each = a_catalogue(tmp_path, cloud(), toml=toml)
    await each.refresh()
    assert each.problems == {}
    (veo,) = each.models(Kind.VIDEO)
    assert veo == replace(
        VEO,
        label="Our Veo",
        price_per_second=0.25,
        durations_s=(4.0, 8.0),
        resolutions=("1080p", "720p"),
        poll_every_s=20.0,
        poll_attempts=30,
        watch_for_s=3600.0,
    )
    assert each.find(Kind.VIDEO, "cloud", "azure/sora") == SORA
    with pytest.raises(InvalidRequest):
        each.complete(Draft(kind=Kind.VIDEO, prompt="x", model="azure/sora"), seed_from=a_seed)
    assert json.loads((tmp_path / "catalogue.json").read_text())["cloud"][0]["label"] == "Veo 3"


@pytest.mark.asyncio
async def test_a_changed_toml_counts_from_the_next_refresh(tmp_path: Path) -> None:
    each = a_catalogue(tmp_path, cloud(), toml='[cloud."google-cloud/veo3"]\nlabel = "One"')
    await each.refresh()
    (tmp_path / "models.toml").write_text('[cloud."google-cloud/veo3"]\nlabel = "Two"')
    await each.refresh()
    assert each.models(Kind.VIDEO)[0].label == "Two"
    (tmp_path / "models.toml").unlink()
    await each.refresh()
    assert each.models(Kind.VIDEO)[0].label == "Veo 3"


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("toml", "says"),
    [
        ("[cloud", "models.toml cannot be read"),
        ("[cloud.x]\npoll_every_s = 0", "cloud x: poll_every_s"),
        ("[cloud.x]\npoll_every_s = nan", "cloud x: poll_every_s"),
        ("[cloud.x]\ncolour = 'red'", "cloud x: colour"),
        ("[cloud.x]\nresolutions = []", "cloud x: resolutions"),
        ("[cloud.x]\nresolutions = ['HD']", "cloud x: resolutions"),
        ("cloud = 3", "cloud: "),
        ("[cloud]\nx = 3", "cloud x: "),
    ],
)
async def test_a_broken_toml_is_a_sentence_and_no_crash(toml: str, says: str, tmp_path: Path) -> None:
    good = '\n[cloud."google-cloud/veo3"]\nlabel = "Ours"\n' if toml.startswith("[cloud.") else ""
    each = a_catalogue(tmp_path, cloud(), toml=toml + good)
    await each.refresh()
    assert says in each.problems["models.toml"]
    assert each.models(Kind.VIDEO)[0].label == ("Ours" if good else "Veo 3")
