"""What a page hears: turns at once, progress at most four times a second, nothing after its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

import pytest
from nicegui import Client

from services.core.model import Kind, Phase, TraceEntry
from tests.ui.stand_in_services import AHEAD, StandInServices
from ui.session.page_context import PageContext
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


class StreamListener:
    def __init__(self, owner: str = "local") -> None:
        self.stand_in = StandInServices()
        self.state = TabState(kind=Kind.VIDEO)
        self.client = FakeClient()
        self.changes: list[Change] = []
        self.traced: list[TraceEntry] = []
        context = PageContext(
            generations=self.stand_in, owner=owner, client=cast(Client, self.client), state=self.state
        )
        follow(context, on_change=self.changes.append, on_trace=self.traced.extend)


async def test_a_turn_is_heard_at_once() -> None:
    listener = StreamListener()
    row = listener.stand_in.put()
    listener.state.take(row)
    listener.stand_in.finish(row.id)
    assert [change.after.phase for change in listener.changes] == [Phase.COMPLETED]
    assert listener.client.entered == 1


async def test_progress_is_gathered_to_four_a_second() -> None:
    listener = StreamListener()
    row = listener.stand_in.put()
    listener.state.take(row)
    clock = asyncio.get_running_loop()
    begun = clock.time()
    for step in range(100):
        listener.stand_in.change(row.id, progress=step / 100)
        await asyncio.sleep(0.01)
    await asyncio.sleep(BEAT_S + 0.05)
    assert 3 <= len(listener.changes) <= 1 + (clock.time() - begun) / BEAT_S
    assert listener.changes[-1].after.progress == 0.99


async def test_a_turn_does_not_overtake_what_was_waiting() -> None:
    listener = StreamListener()
    row = listener.stand_in.put()
    listener.state.take(row)
    listener.stand_in.change(row.id, progress=0.1)
    listener.stand_in.change(row.id, progress=0.9)
    listener.stand_in.finish(row.id)
    revisions = [change.after.revision for change in listener.changes]
    assert revisions == sorted(revisions)
    assert listener.changes[-1].after.phase is Phase.COMPLETED
    await asyncio.sleep(BEAT_S * 1.5)
    assert listener.changes[-1].after.phase is Phase.COMPLETED


async def test_somebody_elses_are_not_heard() -> None:
    listener = StreamListener(owner="ada")
    row = listener.stand_in.put(owner="bob")
    listener.stand_in.finish(row.id)
    await asyncio.sleep(BEAT_S * 1.5)
    assert listener.changes == []
    assert listener.state.known == {}


async def test_only_the_stages_own_trace_is_heard() -> None:
    listener = StreamListener()
    mine, other = listener.stand_in.put(), listener.stand_in.put()
    listener.state.take(mine, stage=True)
    listener.stand_in.hear(mine.id, "push", "open")
    listener.stand_in.hear(other.id, "push", "open")
    await asyncio.sleep(BEAT_S * 1.5)
    assert [entry.generation_id for entry in listener.traced] == [mine.id]


async def test_push_progress_comes_in_handfuls_and_all_of_it_comes() -> None:
    listener = StreamListener()
    row = listener.stand_in.put()
    listener.state.take(row, stage=True)
    handfuls = []
    for step in range(60):
        listener.stand_in.hear(row.id, "push", "event", heard="progress", progress=step / 60)
        if not handfuls or handfuls[-1] != len(listener.traced):
            handfuls.append(len(listener.traced))
        await asyncio.sleep(0.02)
    await asyncio.sleep(CHATTER_S + 0.1)
    assert len(handfuls) <= 4
    assert [entry.seq for entry in listener.traced] == list(range(1, 61))


async def test_a_lost_stream_does_not_wait_with_the_chatter() -> None:
    listener = StreamListener()
    row = listener.stand_in.put()
    listener.state.take(row, stage=True)
    listener.stand_in.hear(row.id, "push", "event", heard="progress", progress=0.1)
    await asyncio.sleep(0.01)
    listener.stand_in.hear(row.id, "push", "event", heard="progress", progress=0.2)
    listener.stand_in.hear(row.id, "push", "lost", reason="reset")
    await asyncio.sleep(BEAT_S + 0.1)
    assert [entry.event for entry in listener.traced] == ["event", "event", "lost"]


async def test_nothing_is_heard_after_the_page_is_gone() -> None:
    listener = StreamListener()
    row = listener.stand_in.put()
    listener.state.take(row)
    listener.stand_in.change(row.id, progress=0.5)
    listener.client.end()
    listener.stand_in.finish(row.id)
    await asyncio.sleep(BEAT_S * 1.5)
    assert listener.changes == []
    assert listener.stand_in.bus._everyone == {}
