"""What is told of a generation, when, and what never is."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest

from services.backends.scripted import Script
from services.core.events import GenerationEvent
from services.core.model import Generation, Phase
from tests.support.engine_harness import EngineHarness, after, set_script

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


async def test_nothing_is_told_before_it_stands_in_the_database(
    harness: EngineHarness, tmp_path: Path
) -> None:
    heard: list[tuple[Phase, int, int]] = []

    def hear(news: GenerationEvent) -> None:
        if isinstance(news, Generation):
            heard.append((news.phase, news.revision, revision_in(tmp_path / "rushes.db", news.id)))

    harness.bus.subscribe(hear)
    await after(6, harness, await harness.start())
    assert all(stored >= revision for _, revision, stored in heard), heard
    assert {Phase.SUBMITTING, Phase.COMPLETED} <= {phase for phase, _, _ in heard}


async def test_a_listener_that_breaks_harms_neither_the_delivery_nor_the_others(
    harness: EngineHarness, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: GenerationEvent) -> None:
        raise ZeroDivisionError

    heard: list[GenerationEvent] = []
    harness.bus.subscribe(broken)
    harness.bus.subscribe(heard.append)
    generation = await harness.start()
    assert (await after(6, harness, generation)).phase is Phase.COMPLETED
    assert Phase.COMPLETED in [news.phase for news in heard if isinstance(news, Generation)]
    assert harness.trace_entries(generation, "engine", "bug") == []
    assert "the others go on" in caplog.text


async def test_no_link_of_the_backend_is_logged_told_or_traced(
    harness: EngineHarness, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    harness.ingest.bytes_ok = lambda url: "expired" not in url
    urls = ("https://scripted.example/expired", "https://scripted.example/film?signature=7")
    set_script(harness, Script(urls=urls))
    generation = await harness.start()
    done = await after(30, harness, generation)
    assert done.phase is Phase.COMPLETED
    assert harness.trace_entries(generation, "engine", "keep_failed")
    assert "scripted.example" not in f"{caplog.text} {harness.events} {done}"


def revision_in(database: Path, generation_id: str) -> int:
    with contextlib.closing(sqlite3.connect(database)) as connection:
        query = "SELECT revision FROM generations WHERE id = ?"
        (revision,) = connection.execute(query, (generation_id,)).fetchone()
        return int(revision)
