"""Lists kept up to date and cached."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from services.catalogue import Catalogue, catalogue
from services.core.errors import AppError, NoModels
from services.core.model import Draft, Kind
from services.core.settings import Settings
from tests.support.catalogue_parts import (
    SORA,
    VEO,
    FakeBackend,
    a_catalogue,
    a_seed,
    animatic,
    cloud,
)


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
