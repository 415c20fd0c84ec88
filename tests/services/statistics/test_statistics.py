"""The promise in figures, from real rows and timelines: what a restart cannot change."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from services.core.model import LOCAL_OWNER, Channel, Phase, TraceEntry
from services.statistics import service
from services.statistics.figures import Lag, quantile, slot_starts
from tests.support.library_harness import LibraryHarness
from tests.support.statistics_parts import NOON, id_at, put, trace, won

DAY_S = 86_400.0


@pytest.mark.asyncio
async def test_wins_lateness_and_ends_are_counted_by_backend_and_day(harness: LibraryHarness) -> None:
    await put(harness, receipt=won(), kept=harness.file(b"a"))
    await put(harness, receipt=won(Channel.POLL, late_s=12.0), kept=harness.file(b"b"))
    await put(harness, NOON - DAY_S, receipt=won(), kept=harness.file(b"c"), trashed_at=NOON)
    await put(harness, phase=Phase.ERROR)
    await put(harness, phase=Phase.DROPPED)
    await put(harness, phase=Phase.PROCESSING, late_since=NOON)
    await put(harness, NOON - 8 * DAY_S, receipt=won(), kept=harness.file(b"d"))
    figures = await harness.statistics.figures(7, owner=LOCAL_OWNER)
    tally = figures.all
    assert (tally.total, tally.push, tally.poll, tally.failed, tally.stopped, tally.open) == (
        6,
        2,
        1,
        1,
        1,
        1,
    )
    assert tally.late == 2
    assert tally.late_share == pytest.approx(2 / 6)
    today, yesterday = figures.slots[-1], figures.slots[-2]
    assert datetime.fromtimestamp(today).hour == 0
    assert figures.by_both["animatic", today].kept == 2
    assert figures.by_both["animatic", yesterday].kept == 1
    assert figures.of("animatic")[0] == tally
    assert figures.of("no such")[0].total == 0
    assert figures.models == [("animatic", "animatic/still", None)]


@pytest.mark.asyncio
async def test_lags_are_quantiles_of_what_was_measured(harness: LibraryHarness) -> None:
    for number in range(100):
        await put(harness, receipt=won(lag_s=(number + 1) / 100), kept=harness.file(b"a"))
    lag = (await harness.statistics.figures(7, owner=LOCAL_OWNER)).all.lag
    assert lag is not None
    assert (lag.p50_s, lag.p95_s, lag.p99_s) == pytest.approx((0.5, 0.95, 0.99), abs=1e-4)


def test_a_quantile_of_one_is_that_one() -> None:
    assert [quantile([3.0], share) for share in (0.0, 0.5, 0.99, 1.0)] == [3.0] * 4
    assert quantile([1.0, 2.0], 0.5) == 1.0


@pytest.mark.asyncio
async def test_a_backend_whose_clock_runs_ahead_makes_no_negative_lag(harness: LibraryHarness) -> None:
    await put(harness, receipt=won(lag_s=-40.0), kept=harness.file(b"a"))
    assert (await harness.statistics.figures(1, owner=LOCAL_OWNER)).all.lag == Lag(
        p50_s=0.0, p95_s=0.0, p99_s=0.0
    )


@pytest.mark.asyncio
async def test_polls_and_breaks_come_from_the_timelines(harness: LibraryHarness) -> None:
    row = await put(harness, receipt=won(), kept=harness.file(b"a"))
    await trace(
        harness,
        row,
        ("push", "lost", {"reason": "silent"}),
        ("push", "lost", {"reason": "reset"}),
        ("push", "lost", {"reason": "silent"}),
        ("poll", "attempt", {"n": 1}),
        ("poll", "lost", {"reason": "timeout"}),
        ("poll", "check", {"because": "connected"}),
        ("poll", "check", {"because": "person"}),
        ("push", "event", {"heard": "progress"}),
    )
    tally = (await harness.statistics.figures(7, owner=LOCAL_OWNER)).all
    assert (tally.attempts, tally.checks) == (1, 2)
    assert list(tally.breaks.items()) == [("silent", 2), ("reset", 1)]


@pytest.mark.asyncio
async def test_figures_are_the_same_after_a_restart(harness: LibraryHarness, tmp_path: Path) -> None:
    row = await put(harness, receipt=won(), kept=harness.file(b"a"))
    await trace(harness, row, ("poll", "attempt", {"n": 1}))
    before = await harness.statistics.figures(30, owner=LOCAL_OWNER)
    await harness.store.close()
    again = LibraryHarness(tmp_path)
    again.statistics._now = lambda: NOON
    await again.store.open()
    assert await again.statistics.figures(30, owner=LOCAL_OWNER) == before
    await again.store.close()


@pytest.mark.asyncio
async def test_somebody_elses_are_not_counted(harness: LibraryHarness) -> None:
    row = await put(harness, owner="somebody", receipt=won(), kept=harness.file(b"a"))
    await trace(harness, row, ("poll", "attempt", {"n": 1}), ("push", "lost", {"reason": "reset"}))
    mine = await put(harness, NOON - 60, receipt=won(), kept=harness.file(b"b"))
    tally = (await harness.statistics.figures(7, owner=LOCAL_OWNER)).all
    assert (tally.total, tally.attempts, dict(tally.breaks)) == (1, 0, {})
    assert (await harness.statistics.open_generations(owner="somebody"))[1] == 0
    assert mine.owner == "local"


@pytest.mark.asyncio
async def test_what_is_above_the_bound_is_left_out_and_said(
    harness: LibraryHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MAX_COUNTED", 2)
    for number in range(3):
        await put(harness, NOON - number, receipt=won(), kept=harness.file(b"a"))
    figures = await harness.statistics.figures(7, owner=LOCAL_OWNER)
    assert (figures.all.total, figures.truncated) == (2, True)
    monkeypatch.setattr(service, "MAX_COUNTED", 3)
    assert not (await harness.statistics.figures(7, owner=LOCAL_OWNER)).truncated


def test_a_day_is_told_by_the_hour_and_none_is_left_out() -> None:
    hours = slot_starts(1, NOON)
    assert len(hours) == 24
    assert hours[-1] == NOON - 1800
    assert len(slot_starts(30, NOON)) == 30


@pytest.mark.asyncio
async def test_a_thousand_rows_are_counted_in_a_tenth_of_a_second(harness: LibraryHarness) -> None:
    model = await put(harness, NOON - 9 * DAY_S)
    rows = [
        replace(
            model, id=id_at(NOON - number), request_id=f"r{number}", created_at=NOON - number, receipt=won()
        )
        for number in range(1000)
    ]
    await harness.store.add(rows)
    lines = [
        TraceEntry(
            owner="local",
            generation_id=row.id,
            seq=number,
            at=NOON,
            lane=lane,
            event=event,
            data={"reason": "reset"},
        )
        for row in rows
        for number, (lane, event) in enumerate(
            [("push", "event")] * 40 + [("poll", "attempt")] * 3 + [("push", "lost"), ("poll", "check")]
        )
    ]
    await harness.store.append_log(lines, [])
    took = []
    for _ in range(5):
        began = time.process_time()  # of all threads, and whatever else the machine does
        figures = await harness.statistics.figures(7, owner=LOCAL_OWNER)
        took.append(time.process_time() - began)
    assert (figures.all.total, figures.all.attempts, figures.all.breaks) == (1000, 3000, {"reset": 1000})
    print(f"1,000 generations with 45 lines each: {min(took) * 1000:.0f} ms")
    assert min(took) < 0.1


@pytest.mark.asyncio
async def test_whole_timelines_are_not_read_for_the_figures(harness: LibraryHarness, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "rushes.db") as connection:
        plan = connection.execute(
            "EXPLAIN QUERY PLAN SELECT generation_id, event, count(*) FROM trace_entries "
            "WHERE event IN ('attempt', 'check', 'lost') AND generation_id >= '0' AND lane = 'poll' "
            "AND event != 'lost' GROUP BY generation_id, event"
        ).fetchall()
    connection.close()
    assert "COVERING INDEX ix_trace_entries_spent" in str(plan)
