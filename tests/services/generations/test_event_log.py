"""The journal: what was noted is there when it says so."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from services.core.events import Bus
from services.core.runtime import Runtime
from services.generations.event_log import EventLog
from tests.support.rows import a_generation

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


class SlowStore:
    def __init__(self) -> None:
        self.written: list[str] = []

    async def append_log(self, entries: Any, _: Any) -> list[Any]:
        await asyncio.sleep(1.0)
        self.written += [entry.event for entry in entries]
        return []


async def test_a_flush_returns_when_what_another_was_writing_is_written_too() -> None:
    store = SlowStore()
    event_log = EventLog(store, Bus(), Runtime())  # type: ignore[arg-type]
    event_log.note(a_generation(), "engine", "first")
    other = asyncio.create_task(event_log.flush())
    await asyncio.sleep(0.5)
    await event_log.flush()
    assert store.written == ["first"]
    await other
