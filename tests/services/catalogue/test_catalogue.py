"""Lists kept up to date and cached, overrides from the TOML, drafts completed."""

from __future__ import annotations

import asyncio
import itertools
import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from services.catalogue import Catalogue, catalogue
from services.core.errors import AppError, BackendUnavailable, InvalidRequest, NoModels
from services.core.model import Draft, GenerationSettings, Kind, Model, Request
from services.core.settings import Settings
from tests.support.rows import nested

FILM = Model(
    backend="animatic",
    name="animatic/film",
    label="Animatic film",
    kind=Kind.VIDEO,
    durations_s=(1.0, 5.0, 20.0),
    any_duration=True,
    resolutions=("360p", "720p"),
    fps=(12, 24, 30),
    default_duration_s=5.0,
    default_resolution="720p",
    default_fps=24,
    price_per_second=0.0,
)
FILM_FROM_PICTURE = replace(FILM, name="animatic/film-from-picture", needs_source=True)
STILL = replace(FILM, name="animatic/still", kind=Kind.IMAGE, durations_s=(), any_duration=False, fps=())
VEO = Model(
    backend="cloud",
    name="google-cloud/veo3",
    label="Veo 3",
    kind=Kind.VIDEO,
    durations_s=(5.0, 8.0),
    price_per_second=0.5,
)
SORA = Model(backend="cloud", name="azure/sora", label="Sora", kind=Kind.VIDEO)


@dataclass
class FakeBackend:
    """The part of a backend that the catalogue uses."""

    name: str
    listed: list[Model] = field(default_factory=list)
    error: str = ""
    asked_at: list[float] = field(default_factory=list)

    async def models(self) -> list[Model]:
        self.asked_at.append(asyncio.get_running_loop().time())
        if self.error:
            raise BackendUnavailable(self.error, backend=self.name)
        return self.listed


def a_catalogue(folder: Path, *backends: FakeBackend, toml: str | None = None) -> Catalogue:
    if toml is not None:
        (folder / "models.toml").write_text(toml, encoding="utf-8")
    return Catalogue(backends, Settings(_env_file=None, data_dir=folder))  # type: ignore[call-arg, arg-type]


def animatic() -> FakeBackend:
    return FakeBackend("animatic", [FILM, FILM_FROM_PICTURE, STILL])


def cloud() -> FakeBackend:
    return FakeBackend("cloud", [VEO, SORA])


def a_seed() -> int:
    return 77


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
        ({"prompt": "x" * 10_001}, "prompt", "10,000 at most"),
        ({"prompt": "a\x00b"}, "prompt", "U+0000"),
        ({"prompt": "a\x1bb"}, "prompt", "U+001B"),
        ({"prompt": "a\x85b"}, "prompt", "U+0085"),
        ({"prompt": "a\ud800b"}, "prompt", "U+D800"),
        ({"negative_prompt": "x" * 10_001}, "negative_prompt", "negative prompt"),
        ({"negative_prompt": "\x07"}, "negative_prompt", "U+0007"),
        ({"style": "x" * 201}, "style", "200 at most"),
        ({"shot_size": "x" * 201}, "shot_size", "200 at most"),
        ({"shot_size": "\x7f."}, "shot_size", "U+007F"),
        ({"model": "nope"}, "model", "animatic/film, animatic/film-from-picture"),
        ({"model": "animatic/still"}, "model", "no such video model"),
        ({"backend": "nobody"}, "model", "No model here makes video"),
        ({"model": "animatic/film", "source": "s.png"}, "model", "takes no picture"),
        ({"model": "animatic/film-from-picture"}, "model", "needs a picture"),
        ({"kind": Kind.IMAGE, "source": "s.png"}, "model", "image from a picture"),
        ({"duration_s": 0.5}, "duration", "It makes: 1–20 s"),
        ({"duration_s": 21}, "duration", "It makes: 1–20 s"),
        ({"duration_s": 0}, "duration", "above 0"),
        ({"duration_s": -5.0}, "duration", "above 0"),
        ({"duration_s": math.nan}, "duration", "above 0"),
        ({"duration_s": math.inf}, "duration", "above 0"),
        ({"duration_s": True}, "duration", "above 0"),
        ({"duration_s": 10**400}, "duration", "above 0, at most 3600"),
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
    with pytest.raises(InvalidRequest, match="It makes: 5, 8 s"):
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
    with pytest.raises(NoModels, match="no backend is set up"):
        a_catalogue(tmp_path).complete(Draft(kind=Kind.VIDEO, prompt="x"), seed_from=a_seed)


