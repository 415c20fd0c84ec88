"""Drafts completed to requests: defaults, limits and refusals by field."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from services.core.errors import InvalidRequest, NoModels
from services.core.model import Draft, GenerationSettings, Kind, Request
from tests.support.catalogue_parts import (
    FILM,
    FILM_FROM_PICTURE,
    SORA,
    STILL,
    VEO,
    FakeBackend,
    a_catalogue,
    a_seed,
    animatic,
    cloud,
)
from tests.support.rows import nested


async def completed(folder: Path, **draft: Any) -> Request:
    each = a_catalogue(folder, animatic())
    await each.refresh()
    return each.complete(
        Draft(**nested(**({"kind": Kind.VIDEO, "prompt": "a kite"} | draft))), seed_from=a_seed
    )


@pytest.mark.asyncio
async def test_a_prompt_alone_is_enough(tmp_path: Path) -> None:
    assert await completed(tmp_path) == Request(
        kind=Kind.VIDEO,
        prompt="a kite",
        backend="animatic",
        model="animatic/film",
        seed=77,
        settings=GenerationSettings(aspect_ratio="16:9", resolution="720p", duration_s=5.0, fps=24),
    )


@pytest.mark.asyncio
async def test_what_is_named_is_taken(tmp_path: Path) -> None:
    request = await completed(
        tmp_path,
        backend="animatic",
        model="animatic/film",
        duration_s=7.5,
        aspect_ratio=" 9:16 ",
        resolution="360P",
        fps=30,
        seed=0,
        negative_prompt=" blur\r\nnoise ",
        style="noir",
        shot_size="close-up",
        chat_id="c1",
    )
    assert (
        request.settings.duration_s,
        request.settings.aspect_ratio,
        request.settings.resolution,
        request.settings.fps,
    ) == (
        7.5,
        "9:16",
        "360p",
        30,
    )
    assert (request.seed, request.settings.negative_prompt, request.chat_id) == (0, "blur\nnoise", "c1")
    assert (request.settings.style, request.settings.shot_size) == ("noir", "close-up")


@pytest.mark.asyncio
async def test_with_a_picture_the_first_model_that_takes_one_is_meant(tmp_path: Path) -> None:
    request = await completed(tmp_path, source="s.png")
    assert (request.model, request.source) == ("animatic/film-from-picture", "s.png")


@pytest.mark.asyncio
async def test_a_picture_has_neither_length_nor_frame_rate(tmp_path: Path) -> None:
    request = await completed(tmp_path, kind=Kind.IMAGE, duration_s=5.0, fps=24)
    assert (request.model, request.settings.duration_s, request.settings.fps) == (
        "animatic/still",
        None,
        None,
    )


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("draft", "field_name", "says"),
    [
        ({"prompt": ""}, "prompt", "empty"),
        ({"prompt": " \n\t\u2003"}, "prompt", "empty"),
        ({"prompt": "x" * 10_001}, "prompt", "limit is 10,000"),
        ({"prompt": "a\x00b"}, "prompt", "U+0000"),
        ({"prompt": "a\x1bb"}, "prompt", "U+001B"),
        ({"prompt": "a\x85b"}, "prompt", "U+0085"),
        ({"prompt": "a\ud800b"}, "prompt", "U+D800"),
        ({"negative_prompt": "x" * 10_001}, "negative_prompt", "negative prompt"),
        ({"negative_prompt": "\x07"}, "negative_prompt", "U+0007"),
        ({"style": "x" * 201}, "style", "limit is 200"),
        ({"shot_size": "x" * 201}, "shot_size", "limit is 200"),
        ({"shot_size": "\x7f."}, "shot_size", "U+007F"),
        ({"model": "nope"}, "model", "animatic/film, animatic/film-from-picture"),
        ({"model": "animatic/still"}, "model", "No such video model"),
        ({"backend": "nobody"}, "model", "No available model makes videos"),
        ({"model": "animatic/film", "source": "s.png"}, "model", "does not accept a starting image"),
        ({"model": "animatic/film-from-picture"}, "model", "needs a starting image"),
        ({"kind": Kind.IMAGE, "source": "s.png"}, "model", "images from an image"),
        ({"duration_s": 0.5}, "duration", "Available: 1–20 s"),
        ({"duration_s": 21}, "duration", "Available: 1–20 s"),
        ({"duration_s": 0}, "duration", "more than 0"),
        ({"duration_s": -5.0}, "duration", "more than 0"),
        ({"duration_s": math.nan}, "duration", "more than 0"),
        ({"duration_s": math.inf}, "duration", "more than 0"),
        ({"duration_s": True}, "duration", "more than 0"),
        ({"duration_s": 10**400}, "duration", "more than 0 and at most 3600"),
        ({"aspect_ratio": "21:9"}, "aspect_ratio", "16:9, 9:16, 1:1, 4:3"),
        ({"resolution": "1080p"}, "resolution", "360p, 720p"),
        ({"fps": 25}, "fps", "12, 24, 30"),
        ({"fps": 0}, "fps", "above 0"),
        ({"fps": 10**400}, "fps", "above 0"),
        ({"fps": math.nan}, "fps", "above 0"),
        ({"fps": 24.5}, "fps", "whole number"),
        ({"seed": -1}, "seed", "0 to 4294967295"),
        ({"seed": 2**32}, "seed", "0 to 4294967295"),
        ({"seed": True}, "seed", "whole number"),
        ({"seed": 1.5}, "seed", "whole number"),
    ],
)
async def test_what_cannot_be_made_is_said_by_field(
    draft: dict[str, Any], field_name: str, says: str, tmp_path: Path
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        await completed(tmp_path, **draft)
    assert refused.value.field == field_name
    assert says in str(refused.value)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "draft",
    [
        {"prompt": "x" * 10_000},
        {"prompt": "two\nlines\tand 👩‍🚀 עברית"},
        {"prompt": "form\r\nfeed"},
        {"seed": 2**32 - 1},
        {"duration_s": 20},
        {"duration_s": 1.0},
        {"aspect_ratio": "", "resolution": " "},
    ],
)
async def test_the_edges_are_still_fine(draft: dict[str, Any], tmp_path: Path) -> None:
    assert await completed(tmp_path, **draft)


@pytest.mark.asyncio
async def test_listed_lengths_are_exact_where_the_model_says_so(tmp_path: Path) -> None:
    each = a_catalogue(tmp_path, cloud())
    await each.refresh()
    draft = Draft(kind=Kind.VIDEO, prompt="x", model=VEO.name)
    assert each.complete(draft, seed_from=a_seed).settings.duration_s == 5.0
    assert (
        each.complete(
            replace(draft, settings=GenerationSettings(duration_s=8)), seed_from=a_seed
        ).settings.duration_s
        == 8.0
    )
    with pytest.raises(InvalidRequest, match="Available: 5, 8 s"):
        each.complete(replace(draft, settings=GenerationSettings(duration_s=6)), seed_from=a_seed)


@pytest.mark.asyncio
async def test_a_model_that_lists_no_length_decides_or_takes_the_one_that_is_named(tmp_path: Path) -> None:
    each = a_catalogue(tmp_path, cloud())
    await each.refresh()
    draft = Draft(kind=Kind.VIDEO, prompt="x", model=SORA.name)
    assert each.complete(draft, seed_from=a_seed).settings.duration_s is None
    assert (
        each.complete(
            replace(draft, settings=GenerationSettings(duration_s=6)), seed_from=a_seed
        ).settings.duration_s
        == 6.0
    )


@pytest.mark.asyncio
async def test_the_cloud_comes_before_the_animatic(tmp_path: Path) -> None:
    each = a_catalogue(tmp_path, cloud(), animatic())
    await each.refresh()
    assert [model.name for model in each.models(Kind.VIDEO)] == [
        VEO.name, SORA.name, FILM.name, FILM_FROM_PICTURE.name
    ]  # fmt: skip
    assert each.models(Kind.VIDEO, needs_source=True) == [FILM_FROM_PICTURE]
    assert each.complete(Draft(kind=Kind.VIDEO, prompt="x"), seed_from=a_seed).backend == "cloud"
    assert (
        each.complete(Draft(kind=Kind.VIDEO, prompt="x", backend="animatic"), seed_from=a_seed).model
        == FILM.name
    )
    assert each.complete(Draft(kind=Kind.IMAGE, prompt="x"), seed_from=a_seed).model == STILL.name


@pytest.mark.asyncio
async def test_before_any_list_was_had_nothing_can_be_promised(tmp_path: Path) -> None:
    each = a_catalogue(tmp_path, FakeBackend("cloud", error="cloud cannot be reached."))
    draft = Draft(kind=Kind.VIDEO, prompt="x")
    with pytest.raises(NoModels, match="Try again in a moment"):
        each.complete(draft, seed_from=a_seed)
    await each.refresh()
    with pytest.raises(NoModels, match=r"cloud cannot be reached\."):
        each.complete(draft, seed_from=a_seed)
    with pytest.raises(InvalidRequest):
        each.complete(replace(draft, prompt=""), seed_from=a_seed)


@pytest.mark.asyncio
async def test_an_unheard_cloud_is_not_quietly_replaced_by_the_animatic(tmp_path: Path) -> None:
    each = a_catalogue(tmp_path, FakeBackend("cloud", error="cloud does not take the key."), animatic())
    await each.refresh()
    draft = Draft(kind=Kind.VIDEO, prompt="x")
    for open_question in (draft, replace(draft, model=VEO.name), replace(draft, backend="cloud")):
        with pytest.raises(NoModels):
            each.complete(open_question, seed_from=a_seed)
    for clear in (replace(draft, model=FILM.name), replace(draft, backend="animatic")):
        assert each.complete(clear, seed_from=a_seed).backend == "animatic"


def test_without_any_backend_nothing_can_be_made(tmp_path: Path) -> None:
    with pytest.raises(NoModels, match="No backend is configured"):
        a_catalogue(tmp_path).complete(Draft(kind=Kind.VIDEO, prompt="x"), seed_from=a_seed)
