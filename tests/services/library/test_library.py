"""Stars, tags, the trash, permanent removal, storage and rules; with real rows and files."""

from __future__ import annotations

import os
import time
from dataclasses import replace

import pytest
from sqlalchemy import text

from services.core.errors import InvalidRequest, NotFound
from services.core.model import LOCAL_OWNER, GenerationQuery, Kind, Phase, TraceEntry
from services.store.listing import first_id_at
from services.store.statements import ReportedProgress
from tests.support.library_harness import RECEIPT, LibraryHarness, ids

pytestmark = pytest.mark.asyncio


async def test_a_star_is_told_once_and_leaves_the_watcher_its_row(harness: LibraryHarness) -> None:
    row = await harness.put(phase=Phase.PROCESSING, epoch=3)
    assert await harness.library.star([row.id, "unknown"], on=True, owner=LOCAL_OWNER) == 1
    assert await harness.library.star([row.id], on=True, owner=LOCAL_OWNER) == 0
    (event,) = harness.events
    assert (event.id, event.revision, event.epoch) == (row.id, 1, 3)
    assert await ids(harness, starred=True) == [row.id]
    assert await harness.library.star([row.id], on=False, owner=LOCAL_OWNER) == 1
    assert await ids(harness, starred=True) == []


async def test_tags_are_found_listed_and_taken_away(harness: LibraryHarness) -> None:
    first, second = await harness.put("one"), await harness.put("two")
    await harness.library.tag([first.id, second.id], "  night   shoot ", on=True, owner=LOCAL_OWNER)
    await harness.library.tag([first.id], "an idea", on=True, owner=LOCAL_OWNER)
    assert await ids(harness, tag="night shoot") == [second.id, first.id]
    assert (await harness.generations.get(first.id, owner=LOCAL_OWNER)).tags == ("an idea", "night shoot")
    assert await harness.library.tags(owner=LOCAL_OWNER) == ["an idea", "night shoot"]
    await harness.library.tag([first.id, second.id], "night shoot", on=False, owner=LOCAL_OWNER)
    assert await harness.library.tags(owner=LOCAL_OWNER) == ["an idea"]
    for name in ("", " ", "x" * 41, "a\nb\x07"):
        with pytest.raises(InvalidRequest):
            await harness.library.tag([first.id], name, on=True, owner=LOCAL_OWNER)


async def test_the_trash_gives_back_what_was_put_into_it(harness: LibraryHarness) -> None:
    row = await harness.put()
    assert await harness.library.trash.put([row.id], owner=LOCAL_OWNER) == [row.id]
    assert (await ids(harness), await ids(harness, trashed=True)) == ([], [row.id])
    with pytest.raises(NotFound):
        await harness.generations.get(row.id, owner=LOCAL_OWNER)
    assert await harness.library.trash.restore([row.id], owner=LOCAL_OWNER) == [row.id]
    assert (await ids(harness), await ids(harness, trashed=True)) == ([row.id], [])
    assert [event.trashed_at is None for event in harness.events] == [False, True]


async def test_an_open_one_is_stopped_on_its_way_into_the_trash(harness: LibraryHarness) -> None:
    row = await harness.put(phase=Phase.PROCESSING)
    assert await harness.library.trash.put([row.id, "unknown"], owner=LOCAL_OWNER) == [row.id]
    assert (await harness.store.get(row.id)).phase is Phase.DROPPED


async def test_emptying_removes_rows_and_files_and_nothing_else(harness: LibraryHarness) -> None:
    stays, goes = await harness.put("stays"), await harness.put("goes", poster=None)
    await harness.library.trash.put([goes.id], owner=LOCAL_OWNER)
    assert await harness.library.trash.empty(owner=LOCAL_OWNER) == 1
    with pytest.raises(NotFound):
        await harness.store.get(goes.id)
    assert stays.kept is not None
    assert set(await harness.folder.files()) == {stays.kept.name}
    assert await harness.library.trash.empty(owner=LOCAL_OWNER) == 0
    assert [(total.items, total.trashed) for total in await harness.library.totals(owner=LOCAL_OWNER)] == [
        (1, False),
        (0, True),
    ]


async def test_an_open_one_in_the_trash_is_never_removed_and_may_still_arrive(
    harness: LibraryHarness,
) -> None:
    row = await harness.put(phase=Phase.PROCESSING, trashed_at=1.0)
    assert await harness.library.trash.empty(owner=LOCAL_OWNER) == 0
    done = await harness.store.complete(row.id, epoch=0, kept=harness.file(b"late"), receipt=RECEIPT)
    assert done is not None
    assert await ids(harness, trashed=True) == [row.id]
    assert await harness.library.trash.restore([row.id], owner=LOCAL_OWNER) == [row.id]


async def test_what_comes_late_for_a_removed_row_harms_nobody(harness: LibraryHarness) -> None:
    gone, other = await harness.put(phase=Phase.DROPPED, trashed_at=1.0, job_id="job"), await harness.put()
    await harness.library.trash.empty(owner=LOCAL_OWNER)
    assert await harness.store.complete(gone.id, epoch=0, kept=harness.file(b"late"), receipt=RECEIPT) is None
    assert await harness.store.update(gone.id, poster="x") is None
    lines = [
        TraceEntry(owner="local", generation_id=each, seq=1, at=1.0, lane="push", event="open")
        for each in (gone.id, other.id)
    ]
    await harness.store.append_log(lines, [ReportedProgress(gone.id, 0, 0.5, "")])
    assert len(await harness.store.trace(other.id, owner="local")) == 1


