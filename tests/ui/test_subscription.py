"""What a page hears: turns at once, progress at most four times a second, nothing after its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

import pytest
from nicegui import Client

from services.core.model import Kind, Phase, TraceEntry
from tests.ui.stand_in_services import AHEAD, Door
from ui.session.page_context import Visit
from ui.session.subscription import BEAT_S, CHATTER_S, follow
from ui.state import Change, TabState

pytestmark = [pytest.mark.asyncio, AHEAD]


class FakeClient:
    """As much of a NiceGUI client as `follow` needs."""

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


class Ears:
    def __init__(self, owner: str = "local") -> None:
        self.door = Door()
        self.state = TabState(kind=Kind.VIDEO)
        self.client = FakeClient()
        self.changes: list[Change] = []
        self.traced: list[TraceEntry] = []
        visit = Visit(generations=self.door, owner=owner, client=cast(Client, self.client), state=self.state)
        follow(visit, on_change=self.changes.append, on_trace=self.traced.extend)


async def test_a_turn_is_heard_at_once() -> None:
    ears = Ears()
    row = ears.door.put()
    ears.state.take(row)
    ears.door.finish(row.id)
    assert [change.after.phase for change in ears.changes] == [Phase.COMPLETED]
    assert ears.client.entered == 1


async def test_progress_is_gathered_to_four_a_second() -> None:
    ears = Ears()
    row = ears.door.put()
    ears.state.take(row)
    clock = asyncio.get_running_loop()
    begun = clock.time()
    for step in range(100):
        ears.door.change(row.id, progress=step / 100)
        await asyncio.sleep(0.01)
    await asyncio.sleep(BEAT_S + 0.05)
    assert 3 <= len(ears.changes) <= 1 + (clock.time() - begun) / BEAT_S
    assert ears.changes[-1].after.progress == 0.99


async def test_a_turn_does_not_overtake_what_was_waiting() -> None:
    ears = Ears()
    row = ears.door.put()
    ears.state.take(row)
    ears.door.change(row.id, progress=0.1)
    ears.door.change(row.id, progress=0.9)
    ears.door.finish(row.id)
    revisions = [change.after.revision for change in ears.changes]
    assert revisions == sorted(revisions)
    assert ears.changes[-1].after.phase is Phase.COMPLETED
    await asyncio.sleep(BEAT_S * 1.5)
    assert ears.changes[-1].after.phase is Phase.COMPLETED


async def test_somebody_elses_are_not_heard() -> None:
    ears = Ears(owner="ada")
    row = ears.door.put(owner="bob")
    ears.door.finish(row.id)
    await asyncio.sleep(BEAT_S * 1.5)
    assert ears.changes == []
    assert ears.state.known == {}


async def test_only_the_stages_own_trace_is_heard() -> None:
    ears = Ears()
    mine, other = ears.door.put(), ears.door.put()
    ears.state.take(mine, stage=True)
    ears.door.hear(mine.id, "push", "open")
    ears.door.hear(other.id, "push", "open")
    await asyncio.sleep(BEAT_S * 1.5)
    assert [entry.generation_id for entry in ears.traced] == [mine.id]


async def test_push_progress_comes_in_handfuls_and_all_of_it_comes() -> None:
    ears = Ears()
    row = ears.door.put()
    ears.state.take(row, stage=True)
    handfuls = []
    for step in range(60):
        ears.door.hear(row.id, "push", "event", heard="progress", progress=step / 60)
        if not handfuls or handfuls[-1] != len(ears.traced):
            handfuls.append(len(ears.traced))
        await asyncio.sleep(0.02)
    await asyncio.sleep(CHATTER_S + 0.1)
    assert len(handfuls) <= 4
    assert [entry.seq for entry in ears.traced] == list(range(1, 61))


async def test_a_lost_stream_does_not_wait_with_the_chatter() -> None:
    ears = Ears()
    row = ears.door.put()
    ears.state.take(row, stage=True)
    ears.door.hear(row.id, "push", "event", heard="progress", progress=0.1)
    await asyncio.sleep(0.01)
    ears.door.hear(row.id, "push", "event", heard="progress", progress=0.2)
    ears.door.hear(row.id, "push", "lost", reason="reset")
    await asyncio.sleep(BEAT_S + 0.1)
    assert [entry.event for entry in ears.traced] == ["event", "event", "lost"]


async def test_nothing_is_heard_after_the_page_is_gone() -> None:
    ears = Ears()
    row = ears.door.put()
    ears.state.take(row)
    ears.door.change(row.id, progress=0.5)
    ears.client.end()
    ears.door.finish(row.id)
    await asyncio.sleep(BEAT_S * 1.5)
    assert ears.changes == []
    assert ears.door.bus._everyone == {}
