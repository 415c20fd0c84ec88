"""The order of writes: low-priority ones let all others go first, and are done all the same."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import Connection

from services.store.engine import writing_engine
from services.store.writer import Writer

pytestmark = pytest.mark.asyncio


class WriterHarness:
    """Records each write, and `|` where a transaction ends."""

    def __init__(self, folder: Path) -> None:
        self.done: list[str] = []
        self._engine = writing_engine(f"sqlite:///{folder / 'writer.db'}")
        self.writer = Writer(self._engine, checkpoint=self._reached)
        self._free = threading.Event()

    def ask(
        self, name: str, *, low_priority: bool = False, act: Callable[[], object] = lambda: None
    ) -> asyncio.Task[None]:
        def work(_: Connection) -> None:
            act()
            self.done.append(name)

        return asyncio.create_task(self.writer.run(work, low_priority=low_priority))

    async def busy(self) -> asyncio.Task[None]:
        """Keeps the writer busy until `free` is called."""
        task = self.ask("first", act=lambda: self._free.wait(10))
        await asyncio.sleep(0.05)
        return task

    async def free(self, *asked: asyncio.Task[None]) -> str:
        """Returns what was done, in order."""
        await asyncio.sleep(0)
        self._free.set()
        await asyncio.gather(*asked, return_exceptions=True)
        return " ".join(self.done)

    def _reached(self, boundary: str) -> None:
        if boundary == "after_write":
            self.done.append("|")

    async def close(self) -> None:
        self._free.set()
        await self.writer.close()
        self._engine.dispose()


@pytest_asyncio.fixture
async def harness(tmp_path: Path) -> AsyncIterator[WriterHarness]:
    harness = WriterHarness(tmp_path)
    yield harness
    await harness.close()


async def test_a_low_priority_write_goes_behind_later_urgent_ones(harness: WriterHarness) -> None:
    first = await harness.busy()
    asked = [
        harness.ask("line", low_priority=True),
        harness.ask("line", low_priority=True),
        harness.ask("result"),
    ]
    assert await harness.free(first, *asked) == "first | result | line line |"


async def test_a_low_priority_batch_ends_early_for_an_urgent_write(harness: WriterHarness) -> None:
    loop, late = asyncio.get_running_loop(), []

    def interrupt() -> None:
        asked = threading.Event()
        loop.call_soon_threadsafe(lambda: (late.append(harness.ask("result")), loop.call_soon(asked.set)))
        asked.wait(10)

    first = await harness.busy()
    lines = [harness.ask("one", low_priority=True, act=interrupt)]
    lines += [harness.ask(name, low_priority=True) for name in ("two", "three")]
    await harness.free(first, *lines)
    await asyncio.gather(*late)
    assert " ".join(harness.done) == "first | one | result | two three |"


async def test_low_priority_writes_are_done_under_constant_load(harness: WriterHarness) -> None:
    loop = asyncio.get_running_loop()
    rest: list[asyncio.Task[None]] = []
    ended = asyncio.Event()

    def another(left: int) -> None:
        if left == 0:
            ended.set()
            return
        asked = threading.Event()

        def ask() -> None:
            rest.append(harness.ask("result", act=lambda: another(left - 1)))
            loop.call_soon(asked.set)

        loop.call_soon_threadsafe(ask)
        asked.wait(10)

    first = await harness.busy()
    lines = [harness.ask("line", low_priority=True) for _ in range(3)]
    chain = harness.ask("result", act=lambda: another(6))
    await harness.free(first, *lines, chain)
    assert " ".join(harness.done).startswith("first | result | line | result | line | result | line |")
    while len(rest) < 6 or not all(task.done() for task in rest):
        await asyncio.sleep(0.01)


async def test_a_failing_low_priority_write_fails_alone(harness: WriterHarness) -> None:
    first = await harness.busy()
    lines = [harness.ask("one", low_priority=True), harness.ask("bad", low_priority=True, act=lambda: 1 / 0)]
    lines.append(harness.ask("three", low_priority=True))
    await harness.free(first, *lines)
    assert [type(line.exception()) for line in lines] == [type(None), ZeroDivisionError, type(None)]
    assert harness.done[-4:] == ["one", "|", "three", "|"]


async def test_closing_completes_all_waiting_writes(harness: WriterHarness) -> None:
    first = await harness.busy()
    lines = [harness.ask("line", low_priority=True) for _ in range(3)]
    await asyncio.sleep(0)
    closing = asyncio.create_task(harness.writer.close())
    await asyncio.sleep(0)
    assert await harness.free(first, *lines, closing) == "first | line line line |"
