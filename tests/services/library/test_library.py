"""Stars, tags, the trash, permanent removal, storage and rules; with real rows and files."""

from __future__ import annotations

import io
import os
import time
import zipfile
from dataclasses import replace

import pytest
from PIL import Image
from sqlalchemy import text

from services.core.errors import InvalidRequest, NotFound
from services.core.model import LOCAL_OWNER, GenerationQuery, Kept, Kind, Phase, Problem, TraceEntry
from services.library.retention import Retention, Rule
from services.store.listing import first_id_at
from tests.support.library_harness import RECEIPT, LibraryHarness, a_picture

pytestmark = pytest.mark.asyncio


async def ids(harness: LibraryHarness, **wanted: object) -> list[str]:
    return [
        row.id
        for row in (await harness.generations.listed(GenerationQuery(**wanted), owner=LOCAL_OWNER)).items
    ]


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
    await harness.store.append_log(lines, [(gone.id, 0, 0.5, "")])
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


def sized(harness: LibraryHarness, size_bytes: int) -> Kept:
    return replace(harness.file(b"x"), size_bytes=size_bytes)


async def test_what_carries_a_problem_is_packed_as_it_came(harness: LibraryHarness) -> None:
    row = await harness.put(content=(bytes_ := a_picture() + b"tail"))
    assert row.kept is not None
    problem = Problem(code="unknown", reason="The format of the file is not known.")
    await harness.store.update(row.id, kept=replace(row.kept, width=None, height=None, problem=problem))
    archive = await harness.library.archive([row.id], owner=LOCAL_OWNER)
    with zipfile.ZipFile(io.BytesIO(b"".join(archive))) as packed:
        assert [packed.read(name) for name in packed.namelist()] == [bytes_]
    _, copy = await harness.library.copy(row.id, owner=LOCAL_OWNER)
    assert b"".join(copy.chunks()) == bytes_
    assert (await harness.library.scrub.run_once(force=True)).damaged == ()


async def test_an_archive_keeps_every_script_and_loses_no_file(harness: LibraryHarness) -> None:
    tail = "-7000-8000-0000000abcde"
    rows = [
        await harness.put("ทะเล 風筝 Straße", id=first_id_at(1.0) + tail),
        await harness.put("ทะเล 風筝 Straße", id=first_id_at(2.0) + tail),
    ]
    made = b"".join(await harness.library.archive([row.id for row in rows], owner=LOCAL_OWNER))
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        first, second = archive.namelist()
        assert archive.testzip() is None
    assert first.startswith("ทะเล-風筝-straße-")
    assert second == first.replace(".png", "-2.png")


async def test_an_archive_names_the_texts_that_had_no_room(harness: LibraryHarness) -> None:
    out = io.BytesIO()
    Image.new("RGB", (4, 4)).save(out, "JPEG")
    jpeg = replace(harness.file(out.getvalue()), content_type="image/jpeg")
    long, short = await harness.put("😀" * 20_000, kept=jpeg), await harness.put("short", kept=jpeg)
    made = b"".join(await harness.library.archive([long.id, short.id], owner=LOCAL_OWNER))
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        first, second, note = archive.namelist()
        told = archive.read(note).decode()
    assert note == "shortened-in-this-archive.txt"
    assert f"{first}: prompt" in told
    assert second not in told
