"""Updates of a page: phase changes at once, progress at most four times a second, nothing after it is closed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

import pytest
from nicegui import Client

from services.core.model import Kind, Phase, TraceEntry
from tests.ui.stand_in_services import AHEAD, StandInServices
from ui.session.page_context import PageContext
from ui.session.subscription import FLUSH_INTERVAL_S, PROGRESS_INTERVAL_S, subscribe
from ui.state import Change, TabState

pytestmark = [pytest.mark.asyncio, AHEAD]


class FakeClient:
    """The part of a NiceGUI client that `subscribe` needs."""

    is_deleted = False

    def __init__(self) -> None:
        self.entered = 0
        self.end: Callable[[], None] = lambda: None

    def on_delete(self, end: Callable[[], None]) -> None:
        self.end = end

    def __enter__(self) -> FakeClient:
        self.entered += 1
        return self

    def __exit__(self, *_: object) -> None:
        pass


class RecordingPage:
    def __init__(self, owner: str = "local") -> None:
        self.stand_in = StandInServices()
        self.state = TabState(kind=Kind.VIDEO)
        self.client = FakeClient()
        self.changes: list[Change] = []
        self.traced: list[TraceEntry] = []
        context = PageContext(
            generations=self.stand_in, owner=owner, client=cast(Client, self.client), state=self.state
        )
        subscribe(context, on_change=self.changes.append, on_trace=self.traced.extend)


async def test_a_phase_change_is_delivered_at_once() -> None:
    page = RecordingPage()
    row = page.stand_in.put()
    page.state.apply(row)
    page.stand_in.finish(row.id)
    assert [change.after.phase for change in page.changes] == [Phase.COMPLETED]
    assert page.client.entered == 1


async def test_progress_is_gathered_to_four_a_second() -> None:
    page = RecordingPage()
    row = page.stand_in.put()
    page.state.apply(row)
    clock = asyncio.get_running_loop()
    begun = clock.time()
    for step in range(100):
        page.stand_in.change(row.id, progress=step / 100)
        await asyncio.sleep(0.01)
    await asyncio.sleep(FLUSH_INTERVAL_S + 0.05)
    assert 3 <= len(page.changes) <= 1 + (clock.time() - begun) / FLUSH_INTERVAL_S
    assert page.changes[-1].after.progress == 0.99


async def test_a_phase_change_does_not_overtake_pending_updates() -> None:
    page = RecordingPage()
    row = page.stand_in.put()
    page.state.apply(row)
    page.stand_in.change(row.id, progress=0.1)
    page.stand_in.change(row.id, progress=0.9)
    page.stand_in.finish(row.id)
    revisions = [change.after.revision for change in page.changes]
    assert revisions == sorted(revisions)
    assert page.changes[-1].after.phase is Phase.COMPLETED
    await asyncio.sleep(FLUSH_INTERVAL_S * 1.5)
    assert page.changes[-1].after.phase is Phase.COMPLETED


async def test_generations_of_another_owner_are_not_delivered() -> None:
    page = RecordingPage(owner="ada")
    row = page.stand_in.put(owner="bob")
    page.stand_in.finish(row.id)
    await asyncio.sleep(FLUSH_INTERVAL_S * 1.5)
    assert page.changes == []
    assert page.state.known == {}


async def test_only_the_trace_of_the_stage_is_delivered() -> None:
    page = RecordingPage()
    mine, other = page.stand_in.put(), page.stand_in.put()
    page.state.apply(mine, stage=True)
    page.stand_in.publish_trace(mine.id, "push", "open")
    page.stand_in.publish_trace(other.id, "push", "open")
    await asyncio.sleep(FLUSH_INTERVAL_S * 1.5)
    assert [entry.generation_id for entry in page.traced] == [mine.id]


async def test_push_progress_is_delivered_in_batches_and_completely() -> None:
    page = RecordingPage()
    row = page.stand_in.put()
    page.state.apply(row, stage=True)
    handfuls = []
    for step in range(60):
        page.stand_in.publish_trace(row.id, "push", "event", heard="progress", progress=step / 60)
        if not handfuls or handfuls[-1] != len(page.traced):
            handfuls.append(len(page.traced))
        await asyncio.sleep(0.02)
    await asyncio.sleep(PROGRESS_INTERVAL_S + 0.1)
    assert len(handfuls) <= 4
    assert [entry.seq for entry in page.traced] == list(range(1, 61))


async def test_a_lost_stream_does_not_wait_for_the_progress_batch() -> None:
    page = RecordingPage()
    row = page.stand_in.put()
    page.state.apply(row, stage=True)
    page.stand_in.publish_trace(row.id, "push", "event", heard="progress", progress=0.1)
    await asyncio.sleep(0.01)
    page.stand_in.publish_trace(row.id, "push", "event", heard="progress", progress=0.2)
    page.stand_in.publish_trace(row.id, "push", "lost", reason="reset")
    await asyncio.sleep(FLUSH_INTERVAL_S + 0.1)
    assert [entry.event for entry in page.traced] == ["event", "event", "lost"]


async def test_nothing_is_delivered_after_the_page_is_closed() -> None:
    page = RecordingPage()
    row = page.stand_in.put()
    page.state.apply(row)
    page.stand_in.change(row.id, progress=0.5)
    page.client.end()
    page.stand_in.finish(row.id)
    await asyncio.sleep(FLUSH_INTERVAL_S * 1.5)
    assert page.changes == []
    assert page.stand_in.bus._events._listeners == {None: {}}
