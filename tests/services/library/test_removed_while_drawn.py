"""A poster that is drawn for what was removed meanwhile is not left behind."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from services.core.errors import StoreFailed
from services.core.model import LOCAL_OWNER, Kept
from tests.support.engine_harness import FakeIngest
from tests.support.library_harness import LibraryHarness


class SlowPictures(FakeIngest):
    def __init__(self) -> None:
        super().__init__(lambda _: True)
        self.go_on = asyncio.Event()
        self.discarded: list[str] = []

    async def illustrate(self, kept: Kept) -> tuple[str | None, str | None]:
        await self.go_on.wait()
        return "poster", None

    async def discard(self, *names: str) -> None:
        self.discarded += names


@pytest.mark.asyncio
async def test_pictures_of_what_was_removed_while_they_were_drawn_go_too(tmp_path: Path) -> None:
    harness, pictures = LibraryHarness(tmp_path), SlowPictures()
    await harness.store.open()
    delivery = harness.delivery(pictures)
    row = await harness.put()
    delivery.illustrate(row)
    await harness.library.trash.put([row.id], owner=LOCAL_OWNER)
    await harness.library.trash.empty(owner=LOCAL_OWNER)
    pictures.go_on.set()
    async with asyncio.timeout(2):
        while not pictures.discarded:
            await asyncio.sleep(0.01)
    assert pictures.discarded == ["poster"]
    await delivery.close()
    await harness.store.close()


@pytest.mark.asyncio
@pytest.mark.parametrize("committed", [False, True])
async def test_pictures_that_nobody_could_note_go_unless_the_row_names_them(
    tmp_path: Path, committed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness, pictures = LibraryHarness(tmp_path), SlowPictures()
    await harness.store.open()
    delivery = harness.delivery(pictures)
    row, note, tried = await harness.put(), harness.store.update, asyncio.Event()

    async def breaks(generation_id: str, **changes: object) -> None:
        if committed:
            await note(generation_id, **changes)
        tried.set()
        raise StoreFailed("The disk is gone.")

    monkeypatch.setattr(harness.store, "update", breaks)
    delivery.illustrate(row)
    pictures.go_on.set()
    async with asyncio.timeout(2):
        await tried.wait()
        while delivery._tasks:
            await asyncio.sleep(0.01)
    assert pictures.discarded == ([] if committed else ["poster"])
    await delivery.close()
    await harness.store.close()
