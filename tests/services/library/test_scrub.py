"""The weekly scrub names each rotted or missing file once, and changes none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from services.core.model import LOCAL_OWNER, Generation
from services.library import scrub
from services.library.scrub import INTERVAL_S, Scrub
from tests.support.library_harness import LibraryHarness

pytestmark = pytest.mark.asyncio


class Clock:
    def __init__(self) -> None:
        self.now = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now


def a_scrub(harness: LibraryHarness, clock: Clock) -> Scrub:
    return Scrub(
        harness.library_rows,
        harness.folder,
        on_lost=harness.lost.append,
        on_damaged=harness.damaged.append,
        now=clock,
        pause_factor=0.0,
    )


def file_of(harness: LibraryHarness, row: Generation) -> Path:
    assert row.kept is not None
    return harness.folder.path(row.kept.name)


async def test_one_flipped_bit_is_found_and_named(harness: LibraryHarness) -> None:
    whole, rotten = await harness.put("whole"), await harness.put("rotten")
    path = file_of(harness, rotten)
    content = bytearray(path.read_bytes())
    content[20] ^= 1
    path.write_bytes(content)
    ended = await harness.scrub.run_once()
    assert (ended.checked, ended.damaged, ended.missing) == (2, (rotten.id,), ())
    assert (harness.damaged, harness.lost) == ([rotten.id], [])
    assert path.read_bytes() == content and file_of(harness, whole).exists()


async def test_a_file_that_is_gone_is_named_as_lost_also_from_the_trash(harness: LibraryHarness) -> None:
    gone = await harness.put("gone", trashed_at=5.0)
    file_of(harness, gone).unlink()
    ended = await harness.scrub.run_once()
    assert (ended.missing, harness.lost, harness.damaged) == ((gone.id,), [gone.id], [])


async def test_a_file_that_cannot_be_read_is_damaged(harness: LibraryHarness) -> None:
    row = await harness.put()
    path = file_of(harness, row)
    path.unlink()
    path.mkdir()
    assert (await harness.scrub.run_once()).damaged == (row.id,)


async def test_the_next_round_begins_after_a_week_and_not_before(harness: LibraryHarness) -> None:
    clock = Clock()
    row = await harness.put()
    first = await a_scrub(harness, clock).run_once()
    file_of(harness, row).unlink()
    clock.now += INTERVAL_S - 1
    assert await a_scrub(harness, clock).run_once() == first
    clock.now += 1
    assert (await a_scrub(harness, clock).run_once()).missing == (row.id,)
    assert (await a_scrub(harness, clock).run_once(force=True)).checked == 1


async def test_a_round_that_was_cut_short_goes_on_where_it_was(
    harness: LibraryHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scrub, "BATCH_SIZE", 2)
    rows = [await harness.put(f"number {number}") for number in range(5)]
    file_of(harness, rows[0]).unlink()
    file_of(harness, rows[4]).unlink()
    looked: list[str] = []
    measure = scrub.measure

    def pulled(path: Path) -> Any:
        looked.append(path.name)
        if len(looked) == 4:
            raise RuntimeError("the plug")
        return measure(path)

    monkeypatch.setattr(scrub, "measure", pulled)
    with pytest.raises(RuntimeError):
        await harness.scrub.run_once()
    half = await harness.scrub.latest()
    assert half is not None and (half.checked, half.ended_at, half.missing) == (2, None, (rows[0].id,))
    ended = await a_scrub(harness, Clock()).run_once()
    assert (ended.checked, ended.missing) == (5, (rows[0].id, rows[4].id))
    assert harness.lost == [rows[0].id, rows[4].id]


async def test_what_is_removed_for_good_while_its_file_is_read_is_not_called_lost(
    harness: LibraryHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = await harness.put(trashed_at=5.0)
    kept_file = harness.library_rows.kept_file

    async def removed_meanwhile(generation_id: str) -> Any:
        await harness.library.trash.empty([row.id], owner=LOCAL_OWNER)
        return await kept_file(generation_id)

    file_of(harness, row).unlink()
    monkeypatch.setattr(harness.library_rows, "kept_file", removed_meanwhile)
    ended = await harness.scrub.run_once()
    assert (ended.missing, harness.lost) == ((), [])
