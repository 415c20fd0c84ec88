"""What is open, by channel."""

from __future__ import annotations

import pytest

from services.core.model import LOCAL_OWNER, Phase, TraceEntry
from services.statistics.channel_status import ChannelState, ChannelStatus
from tests.support.library_harness import LibraryHarness
from tests.support.statistics_parts import NOON, put, trace


@pytest.mark.asyncio
async def test_an_open_generation_tells_both_channels(harness: LibraryHarness) -> None:
    row = await put(harness, phase=Phase.PROCESSING)
    await put(harness, phase=Phase.ERROR)
    await trace(
        harness,
        row,
        ("push", "opening"),
        ("push", "open"),
        *[("push", "event", {"heard": "progress"})] * 30,
        ("push", "lost", {"reason": "silent", "retry_in_s": 1.0}),
        ("poll", "attempt", {"n": 1}),
        ("poll", "answer", {"heard": "running"}),
        ("poll", "due", {"at": NOON + 99.0}),
    )
    ((generation, status),), total = await harness.statistics.open_generations(owner=LOCAL_OWNER)
    assert (generation.id, total) == (row.id, 1)
    assert (status.push, status.push_reason, status.breaks) == (ChannelState.LOST, "silent", 1)
    assert (status.poll, status.attempts, status.checks) == (ChannelState.HEALTHY, 1, 0)
    assert status.due_at == NOON + 99.0


@pytest.mark.asyncio
async def test_a_stream_that_only_talks_is_connected_however_much_it_said(harness: LibraryHarness) -> None:
    row = await put(harness, phase=Phase.PROCESSING)
    await trace(
        harness, row, ("push", "lost", {"reason": "reset"}), *[("push", "event", {"heard": "progress"})] * 60
    )
    (((_, status),), _) = await harness.statistics.open_generations(owner=LOCAL_OWNER)
    assert (status.push, status.breaks) == (ChannelState.HEALTHY, 1)


def test_a_restart_makes_the_old_stream_no_stream() -> None:
    status = ChannelStatus()
    for seq, (lane, event) in enumerate([("push", "open"), ("engine", "resumed")]):
        status = status.after(entry(seq, lane, event))
    assert status.push is ChannelState.NONE


def test_an_entry_that_is_known_changes_nothing() -> None:
    known = ChannelStatus().after(entry(5, "poll", "attempt"))
    assert known.after(entry(5, "poll", "attempt")) == known
    assert known.after(entry(4, "push", "lost")) == known


def entry(seq: int, lane: str, event: str) -> TraceEntry:
    return TraceEntry(owner="local", generation_id="g", seq=seq, at=NOON, lane=lane, event=event)
