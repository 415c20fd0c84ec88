"""What is told of a generation, when, and what never is."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest

from services.backends.scripted import Script
from services.core.events import News
from services.core.model import Generation, Phase
from tests.support.engine_harness import House, after, told

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


async def test_nothing_is_told_before_it_stands_in_the_database(house: House, tmp_path: Path) -> None:
    heard: list[tuple[Phase, int, int]] = []

    def hear(news: News) -> None:
        if isinstance(news, Generation):
            heard.append((news.phase, news.revision, revision_in(tmp_path / "rushes.db", news.id)))

    house.bus.subscribe(hear)
    await after(6, house, await house.start())
    assert all(stored >= revision for _, revision, stored in heard), heard
    assert {Phase.SUBMITTING, Phase.COMPLETED} <= {phase for phase, _, _ in heard}


async def test_a_listener_that_breaks_harms_neither_the_delivery_nor_the_others(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: News) -> None:
        raise ZeroDivisionError

    heard: list[News] = []
    house.bus.subscribe(broken)
    house.bus.subscribe(heard.append)
    generation = await house.start()
    assert (await after(6, house, generation)).phase is Phase.COMPLETED
    assert Phase.COMPLETED in [news.phase for news in heard if isinstance(news, Generation)]
    assert house.traced(generation, "engine", "bug") == []
    assert "the others go on" in caplog.text


async def test_no_link_of_the_backend_is_logged_told_or_traced(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    house.bytes._bytes_ok = lambda url: "expired" not in url
    urls = ("https://scripted.example/expired", "https://scripted.example/film?signature=7")
    told(house, Script(urls=urls))
    generation = await house.start()
    done = await after(30, house, generation)
    assert done.phase is Phase.COMPLETED
    assert house.traced(generation, "engine", "keep_failed")
    assert "scripted.example" not in f"{caplog.text} {house.news} {done}"


def revision_in(database: Path, generation_id: str) -> int:
    with contextlib.closing(sqlite3.connect(database)) as connection:
        query = "SELECT revision FROM generations WHERE id = ?"
        (revision,) = connection.execute(query, (generation_id,)).fetchone()
        return int(revision)
