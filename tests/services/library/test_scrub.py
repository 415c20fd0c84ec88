"""The weekly round over the kept files: what has rotted or is gone gets a name, once, and nothing is changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from services.core.model import Generation
from services.library import scrub
from services.library.scrub import EVERY_S, Rounds
from tests.support.library_harness import KeptHouse

pytestmark = pytest.mark.asyncio


class Clock:
    def __init__(self) -> None:
        self.now = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now


def going(house: KeptHouse, clock: Clock) -> Rounds:
    return Rounds(
        house.shelf,
        house.folder,
        lost=house.lost.append,
        damaged=house.damaged.append,
        now=clock,
        rests=0.0,
    )


def file_of(house: KeptHouse, row: Generation) -> Path:
    assert row.kept is not None
    return house.folder.path(row.kept.name)


async def test_one_flipped_bit_is_found_and_named(house: KeptHouse) -> None:
    whole, rotten = await house.put("whole"), await house.put("rotten")
    path = file_of(house, rotten)
    content = bytearray(path.read_bytes())
    content[20] ^= 1
    path.write_bytes(content)
    ended = await house.rounds.go_round()
    assert (ended.checked, ended.damaged, ended.missing) == (2, (rotten.id,), ())
    assert (house.damaged, house.lost) == ([rotten.id], [])
    assert path.read_bytes() == content and file_of(house, whole).exists()


async def test_a_file_that_is_gone_is_named_as_lost_also_from_the_trash(house: KeptHouse) -> None:
    gone = await house.put("gone", hidden_at=5.0)
    file_of(house, gone).unlink()
    ended = await house.rounds.go_round()
    assert (ended.missing, house.lost, house.damaged) == ((gone.id,), [gone.id], [])


async def test_a_file_that_cannot_be_read_is_damaged(house: KeptHouse) -> None:
    row = await house.put()
    path = file_of(house, row)
    path.unlink()
    path.mkdir()
    assert (await house.rounds.go_round()).damaged == (row.id,)


async def test_the_next_round_begins_after_a_week_and_not_before(house: KeptHouse) -> None:
    clock = Clock()
    row = await house.put()
    first = await going(house, clock).go_round()
    file_of(house, row).unlink()
    clock.now += EVERY_S - 1
    assert await going(house, clock).go_round() == first
    clock.now += 1
    assert (await going(house, clock).go_round()).missing == (row.id,)
    assert (await going(house, clock).go_round(at_once=True)).checked == 1


async def test_a_round_that_was_cut_short_goes_on_where_it_was(
    house: KeptHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scrub, "AT_ONCE", 2)
    rows = [await house.put(f"number {number}") for number in range(5)]
    file_of(house, rows[0]).unlink()
    file_of(house, rows[4]).unlink()
    looked: list[str] = []
    measure = scrub.measure

    def pulled(path: Path) -> Any:
        looked.append(path.name)
        if len(looked) == 4:
            raise RuntimeError("the plug")
        return measure(path)

    monkeypatch.setattr(scrub, "measure", pulled)
    with pytest.raises(RuntimeError):
        await house.rounds.go_round()
    half = await house.rounds.last()
    assert half is not None and (half.checked, half.ended_at, half.missing) == (2, None, (rows[0].id,))
    ended = await going(house, Clock()).go_round()
    assert (ended.checked, ended.missing) == (5, (rows[0].id, rows[4].id))
    assert house.lost == [rows[0].id, rows[4].id]


async def test_what_is_removed_for_good_while_its_file_is_read_is_not_called_lost(
    house: KeptHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = await house.put(hidden_at=5.0)
    kept_of = house.shelf.kept_of

    async def removed_meanwhile(generation_id: str) -> Any:
        await house.library.empty([row.id])
        return await kept_of(generation_id)

    file_of(house, row).unlink()
    monkeypatch.setattr(house.shelf, "kept_of", removed_meanwhile)
    ended = await house.rounds.go_round()
    assert (ended.missing, house.lost) == ((), [])
