"""What is safe, and how long it takes."""

from __future__ import annotations

import pytest

from services.core.model import LOCAL_OWNER
from tests.support.library_harness import LibraryHarness
from tests.support.statistics_parts import NOON, put, won


@pytest.mark.asyncio
async def test_a_file_that_is_gone_is_lost_and_nothing_else_is(harness: LibraryHarness) -> None:
    there, gone = await put(harness), await put(harness)
    assert (await harness.statistics.file_integrity()).missing == []
    assert gone.kept is not None and there.kept is not None
    harness.folder.path(gone.kept.name).unlink()
    assert (await harness.statistics.file_integrity()).missing == [], "looked at a moment ago"
    harness.statistics._now = lambda: NOON + 61
    assert (await harness.statistics.file_integrity()).missing == [gone.id]
    assert harness.lost == [], "only looked"


@pytest.mark.asyncio
async def test_the_weekly_round_is_told(harness: LibraryHarness) -> None:
    assert (await harness.statistics.file_integrity()).scrub is None
    await put(harness)
    await harness.scrub.run_once()
    run = (await harness.statistics.file_integrity()).scrub
    assert run is not None
    assert (run.checked, run.damaged, run.missing) == (1, (), ())


@pytest.mark.asyncio
async def test_estimates_are_of_what_was_delivered_here(harness: LibraryHarness) -> None:
    assert await harness.statistics.estimates(await harness.statistics.figures(7, owner=LOCAL_OWNER)) == []
    for length_s in (10.0, 20.0):
        await put(
            harness, receipt=won(), kept=harness.file(b"a"), submitted_at=NOON - length_s, finished_at=NOON
        )
    (estimate,) = await harness.statistics.estimates(await harness.statistics.figures(7, owner=LOCAL_OWNER))
    assert (estimate.model, estimate.length_s) == ("animatic/still", None)
    assert (estimate.typical.p50_s, estimate.typical.runs) == (20.0, 2)
