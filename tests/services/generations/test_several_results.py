"""Every result of a backend's answer becomes a generation, once, whatever happens in between."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from services.backends.scripted import Job, Script, Scripted
from services.core.job_results import SAME_JOB, JobId, extra_result_id
from services.core.model import LOCAL_OWNER, Generation, JobUpdate, Phase, Result
from tests.support.engine_harness import EngineHarness, after, set_script

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


async def of_request(harness: EngineHarness, first: Generation) -> list[Generation]:
    rows = (await harness.generations.listed(owner=LOCAL_OWNER, limit=100)).items
    return sorted((row for row in rows if row.request_id == first.request_id), key=lambda row: row.id)


def answers_with_three_jobs(backend: Scripted) -> None:
    """Each submit starts two extra jobs."""
    submit = backend.submit

    async def three(generation: Generation, *, source: bytes | None = None) -> str:
        job_id = await submit(generation, source=source)
        job = backend.jobs[job_id]
        others = [f"{job_id}-b", f"{job_id}-c"]
        for other in others:
            own = replace(job.script, urls=(f"https://scripted.example/{other}",))
            new = Job(id=other, generation=generation, script=own, begun=job.begun)
            backend.jobs.setdefault(other, new)
        return JobId(job_id, *others)

    backend.submit = three  # type: ignore[method-assign]


def delivers_three_files(backend: Scripted) -> None:
    """Each job's result lists two extra ones."""
    state = backend._state

    def three(job: Job, channel: str, *, lag_s: float = 0.0) -> JobUpdate:
        update = state(job, channel, lag_s=lag_s)
        if not isinstance(update.outcome, Result):
            return update
        extra = tuple((extra_result_id(job.id, n), f"https://scripted.example/{job.id}/{n}") for n in (1, 2))
        return replace(update, outcome=replace(update.outcome, extra_results=extra))

    backend._state = three  # type: ignore[method-assign]


@pytest.fixture(
    params=[answers_with_three_jobs, delivers_three_files], ids=["three jobs", "one job, three files"]
)
def several(request: pytest.FixtureRequest, harness: EngineHarness) -> EngineHarness:
    request.param(harness.backend)
    return harness


async def test_three_results_are_three_generations_of_one_request(several: EngineHarness) -> None:
    first = await several.start()
    await after(60, several, first)
    rows = await of_request(several, first)
    assert [row.phase for row in rows] == [Phase.COMPLETED] * 3
    assert rows[0].id == first.id
    assert len({row.kept.name for row in rows if row.kept}) == 3
    assert len({row.kept.sha256 for row in rows if row.kept}) == 3
    assert all(row.receipt is not None for row in rows)
    assert {row.request for row in rows} == {first.request}
    assert several.backend.submits[first.id] == 1
    assert all(several.snapshots(row) for row in rows)


@pytest.mark.parametrize("seconds", [0.005, 0.015, 1.0, 5.005, 5.02, 5.03, 6.0])
async def test_a_crash_at_any_moment_loses_none_and_doubles_none(
    several: EngineHarness, seconds: float
) -> None:
    set_script(several, Script(), idempotent=True)
    first = await several.start()
    await asyncio.sleep(seconds)
    await several.crash()
    await several.open()
    await after(120, several, first)
    rows = await of_request(several, first)
    assert [row.phase for row in rows] == [Phase.COMPLETED] * 3
    assert len({row.kept.sha256 for row in rows if row.kept}) == 3


async def test_a_deletion_of_one_leaves_the_others(harness: EngineHarness) -> None:
    answers_with_three_jobs(harness.backend)
    set_script(harness, Script(length_s=20.0), cancel=True)
    first = await harness.start()
    await asyncio.sleep(1)
    await harness.generations.delete(first.id, owner=LOCAL_OWNER)
    await after(120, harness, first)
    rows = await of_request(harness, first)
    assert [row.phase for row in rows] == [Phase.COMPLETED] * 2
    assert first.id not in {row.id for row in rows}


async def test_a_stop_of_one_file_of_a_job_does_not_cancel_the_job(harness: EngineHarness) -> None:
    delivers_three_files(harness.backend)
    first = await harness.start()
    await after(60, harness, first)
    second = (await of_request(harness, first))[1]
    set_script(harness, Script(), cancel=True)
    await harness.supervisor.cancel(second)
    await harness.supervisor.cancel(first)
    assert not any(job.cancelled for job in harness.backend.jobs.values())


async def test_of_a_stopped_one_the_extra_results_are_unwanted_too(harness: EngineHarness) -> None:
    delivers_three_files(harness.backend)
    first = await harness.start()
    await asyncio.sleep(1)
    await harness.generations.stop(first.id, owner=LOCAL_OWNER)
    await after(7200, harness, first)
    rows = await of_request(harness, first)
    assert [(row.phase, row.unwanted) for row in rows] == [(Phase.COMPLETED, True)] * 3


async def test_a_stop_of_one_of_several_open_ones_cancels_only_its_own(harness: EngineHarness) -> None:
    answers_with_three_jobs(harness.backend)
    set_script(harness, Script(length_s=20.0), cancel=True)
    first = await harness.start()
    await asyncio.sleep(1)
    _, second, _ = await of_request(harness, first)
    await harness.generations.stop(second.id, owner=LOCAL_OWNER)
    await after(120, harness, first)
    assert [row.phase for row in await of_request(harness, first)] == [
        Phase.COMPLETED,
        Phase.DROPPED,
        Phase.COMPLETED,
    ]


async def test_the_same_key_answers_with_all_of_them(several: EngineHarness) -> None:
    first = await several.start()
    await after(60, several, first)
    retried = await several.generations.retry(first.id, owner=LOCAL_OWNER, key="once")
    await after(60, several, retried)
    again = await several.generations.started_with("once", fingerprint=f"retry {first.id}", owner=LOCAL_OWNER)
    assert [again[0].id, len(again)] == [retried.id, 3]


async def test_a_job_that_another_one_holds_is_an_error_that_names_it(harness: EngineHarness) -> None:
    async def the_same(generation: Generation, *, source: bytes | None = None) -> str:
        if not harness.backend.jobs:
            harness.backend._take(generation, Script())
        return "job-1"

    harness.backend.submit = the_same  # type: ignore[method-assign]
    first = await after(30, harness, await harness.start(seed=7))
    second = await after(30, harness, await harness.start(seed=7))
    assert first.phase is Phase.COMPLETED
    assert (second.phase, second.error_code, second.error_text) == (Phase.ERROR, SAME_JOB, first.id)
    assert second.possibly_accepted_since is None
    renewed = await harness.generations.retry(second.id, owner=LOCAL_OWNER, new_seed=True)
    assert renewed.request.seed != second.request.seed
    assert replace(renewed.request, seed=0) == replace(second.request, seed=0)
