"""Stars, tags, the trash, what is removed for good, storage and rules; with real rows and files."""

from __future__ import annotations

import os
import time

import pytest
from sqlalchemy import text

from services.core.errors import InvalidRequest, NotFound
from services.core.model import Kept, Kind, Phase, TraceEntry, Wanted, replace
from services.library.retention import Rule, apply
from services.store.listing import first_id_at
from tests.support.library_harness import RECEIPT, KeptHouse

pytestmark = pytest.mark.asyncio


async def ids(house: KeptHouse, **wanted: object) -> list[str]:
    return [row.id for row in (await house.library.page(Wanted(**wanted))).items]


async def test_a_star_is_told_once_and_leaves_the_watcher_its_row(house: KeptHouse) -> None:
    row = await house.put(phase=Phase.PROCESSING, epoch=3)
    assert await house.library.star([row.id, "unknown"], on=True) == 1
    assert await house.library.star([row.id], on=True) == 0
    (told,) = house.heard
    assert (told.id, told.revision, told.epoch) == (row.id, 1, 3)
    assert await ids(house, starred=True) == [row.id]
    assert await house.library.star([row.id], on=False) == 1
    assert await ids(house, starred=True) == []


async def test_tags_are_found_listed_and_taken_away(house: KeptHouse) -> None:
    first, second = await house.put("one"), await house.put("two")
    await house.library.tag([first.id, second.id], "  night   shoot ", on=True)
    await house.library.tag([first.id], "an idea", on=True)
    assert await ids(house, tag="night shoot") == [second.id, first.id]
    assert (await house.generations.get(first.id)).tags == ("an idea", "night shoot")
    assert await house.library.tags() == ["an idea", "night shoot"]
    await house.library.tag([first.id, second.id], "night shoot", on=False)
    assert await house.library.tags() == ["an idea"]
    for name in ("", " ", "x" * 41, "a\nb\x07"):
        with pytest.raises(InvalidRequest):
            await house.library.tag([first.id], name, on=True)


async def test_the_trash_gives_back_what_was_put_into_it(house: KeptHouse) -> None:
    row = await house.put()
    assert await house.library.trash([row.id]) == [row.id]
    assert (await ids(house), await ids(house, trashed=True)) == ([], [row.id])
    with pytest.raises(NotFound):
        await house.generations.get(row.id)
    assert await house.library.restore([row.id]) == [row.id]
    assert (await ids(house), await ids(house, trashed=True)) == ([row.id], [])
    assert [news.hidden_at is None for news in house.heard] == [False, True]


async def test_an_open_one_is_stopped_on_its_way_into_the_trash(house: KeptHouse) -> None:
    row = await house.put(phase=Phase.PROCESSING)
    assert await house.library.trash([row.id, "unknown"]) == [row.id]
    assert (await house.store.get(row.id)).phase is Phase.DROPPED


async def test_emptying_removes_rows_and_files_and_nothing_else(house: KeptHouse) -> None:
    stays, goes = await house.put("stays"), await house.put("goes", poster=None)
    await house.library.trash([goes.id])
    assert await house.library.empty() == 1
    with pytest.raises(NotFound):
        await house.store.get(goes.id)
    assert stays.kept is not None
    assert set(await house.folder.files()) == {stays.kept.name}
    assert await house.library.empty() == 0
    assert [(total.items, total.trashed) for total in await house.library.totals()] == [(1, False), (0, True)]


async def test_an_open_one_in_the_trash_is_never_removed_and_may_still_arrive(house: KeptHouse) -> None:
    row = await house.put(phase=Phase.PROCESSING, hidden_at=1.0)
    assert await house.library.empty() == 0
    done = await house.store.complete(row.id, epoch=0, kept=house.file(b"late"), receipt=RECEIPT)
    assert done is not None
    assert await ids(house, trashed=True) == [row.id]
    assert await house.library.restore([row.id]) == [row.id]