@pytest.mark.asyncio
async def test_the_last_list_outlives_a_failing_backend_and_a_restart(tmp_path: Path) -> None:
    backend = cloud()
    each = a_catalogue(tmp_path, backend)
    await each.refresh()
    backend.error = "cloud is busy."
    await each.refresh()
    assert each.models(Kind.VIDEO) == [VEO, SORA]
    assert each.problems == {"cloud": "cloud is busy."}
    again = a_catalogue(tmp_path, FakeBackend("cloud", error="down"))
    assert again.models(Kind.VIDEO) == [VEO, SORA]
    assert again.complete(Draft(kind=Kind.VIDEO, prompt="x"), seed_from=a_seed).model == VEO.name
    assert a_catalogue(tmp_path, animatic()).models(Kind.VIDEO) == []
    assert [path.name for path in tmp_path.iterdir()] == ["catalogue.json"]


@pytest.mark.asyncio
async def test_a_problem_goes_when_the_backend_is_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    backend = FakeBackend("cloud", error="cloud is busy.")
    each = a_catalogue(tmp_path, backend)
    for _ in range(3):
        await each.refresh()
    assert caplog.messages == ["cloud is busy."]
    backend.error, backend.listed = "", [VEO]
    await each.refresh()
    assert each.problems == {}


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"cloud": [{"name": "x"}]}', '{"cloud": [{"kind": "smell"}]}', "\xff"]
)
def test_a_broken_memory_is_left_aside(content: str, tmp_path: Path) -> None:
    (tmp_path / "catalogue.json").write_text(content, encoding="latin-1")
    assert a_catalogue(tmp_path, cloud()).models(Kind.VIDEO) == []


@pytest.mark.asyncio
async def test_a_memory_that_cannot_be_written_is_a_problem_and_no_more(tmp_path: Path) -> None:
    (tmp_path / "catalogue.json.new").mkdir()
    each = a_catalogue(tmp_path, cloud())
    await each.refresh()
    assert each.models(Kind.VIDEO) == [VEO, SORA]
    assert "cannot be kept" in each.problems["catalogue.json"]


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


@pytest.mark.asyncio
async def test_listeners_hear_of_changes_and_only_of_these(tmp_path: Path) -> None:
    backend = cloud()
    each = a_catalogue(tmp_path, backend)
    calls: list[str] = []

    def broken() -> None:
        raise RuntimeError("a listener's bug")

    each.on_change(broken)
    unsubscribe = each.on_change(lambda: calls.append("changed"))
    await each.refresh()
    assert calls == ["changed"]
    await each.refresh()
    assert calls == ["changed"]
    backend.error = "away"
    await each.refresh()
    assert calls == ["changed"] * 2
    unsubscribe()
    unsubscribe()
    backend.error, backend.listed = "", []
    await each.refresh()
    assert calls == ["changed"] * 2


def gaps(times: list[float]) -> list[int]:
    return [round(later - earlier) for earlier, later in itertools.pairwise(times)]


async def run_for(each: Catalogue, seconds: float, then: Callable[[], None] | None = None) -> None:
    task = asyncio.create_task(each.run(), name="catalogue")
    await asyncio.sleep(seconds)
    if then is not None:
        then()
        await asyncio.sleep(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.asyncio
@pytest.mark.looptime
async def test_it_asks_every_ten_minutes_and_sooner_after_a_failure(tmp_path: Path) -> None:
    well, ill = FakeBackend("well", [VEO]), FakeBackend("ill", error="away")
    each = Catalogue([well, ill], Settings(_env_file=None, data_dir=tmp_path))  # type: ignore[call-arg, list-item]
    await run_for(each, 1900)
    assert gaps(well.asked_at) == [600, 600, 600]
    assert gaps(ill.asked_at)[:7] == [5, 10, 20, 40, 60, 60, 60]


@pytest.mark.asyncio
@pytest.mark.looptime
async def test_one_who_is_back_is_asked_calmly_again_and_a_wake_asks_at_once(tmp_path: Path) -> None:
    backend = FakeBackend("cloud", error="away")
    each = Catalogue([backend], Settings(_env_file=None, data_dir=tmp_path))  # type: ignore[call-arg, list-item]

    def come_back() -> None:
        backend.error, backend.listed = "", [VEO]
        each.wake()

    await run_for(each, 16, come_back)
    assert gaps(backend.asked_at) == [5, 10, 1]
    assert each.models(Kind.VIDEO) == [VEO]


def test_no_models_is_an_error_of_ours() -> None:
    assert issubclass(NoModels, AppError) and catalogue.INTERVAL_S == 600
