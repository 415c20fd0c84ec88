"""Rules by days and by size."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from services.core.errors import InvalidRequest
from services.core.model import LOCAL_OWNER, Kept
from services.library.retention import Retention, Rule
from services.store.listing import first_id_at
from tests.support.library_harness import LibraryHarness, ids

pytestmark = pytest.mark.asyncio


async def test_by_days_the_old_go_into_the_trash_and_later_out_of_it(harness: LibraryHarness) -> None:
    now = time.time()
    tail = "-7000-8000-000000000001"
    old = await harness.put("old", id=first_id_at(now - 40 * 86_400) + tail)
    starred = await harness.put("starred", id=first_id_at(now - 50 * 86_400) + tail, starred_at=1.0)
    young = await harness.put("young")
    assert await harness.library.retention.set_rule(Rule(keep="days", days=30), owner=LOCAL_OWNER) == 1
    assert (await ids(harness), await ids(harness, trashed=True)) == ([young.id, starred.id], [old.id])
    assert await harness.library.retention.apply(owner="local") == 0
    await harness.library.trash.put([starred.id], owner=LOCAL_OWNER)
    later = Retention(harness.library_rows, harness.library.trash, now=lambda: now + 8 * 86_400)
    assert await later.apply(owner="local") == 1
    assert await ids(harness, trashed=True) == [starred.id]


async def test_by_size_the_trash_goes_first_then_the_oldest_and_never_a_star(harness: LibraryHarness) -> None:
    size = 40_000_000
    rows = [await harness.put(str(number), kept=sized(harness, size)) for number in range(5)]
    await harness.library.star([rows[0].id], on=True, owner=LOCAL_OWNER)
    await harness.library.trash.put([rows[4].id], owner=LOCAL_OWNER)
    assert await harness.library.retention.set_rule(Rule(keep="size", gb=0.1), owner=LOCAL_OWNER) == 3
    assert await ids(harness) == [rows[3].id, rows[0].id]
    assert await harness.library.retention.size_bytes(owner=LOCAL_OWNER) == 2 * size
    assert len(await harness.folder.files()) == 2


async def test_a_rule_that_cannot_be_met_ends(harness: LibraryHarness) -> None:
    row = await harness.put(kept=sized(harness, 400_000_000), starred_at=1.0)
    assert await harness.library.retention.set_rule(Rule(keep="size", gb=0.1), owner=LOCAL_OWNER) == 0
    assert await ids(harness) == [row.id]


@pytest.mark.parametrize(
    "stored", [None, 7, "x", {}, {"keep": "nothing"}, {"keep": "days", "days": -1}, {"a": 1}]
)
async def test_a_rule_that_cannot_be_read_keeps_everything(harness: LibraryHarness, stored: object) -> None:
    await harness.library_rows.set_preference("retention", stored, owner="local")
    assert await harness.library.retention.rule(owner=LOCAL_OWNER) == Rule()


async def test_rules_have_bounds(harness: LibraryHarness) -> None:
    for rule in (Rule(keep="days", days=0), Rule(keep="size", gb=0.0), Rule(keep="size", gb=float("nan"))):
        with pytest.raises(InvalidRequest):
            await harness.library.retention.set_rule(rule, owner=LOCAL_OWNER)


def sized(harness: LibraryHarness, size_bytes: int) -> Kept:
    return replace(harness.file(b"x"), size_bytes=size_bytes)