async def test_what_comes_late_for_a_removed_row_harms_nobody(house: KeptHouse) -> None:
    gone, other = await house.put(phase=Phase.DROPPED, hidden_at=1.0, job_id="job"), await house.put()
    await house.library.empty()
    assert await house.store.complete(gone.id, epoch=0, kept=house.file(b"late"), receipt=RECEIPT) is None
    assert await house.store.note(gone.id, poster="x") is None
    lines = [
        TraceEntry(generation_id=each, seq=1, at=1.0, lane="push", event="open")
        for each in (gone.id, other.id)
    ]
    await house.store.journal(lines, [(gone.id, 0, 0.5, "")])
    assert len(await house.store.trace(other.id)) == 1


async def test_a_shared_source_goes_with_the_last_that_names_it(house: KeptHouse) -> None:
    source = house.file(b"source").name
    first, second = await house.put("one", source=source), await house.put("two", source=source)
    await house.library.trash([first.id])
    await house.library.empty()
    assert source in await house.folder.files()
    await house.library.trash([second.id])
    await house.library.empty()
    assert await house.folder.files() == {}


async def test_a_key_whose_rows_are_removed_is_free_again(house: KeptHouse) -> None:
    row = await house.put(hidden_at=1.0)
    keyed = replace(row, id=first_id_at(1.0) + "-7000-8000-000000000001", request_id="keyed", job_id="j")
    await house.store.add([keyed], key="k", fingerprint="f")
    assert await house.store.known("local", "k", "f") == [keyed]
    await house.library.empty([keyed.id])
    assert await house.store.known("local", "k", "other") == []
    again = replace(keyed, id=first_id_at(2.0) + "-7000-8000-000000000001")
    assert await house.store.add([again], key="k", fingerprint="other") == [again]


async def test_sums_follow_every_change(house: KeptHouse) -> None:
    await house.put(content=b"x" * 100)
    second = await house.put(content=b"x" * 10)
    await house.put(phase=Phase.ERROR)
    await house.library.trash([second.id])
    totals = {
        (total.kind, total.trashed): (total.items, total.size_bytes) for total in await house.library.totals()
    }
    assert totals == {(Kind.IMAGE, False): (1, 100), (Kind.IMAGE, True): (1, 10)}
    assert await house.library.size_bytes() == 110


async def test_models_are_listed_without_counting(house: KeptHouse) -> None:
    for model in ("b", "a", "b", "c"):
        await house.put(model=model)
    assert await house.library.models() == [("animatic", name) for name in "abc"]


async def test_too_many_at_once_are_refused(house: KeptHouse) -> None:
    with pytest.raises(InvalidRequest):
        await house.library.trash([str(number) for number in range(5001)])


async def test_a_check_finds_what_is_missing_and_what_is_nobodys(house: KeptHouse) -> None:
    missing, there = await house.put("missing"), await house.put("there")
    assert missing.kept is not None
    house.folder.path(missing.kept.name).unlink()
    orphan, young = house.file(b"orphan"), house.file(b"young")
    os.utime(house.folder.path(orphan.name), (1.0, 1.0))
    findings = await house.library.check_storage()
    assert (findings.missing, findings.orphans, findings.orphan_bytes) == ([missing.id], [orphan.name], 6)
    assert house.lost == [missing.id]
    assert orphan.name in await house.folder.files()
    await house.library.remove_orphans()
    assert there.kept is not None
    assert set(await house.folder.files()) == {young.name, there.kept.name}


async def test_a_source_that_waits_in_a_composer_is_nobody_s_only_after_a_week(house: KeptHouse) -> None:
    name = house.folder.new_name("source.png")
    path = house.folder.path(name)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"source")
    for age_days, orphans in ((6, []), (9, [name])):
        written_at = time.time() - age_days * 86_400
        os.utime(path, (written_at, written_at))
        assert (await house.library.check_storage()).orphans == orphans


