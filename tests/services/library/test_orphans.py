"""Files that no row names: what a crash left goes, what another database once named stays."""

from __future__ import annotations

import logging
import os
import time

import pytest

from services.core.model import Phase
from services.library.orphans import Leftovers
from services.library.storage import Storage
from tests.support.library_harness import KeptHouse

pytestmark = pytest.mark.asyncio

ENDED = time.time()
BEGAN = ENDED - 3600
"""The life before: rows are leased by the true clock."""


def leftovers(house: KeptHouse, now: float) -> Leftovers:
    storage = Storage(house.store, house.folder, lost=house.lost.append)
    return Leftovers(house.shelf, house.store, storage, now=lambda: now)


async def lived(house: KeptHouse) -> None:
    await leftovers(house, BEGAN).open()
    await house.put("open", phase=Phase.COLLECTING, updated_at=ENDED)


def orphan(house: KeptHouse, written_at: float) -> str:
    name = house.file(os.urandom(8)).name
    os.utime(house.folder.path(name), (written_at, written_at))
    return name


async def after_a_start(house: KeptHouse, now: float = ENDED + 60) -> set[str]:
    begun = leftovers(house, now)
    await begun.open()
    await begun.tidy(older_than=now)
    return set(await house.folder.files())


async def test_what_the_last_life_left_between_rename_and_commit_goes(house: KeptHouse) -> None:
    await lived(house)
    orphan(house, ENDED + 1)
    assert await after_a_start(house) == set()


async def test_what_is_newer_than_a_database_from_a_backup_stays(
    house: KeptHouse, caplog: pytest.LogCaptureFixture
) -> None:
    await lived(house)
    newer = orphan(house, ENDED + 3600)
    with caplog.at_level(logging.WARNING):
        assert await after_a_start(house, ENDED + 7200) == {newer}
    assert "1 files in the media folder belong to no generation here, and stay" in caplog.text
    assert await after_a_start(house, ENDED + 9000) == {newer}, "at the next start too"


async def test_beside_a_new_database_everything_stays(house: KeptHouse) -> None:
    old = {orphan(house, BEGAN - 86_400 * (day + 1)) for day in range(3)}
    assert await after_a_start(house) == old
    await house.put("the first of the new one", phase=Phase.PROCESSING, updated_at=ENDED + 100)
    assert await after_a_start(house, ENDED + 200) == old


async def test_a_life_that_was_not_tidied_after_is_remembered_until_it_is(house: KeptHouse) -> None:
    await lived(house)
    orphan(house, ENDED + 1)
    await leftovers(house, ENDED + 30).open()  # and dies at once
    assert await after_a_start(house) == set()


async def test_what_was_removed_for_good_goes_however_old_it_is(house: KeptHouse) -> None:
    row = await house.put("old", hidden_at=1.0)
    assert row.kept is not None
    os.utime(house.folder.path(row.kept.name), (1.0, 1.0))
    await house.shelf.remove(owner="local")  # and the process dies
    assert await after_a_start(house) == set()
    assert await house.shelf.files_going() == []


async def test_what_went_whole_is_not_remembered(house: KeptHouse) -> None:
    row = await house.put("old")
    await house.library.trash([row.id])
    assert await house.library.empty() == 1
    assert await house.shelf.files_going() == []
    assert await house.folder.files() == {}
