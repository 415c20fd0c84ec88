"""What is looked for at the backend is ours beyond doubt, or it is left to the person."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.backends.job_listing import JobPage
from services.backends.scripted import Script
from services.core.errors import Conflict
from services.core.model import LOCAL_OWNER, Kind, Phase
from tests.support.engine_harness import EngineHarness, after, set_script

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


async def test_of_two_jobs_that_might_be_it_none_is_adopted(harness: EngineHarness) -> None:
    set_script(harness, Script(submits=("lost_after",)), searchable=True)
    finds(harness, "job-1", "job-of-somebody")
    ended = await after(600, harness, await harness.start())
    assert (ended.phase, ended.job_id) == (Phase.UNCONFIRMED, None)


async def test_a_job_that_another_one_holds_is_not_adopted(harness: EngineHarness) -> None:
    set_script(harness, Script(length_s=3000.0))
    holder = await after(1, harness, await harness.start(seed=7))
    assert holder.job_id is not None
    set_script(harness, Script(submits=("lost_before",)), searchable=True)
    finds(harness, holder.job_id)
    second = await harness.start(seed=7)
    ended = await after(600, harness, second)
    assert (ended.phase, ended.job_id) == (Phase.UNCONFIRMED, None)
    assert harness.trace_entries(second, "engine", "looking")
    assert harness.trace_entries(second, "engine", "adopted") == []


async def test_a_retry_with_the_same_key_starts_one(harness: EngineHarness) -> None:
    first = await harness.start()
    again = [await harness.generations.retry(first.id, owner=LOCAL_OWNER, key="press") for _ in range(2)]
    other = await harness.generations.retry(first.id, owner=LOCAL_OWNER, key="another press")
    assert again[0].id == again[1].id != other.id
    with pytest.raises(Conflict):
        await harness.generations.retry(other.id, owner=LOCAL_OWNER, key="press")


def finds(harness: EngineHarness, *job_ids: str) -> None:
    """The list's newest job stands in it under each of these ids."""
    listed = harness.backend.listed

    async def again(kind: Kind, *, skip: int = 0) -> JobPage:
        page = await listed(kind, skip=skip)
        return replace(page, jobs=[replace(page.jobs[0], job_id=job_id) for job_id in job_ids])

    harness.backend.listed = again  # type: ignore[method-assign]