async def test_by_days_the_old_go_into_the_trash_and_later_out_of_it(house: KeptHouse) -> None:
    now = time.time()
    tail = "-7000-8000-000000000001"
    old = await house.put("old", id=first_id_at(now - 40 * 86_400) + tail)
    starred = await house.put("starred", id=first_id_at(now - 50 * 86_400) + tail, starred_at=1.0)
    young = await house.put("young")
    assert await house.library.set_rule(Rule(keep="days", days=30)) == 1
    assert (await ids(house), await ids(house, trashed=True)) == ([young.id, starred.id], [old.id])
    assert await apply(house.library, owner="local") == 0
    await house.library.trash([starred.id])
    assert await apply(house.library, owner="local", now=lambda: now + 8 * 86_400) == 1
    assert await ids(house, trashed=True) == [starred.id]


async def test_by_size_the_trash_goes_first_then_the_oldest_and_never_a_star(house: KeptHouse) -> None:
    size = 40_000_000
    rows = [await house.put(str(number), kept=sized(house, size)) for number in range(5)]
    await house.library.star([rows[0].id], on=True)
    await house.library.trash([rows[4].id])
    assert await house.library.set_rule(Rule(keep="size", gb=0.1)) == 3
    assert await ids(house) == [rows[3].id, rows[0].id]
    assert await house.library.size_bytes() == 2 * size
    assert len(await house.folder.files()) == 2


async def test_a_rule_that_cannot_be_met_ends(house: KeptHouse) -> None:
    row = await house.put(kept=sized(house, 400_000_000), starred_at=1.0)
    assert await house.library.set_rule(Rule(keep="size", gb=0.1)) == 0
    assert await ids(house) == [row.id]


@pytest.mark.parametrize(
    "stored", [None, 7, "x", {}, {"keep": "nothing"}, {"keep": "days", "days": -1}, {"a": 1}]
)
async def test_a_rule_that_cannot_be_read_keeps_everything(house: KeptHouse, stored: object) -> None:
    await house.shelf.prefer("retention", stored, owner="local")
    assert await house.library.rule() == Rule()


async def test_rules_have_bounds(house: KeptHouse) -> None:
    for rule in (Rule(keep="days", days=0), Rule(keep="size", gb=0.0), Rule(keep="size", gb=float("nan"))):
        with pytest.raises(InvalidRequest):
            await house.library.set_rule(rule)


async def test_pages_of_a_list_never_overlap_while_it_changes(house: KeptHouse) -> None:
    rows = [await house.put(str(number)) for number in range(7)]
    first = await house.library.page(Wanted(), limit=3)
    await house.put("newer")
    await house.library.trash([rows[4].id])
    second = await house.library.page(Wanted(), cursor=first.next, limit=3)
    assert [row.request.prompt for row in first.items + second.items] == ["6", "5", "4", "3", "2", "1"]
    with pytest.raises(InvalidRequest):
        await house.library.page(Wanted(), cursor="nonsense")


async def test_each_list_walks_one_index(house: KeptHouse) -> None:
    """Neither a sort nor a walk over the whole table: what a million rows would make slow."""
    from services.store.listing import page_of

    for wanted in (
        Wanted(), Wanted(kind=Kind.VIDEO), Wanted(starred=True), Wanted(trashed=True), Wanted(tag="a"),
        Wanted(words="kite"), Wanted(words="kite", tag="a"), Wanted(backend="b", model="m"),
        Wanted(phases=frozenset({Phase.ERROR})), Wanted(since=1.0, until=2.0),
    ):  # fmt: skip
        query, values = page_of(wanted, owner="local", before="f", limit=10)
        plan = await house.store.read(
            lambda connection, query=query, values=values: [
                row.detail for row in connection.execute(text(f"EXPLAIN QUERY PLAN {query}"), values)
            ]
        )
        assert not any("TEMP B-TREE" in line for line in plan), (wanted, plan)
        assert not any(line.startswith("SCAN") and "VIRTUAL TABLE" not in line for line in plan), (
            wanted,
            plan,
        )


def sized(house: KeptHouse, size_bytes: int) -> Kept:
    return replace(house.file(b"x"), size_bytes=size_bytes)
