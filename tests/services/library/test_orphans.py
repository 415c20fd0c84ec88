"""Files that no row names: those that a crash left are removed, all others stay."""

from __future__ import annotations

import logging
import os
import time

import pytest

from services.core.model import LOCAL_OWNER, Phase
from services.library.orphans import Orphans
from services.library.storage import Storage
from tests.support.library_harness import LibraryHarness

pytestmark = pytest.mark.asyncio

ENDED = time.time()
BEGAN = ENDED - 3600
"""The run before: rows are leased by the true clock."""


def an_orphan_remover(harness: LibraryHarness, now: float) -> Orphans:
    storage = Storage(harness.store, harness.folder, on_lost=harness.lost.append)
    return Orphans(harness.library_rows, harness.store, storage, now=lambda: now)


async def a_crashed_run(harness: LibraryHarness) -> None:
    await an_orphan_remover(harness, BEGAN).open()
    await harness.put("open", phase=Phase.COLLECTING, updated_at=ENDED)


def orphan(harness: LibraryHarness, written_at: float) -> str:
    name = harness.file(os.urandom(8)).name
    os.utime(harness.folder.path(name), (written_at, written_at))
    return name


async def after_a_start(harness: LibraryHarness, now: float = ENDED + 60) -> set[str]:
    remover = an_orphan_remover(harness, now)
    await remover.open()
    await remover.remove(older_than=now)
    return set(await harness.folder.files())


async def test_what_the_last_life_left_between_rename_and_commit_goes(harness: LibraryHarness) -> None:
    await a_crashed_run(harness)
    orphan(harness, ENDED + 1)
    assert await after_a_start(harness) == set()


async def test_what_is_newer_than_a_database_from_a_backup_stays(
    harness: LibraryHarness, caplog: pytest.LogCaptureFixture
) -> None:
    await a_crashed_run(harness)
    newer = orphan(harness, ENDED + 3600)
    with caplog.at_level(logging.WARNING):
        assert await after_a_start(harness, ENDED + 7200) == {newer}
    assert "1 files in the media folder belong to no generation here, and stay" in caplog.text
    assert await after_a_start(harness, ENDED + 9000) == {newer}, "at the next start too"


async def test_beside_a_new_database_everything_stays(harness: LibraryHarness) -> None:
    old = {orphan(harness, BEGAN - 86_400 * (day + 1)) for day in range(3)}
    assert await after_a_start(harness) == old
    await harness.put("the first of the new one", phase=Phase.PROCESSING, updated_at=ENDED + 100)
    assert await after_a_start(harness, ENDED + 200) == old


async def test_a_life_that_was_not_tidied_after_is_remembered_until_it_is(harness: LibraryHarness) -> None:
    await a_crashed_run(harness)
    orphan(harness, ENDED + 1)
    await an_orphan_remover(harness, ENDED + 30).open()  # and dies at once
    assert await after_a_start(harness) == set()


async def test_what_was_removed_for_good_goes_however_old_it_is(harness: LibraryHarness) -> None:
    row = await harness.put("old", trashed_at=1.0)
    assert row.kept is not None
    os.utime(harness.folder.path(row.kept.name), (1.0, 1.0))
    await harness.library_rows.remove(owner="local")  # and the process dies
    assert await after_a_start(harness) == set()
    assert await harness.library_rows.unconfirmed_deletions() == []


async def test_what_went_whole_is_not_remembered(harness: LibraryHarness) -> None:
    row = await harness.put("old")
    await harness.library.trash.put([row.id], owner=LOCAL_OWNER)
    assert await harness.library.trash.empty(owner=LOCAL_OWNER) == 1
    assert await harness.library_rows.unconfirmed_deletions() == []
    assert await harness.folder.files() == {}
