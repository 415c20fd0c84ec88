"""A long list, most of it other people's: searched to the end of the matter, and never on a guess."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import replace

import pytest

from services.backends.job_listing import JobPage, ListedJob
from services.backends.scripted import Job, Script
from services.core.errors import BackendUnavailable
from services.core.model import Generation, Kind, Phase
from services.core.runtime import Runtime
from services.generations import job_search
from services.generations.job_matching import Clock, own_jobs
from tests.support.engine_harness import EngineHarness, set_script
from tests.support.race_harness import now
from tests.support.rows import a_generation, a_request

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

CROWD, CROWD_S = 5000, 300.0
LOST_S = 230.0
"""By then the search that follows a lost answer has ended."""
LONG = Script(length_s=86_400.0)


async def lost(harness: EngineHarness, *, behind: int = CROWD // 2, before: int = CROWD // 2) -> Generation:
    """One whose answer was lost, in the middle of a crowd of other jobs; nobody searches for it any more."""
    set_script(harness, LONG)
    for seed in range(3):
        await harness.start("one of ours", seed=seed)
    await asyncio.sleep(1)
    template = next(iter(harness.backend.jobs.values()))
    set_script(harness, Script(submits=("lost_after",)), searchable=True)
    harness.backend.lists = ("unavailable",)
    crowd(harness, template, behind, first_at=now() - CROWD_S * behind / CROWD)
    generation = await harness.start("the wanted kite", seed=7)
    await asyncio.sleep(0.1)
    crowd(harness, template, before, first_at=now())
    await asyncio.sleep(LOST_S)
    harness.backend.lists = ("ok",)
    assert (await harness.get(generation)).phase is Phase.UNCONFIRMED
    return generation


def crowd(harness: EngineHarness, template: Job, count: int, *, first_at: float) -> None:
    """Other people's jobs; some have the prompt, or the seed, of the one that is looked for."""
    for number in range(count):
        name = f"other {len(harness.backend.jobs)}"
        prompt = "the wanted kite" if number % 3 == 0 else "another kite"
        request = replace(
            template.generation.request, prompt=prompt, seed=7 if number % 3 == 1 else 1000 + number
        )
        harness.backend.jobs[name] = replace(
            template,
            id=name,
            generation=replace(template.generation, id=name, request=request),
            created_at=first_at + number * CROWD_S / CROWD,
        )


def twin(harness: EngineHarness, generation: Generation, *, at: float) -> None:
    """Somebody else's job with the same prompt and seed, listed where its time puts it."""
    jobs = harness.backend.jobs
    other = replace(generation, id="somebody else's")
    jobs["twin"] = replace(next(iter(jobs.values())), id="twin", generation=other, created_at=at)
    harness.backend.jobs = dict(sorted(jobs.items(), key=lambda item: item[1].created_at))


async def rounds(harness: EngineHarness, count: int = 1) -> list[str]:
    return [each.id for _ in range(count) for each in await harness.reconciler.run_once()]


async def test_among_five_thousand_jobs_of_five_minutes_the_one_is_found(harness: EngineHarness) -> None:
    generation = await lost(harness)
    assert await rounds(harness) == [generation.id]
    found = await harness.get(generation)
    assert found.job_id is not None
    assert harness.backend.jobs[found.job_id].generation.id == generation.id
    assert harness.backend.submits[generation.id] == 1


async def test_a_second_match_far_down_the_list_forbids_the_first(harness: EngineHarness) -> None:
    generation = await lost(harness, before=10)
    twin(harness, generation, at=generation.created_at - 50)
    listed = list(reversed(harness.backend.jobs))
    wanted = next(name for name, job in harness.backend.jobs.items() if job.generation.id == generation.id)
    assert (listed.index(wanted) < 50, listed.index("twin") > 500) == (True, True)
    assert await rounds(harness, 3) == []
    assert (await harness.get(generation)).phase is Phase.UNCONFIRMED


async def test_a_list_that_fails_half_way_is_continued_in_the_next_round(harness: EngineHarness) -> None:
    generation = await lost(harness)
    before = harness.backend.listed_times
    harness.backend.lists = ("ok",) * (before + 40) + ("unavailable",) + ("ok",)
    assert await rounds(harness) == []
    assert (await harness.get(generation)).phase is Phase.UNCONFIRMED
    assert await rounds(harness) == [generation.id]
    assert harness.backend.listed_times - before == pytest.approx(CROWD / 49 + 3, abs=2)


