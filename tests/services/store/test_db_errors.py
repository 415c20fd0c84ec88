"""Database errors reach every caller as a sentence, and damage is found before anything is written."""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from services.core.errors import CannotStart, StoreFailed
from services.store.store import Store
from tests.support.library_harness import LibraryHarness

pytestmark = pytest.mark.asyncio


@pytest.fixture
def harness(library_harness: LibraryHarness) -> LibraryHarness:
    return library_harness


async def corrupt(harness: LibraryHarness, database: Path) -> None:
    """Overwrites half of the table's pages with noise."""
    for number in range(20):
        await harness.put(f"kite {number} " + "over the sea " * 600)
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        of = "SELECT pageno FROM dbstat WHERE name = 'generations' AND pagetype != 'internal' ORDER BY path"
        pages = [number for (number,) in connection.execute(of)]
    with database.open("r+b") as file:
        for number in pages[: len(pages) // 2]:
            file.seek((number - 1) * 4096)
            file.write(os.urandom(4096))


async def test_a_failed_read_raises_a_sentence(harness: LibraryHarness) -> None:
    with pytest.raises(StoreFailed, match="The database could not be read"):
        await harness.store.read(lambda connection: connection.exec_driver_sql("SELECT * FROM nowhere"))
    assert not harness.store.damaged


async def test_all_waiting_writes_fail_together_while_the_database_is_locked(
    harness: LibraryHarness, tmp_path: Path
) -> None:
    await harness.store.write(
        lambda connection: connection.exec_driver_sql("PRAGMA busy_timeout=300") and None
    )
    with closing(sqlite3.connect(tmp_path / "rushes.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        started = time.monotonic()
        failures = await asyncio.gather(*(harness.store.ping() for _ in range(40)), return_exceptions=True)
        took_s = time.monotonic() - started
    assert {str(one) for one in failures} == {
        "The database is in use by another program. Try again in a moment."
    }
    assert took_s < 2.0, "one wait for all that wait together, not one each"
    await harness.store.ping()


async def test_damage_raises_a_sentence_and_is_logged_once(
    harness: LibraryHarness, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await corrupt(harness, tmp_path / "rushes.db")
    other = Store(f"sqlite:///{tmp_path / 'rushes.db'}", process="other")
    other._prepared = True  # the damage came after its integrity check
    await other.open()
    with caplog.at_level(logging.ERROR):
        for _ in range(2):
            with pytest.raises(StoreFailed, match="could not be read"):
                await other.kept_files()
    await other.close()
    assert other.damaged
    assert caplog.text.count("The database file is damaged") == 1


async def test_a_damaged_file_is_refused_at_the_start_and_not_touched(
    harness: LibraryHarness, tmp_path: Path
) -> None:
    await corrupt(harness, tmp_path / "rushes.db")
    before = (tmp_path / "rushes.db").read_bytes()
    with pytest.raises(CannotStart, match=r"is damaged .*\.recover"):
        Store(f"sqlite:///{tmp_path / 'rushes.db'}", process="next").prepare()
    assert (tmp_path / "rushes.db").read_bytes() == before