async def test_a_shared_source_goes_with_the_last_that_names_it(harness: LibraryHarness) -> None:
    source = harness.file(b"source").name
    first, second = await harness.put("one", source=source), await harness.put("two", source=source)
    await harness.library.trash.put([first.id], owner=LOCAL_OWNER)
    await harness.library.trash.empty(owner=LOCAL_OWNER)
    assert source in await harness.folder.files()
    await harness.library.trash.put([second.id], owner=LOCAL_OWNER)
    await harness.library.trash.empty(owner=LOCAL_OWNER)
    assert await harness.folder.files() == {}


async def test_a_key_whose_rows_are_removed_is_free_again(harness: LibraryHarness) -> None:
    row = await harness.put(trashed_at=1.0)
    idempotent = replace(row, id=first_id_at(1.0) + "-7000-8000-000000000001", request_id="keyed", job_id="j")
    await harness.store.add([idempotent], key="k", fingerprint="f")
    assert await harness.store.find_by_key("local", "k", "f") == [idempotent]
    await harness.library.trash.empty([idempotent.id], owner=LOCAL_OWNER)
    assert await harness.store.find_by_key("local", "k", "other") == []
    again = replace(idempotent, id=first_id_at(2.0) + "-7000-8000-000000000001")
    assert await harness.store.add([again], key="k", fingerprint="other") == [again]


async def test_sums_follow_every_change(harness: LibraryHarness) -> None:
    await harness.put(content=b"x" * 100)
    second = await harness.put(content=b"x" * 10)
    await harness.put(phase=Phase.ERROR)
    await harness.library.trash.put([second.id], owner=LOCAL_OWNER)
    totals = {
        (total.kind, total.trashed): (total.items, total.size_bytes)
        for total in await harness.library.totals(owner=LOCAL_OWNER)
    }
    assert totals == {(Kind.IMAGE, False): (1, 100), (Kind.IMAGE, True): (1, 10)}
    assert await harness.library.retention.size_bytes(owner=LOCAL_OWNER) == 110


async def test_models_are_listed_without_counting(harness: LibraryHarness) -> None:
    for model in ("b", "a", "b", "c"):
        await harness.put(model=model)
    assert await harness.library.models(owner=LOCAL_OWNER) == [("animatic", name) for name in "abc"]


async def test_too_many_at_once_are_refused(harness: LibraryHarness) -> None:
    with pytest.raises(InvalidRequest):
        await harness.library.trash.put([str(number) for number in range(5001)], owner=LOCAL_OWNER)


async def test_a_check_finds_what_is_missing_and_what_is_nobodys(harness: LibraryHarness) -> None:
    missing, there = await harness.put("missing"), await harness.put("there")
    assert missing.kept is not None
    harness.folder.path(missing.kept.name).unlink()
    orphan, young = harness.file(b"orphan"), harness.file(b"young")
    os.utime(harness.folder.path(orphan.name), (1.0, 1.0))
    findings = await harness.library.storage.check()
    assert (findings.missing, findings.orphans, findings.orphan_bytes) == ([missing.id], [orphan.name], 6)
    assert harness.lost == [missing.id]
    assert orphan.name in await harness.folder.files()
    await harness.library.storage.remove_orphans()
    assert there.kept is not None
    assert set(await harness.folder.files()) == {young.name, there.kept.name}


async def test_a_source_that_waits_in_a_composer_is_nobody_s_only_after_a_week(
    harness: LibraryHarness,
) -> None:
    name = harness.folder.new_name("source.png")
    path = harness.folder.path(name)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"source")
    for age_days, orphans in ((6, []), (9, [name])):
        written_at = time.time() - age_days * 86_400
        os.utime(path, (written_at, written_at))
        assert (await harness.library.storage.check()).orphans == orphans


async def test_pages_of_a_list_never_overlap_while_it_changes(harness: LibraryHarness) -> None:
    rows = [await harness.put(str(number)) for number in range(7)]
    first = await harness.generations.listed(GenerationQuery(), limit=3, owner=LOCAL_OWNER)
    await harness.put("newer")
    await harness.library.trash.put([rows[4].id], owner=LOCAL_OWNER)
    second = await harness.generations.listed(
        GenerationQuery(), cursor=first.next, limit=3, owner=LOCAL_OWNER
    )
    assert [row.request.prompt for row in first.items + second.items] == ["6", "5", "4", "3", "2", "1"]
    with pytest.raises(InvalidRequest):
        await harness.generations.listed(GenerationQuery(), cursor="nonsense", owner=LOCAL_OWNER)


async def test_each_list_walks_one_index(harness: LibraryHarness) -> None:
    """Neither a sort nor a walk over the whole table: what a million rows would make slow."""
    from services.store.listing import page_of

    for wanted in (
        GenerationQuery(), GenerationQuery(kind=Kind.VIDEO), GenerationQuery(starred=True), GenerationQuery(trashed=True), GenerationQuery(tag="a"),
        GenerationQuery(words="kite"), GenerationQuery(words="kite", tag="a"), GenerationQuery(backend="b", model="m"),
        GenerationQuery(phases=frozenset({Phase.ERROR})), GenerationQuery(since=1.0, until=2.0),
    ):  # fmt: skip
        query, values = page_of(wanted, owner="local", before="f", limit=10)
        plan = await harness.store.read(
            lambda connection, query=query, values=values: [
                row.detail for row in connection.execute(text(f"EXPLAIN QUERY PLAN {query}"), values)
            ]
        )
        assert not any("TEMP B-TREE" in line for line in plan), (wanted, plan)
        assert not any(line.startswith("SCAN") and "VIRTUAL TABLE" not in line for line in plan), (
            wanted,
            plan,
        )