async def test_a_bound_that_is_reached_is_logged_and_the_next_round_continues(
    harness: EngineHarness, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    generation = await lost(harness)
    before = harness.backend.listed_times
    monkeypatch.setattr(job_search, "ROUND_S", 0.4)
    with caplog.at_level(logging.WARNING):
        assert await rounds(harness) == []
    assert (await harness.get(generation)).phase is Phase.UNCONFIRMED
    (record,) = [each for each in caplog.records if each.name == job_search.log.name]
    assert record.getMessage() == (
        "scripted: 1961 entries of its video list, read in 0 s, do not reach back to every unconfirmed "
        "generation; the next search continues there."
    )
    assert await rounds(harness, 2) == [generation.id]
    assert harness.backend.listed_times - before == pytest.approx(CROWD / 49 + 5, abs=4)


async def test_a_list_of_too_many_entries_leaves_the_choice_to_the_person_and_says_so(
    harness: EngineHarness, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    generation = await lost(harness)
    monkeypatch.setattr(job_search, "MAX_ITEMS", 1000)
    with caplog.at_level(logging.WARNING):
        assert await rounds(harness, 5) == []
    assert (await harness.get(generation)).phase is Phase.UNCONFIRMED
    assert "older ones stay unconfirmed" in caplog.text


async def test_jobs_made_and_deleted_while_the_list_is_read_hide_nothing(harness: EngineHarness) -> None:
    generation = await lost(harness)
    backend, listed = harness.backend, harness.backend.listed
    template = next(iter(backend.jobs.values()))

    async def restless(kind: Kind, *, skip: int = 0) -> JobPage:
        page = await listed(kind, skip=skip)
        if backend.listed_times % 3:
            crowd(harness, template, 20, first_at=now())
        else:
            for name in [name for name in backend.jobs if name.startswith("other")][-30:]:
                del backend.jobs[name]
        return page

    backend.listed = restless  # type: ignore[method-assign]
    assert await rounds(harness) == [generation.id]


async def test_a_list_that_ignores_the_offset_is_not_read_for_ever(harness: EngineHarness) -> None:
    generation = await lost(harness)
    listed, before = harness.backend.listed, harness.backend.listed_times

    async def the_same(kind: Kind, *, skip: int = 0) -> JobPage:
        return await listed(kind)

    harness.backend.listed = the_same  # type: ignore[method-assign]
    assert await rounds(harness) == []
    assert harness.backend.listed_times - before == 1 + job_search.MAX_STALE_PAGES
    assert (await harness.get(generation)).phase is Phase.UNCONFIRMED


async def test_the_end_of_a_refused_search_is_an_error_and_not_a_guess(harness: EngineHarness) -> None:
    generation = await lost(harness, before=10)
    search = job_search.JobSearch(harness.reconciler._rows, Runtime(now=now))
    harness.backend.lists = ("ok",) * (harness.backend.listed_times + 3) + ("unavailable",)
    with pytest.raises(BackendUnavailable):
        await search.found(harness.backend, Kind.VIDEO)
    assert (await harness.get(generation)).job_id is None


async def test_thousands_that_are_looked_for_among_thousands_are_matched_at_once() -> None:
    """A comparison of each with each would take half a minute."""
    intents = [
        a_generation(
            id=f"g{number}",
            at=1000.0,
            request=a_request(seed=number),
            phase=Phase.UNCONFIRMED,
            submitted_at=1000.0,
            possibly_accepted_since=1000.0,
        )
        for number in range(5000)
    ]
    jobs = [
        ListedJob(job_id=f"j{number}", prompt="a kite", seed=float(number), created_at=1001.0)
        for number in range(5000)
    ]
    begun = time.process_time()
    own = own_jobs(intents, jobs, Clock(), now=2000.0, idempotent=False, known_since=float("-inf"))
    assert time.process_time() - begun < 2.0
    assert own == {f"g{number}": f"j{number}" for number in range(5000)}
