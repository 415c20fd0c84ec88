"""The store as it runs: a writer thread, group commits, compare-and-set."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import Connection, inspect, text

from services.core.errors import CannotStart, Conflict, NotFound, StoreFailed
from services.core.model import (
    NEXT,
    Channel,
    Generation,
    GenerationQuery,
    Kept,
    Kind,
    Phase,
    Receipt,
    TraceEntry,
)
from services.store.engine import writing_engine
from services.store.folder_lock import FolderLock
from services.store.migrate import migrate
from services.store.statements import ReportedProgress
from services.store.store import Store
from services.store.tables import metadata
from tests.support.local_faults import FaultyDatabase
from tests.support.race_harness import a_generation

pytestmark = pytest.mark.asyncio

KEPT = Kept(
    name="a", size_bytes=1, sha256="", content_type="video/mp4", width=2, height=2, duration_s=1.0, fps=24.0
)
RECEIPT = Receipt(won_by=Channel.PUSH, backend_said_at=1.0, backend_finished_at=None, kept_at=2.0)


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = Store(f"sqlite:///{tmp_path / 'rushes.db'}", process="this")
    await store.open()
    yield store
    await store.close()


async def added(store: Store, number: int = 1, **changes: object) -> Generation:
    (generation,) = await store.add([replace(a_generation(number), **changes)])
    return generation


async def test_what_is_added_comes_back_as_it_was(store: Store) -> None:
    generation = await added(store)
    assert await store.get(generation.id) == generation


async def test_completing_happens_once_however_many_try(store: Store) -> None:
    generation = await added(store)
    tries = [store.complete(generation.id, epoch=0, kept=KEPT, receipt=RECEIPT) for _ in range(20)]
    done = [row for row in await asyncio.gather(*tries) if row is not None]
    assert len(done) == 1
    assert done[0].revision == 1


@pytest.mark.parametrize("phase", [Phase.ERROR, Phase.DROPPED])
async def test_a_late_result_completes_what_had_ended_otherwise(store: Store, phase: Phase) -> None:
    generation = await added(store, phase=phase)
    done = await store.complete(generation.id, epoch=0, kept=KEPT, receipt=RECEIPT)
    assert done is not None
    assert done.phase is Phase.COMPLETED


@pytest.mark.parametrize("phase", list(Phase))
@pytest.mark.parametrize("to", list(Phase))
async def test_a_phase_leads_only_where_the_table_says(store: Store, phase: Phase, to: Phase) -> None:
    generation = await added(store, phase=phase)
    moved = await store.advance(generation.id, epoch=0, to=to)
    assert (moved is not None) == (to in NEXT[phase])
    assert (await store.get(generation.id)).phase is (to if to in NEXT[phase] else phase)


async def test_a_claim_makes_every_older_watcher_powerless(store: Store) -> None:
    generation = await added(store)
    (claimed,) = await store.claim()
    assert claimed.epoch == generation.epoch + 1
    assert await store.advance(generation.id, epoch=0, to=Phase.ERROR) is None
    assert await store.update_open(generation.id, epoch=0, late_since=1.0) is None
    assert await store.complete(generation.id, epoch=0, kept=KEPT, receipt=RECEIPT) is None
    assert await store.append_log([], [ReportedProgress(generation.id, 0, 0.5, "")]) == []
    assert await store.complete(generation.id, epoch=1, kept=KEPT, receipt=RECEIPT) is not None


async def test_a_claim_takes_what_is_open_and_what_was_stopped_but_may_still_arrive(store: Store) -> None:
    future = 9_999_999_999.0
    stopped = {"phase": Phase.DROPPED, "watch_until": future}
    rows = [
        await added(store, 1),
        await added(store, 2, phase=Phase.COMPLETED),
        await added(store, 3, phase=Phase.ERROR),
        await added(store, 4, **stopped, job_id="job"),
        await added(store, 5, **stopped),
    ]
    assert [row.id for row in await store.claim()] == [rows[0].id, rows[3].id]


async def test_progress_is_never_stored_backwards_and_an_ended_row_takes_none(store: Store) -> None:
    generation = await added(store)
    for value, stage, expected in ((0.5, "", 0.5), (0.2, "", 0.5), (0.3, "next", 0.5), (0.7, "next", 0.7)):
        await store.append_log([], [ReportedProgress(generation.id, 0, value, stage)])
        row = await store.get(generation.id)
        assert (row.progress, row.stage) == (expected, stage)
    await store.advance(generation.id, epoch=0, to=Phase.ERROR)
    assert await store.append_log([], [ReportedProgress(generation.id, 0, 0.9, "")]) == []


async def test_one_failing_write_does_not_take_its_neighbours_with_it(store: Store) -> None:
    first, second = await added(store, 1), await added(store, 2)

    def broken(connection: Connection) -> None:
        connection.execute(text("INSERT INTO no_such_table VALUES (1)"))

    results = await asyncio.gather(
        store.advance(first.id, epoch=0, to=Phase.ERROR),
        store._writer.run(broken),
        store.advance(second.id, epoch=0, to=Phase.ERROR),
        return_exceptions=True,
    )
    assert isinstance(results[1], StoreFailed)
    assert (await store.get(first.id)).phase is Phase.ERROR
    assert (await store.get(second.id)).phase is Phase.ERROR


@pytest.mark.parametrize("inline", [True, False])
async def test_a_commit_that_fails_does_not_take_the_next_write_with_it(tmp_path: Path, inline: bool) -> None:
    store = Store(f"sqlite:///{tmp_path / 'rushes.db'}", process="one", inline=inline)
    await store.open()
    first, second = await added(store, 1), await added(store, 2)
    FaultyDatabase(store._writes).faults[first.id] = ("error", "failing commit", 1)
    with pytest.raises(StoreFailed):
        await store.advance(first.id, epoch=0, to=Phase.ERROR)
    assert await store.advance(second.id, epoch=0, to=Phase.ERROR)
    assert (await store.get(first.id)).phase is Phase.PROCESSING
    await store.close()


async def test_a_write_is_done_even_if_its_caller_is_cancelled(store: Store) -> None:
    generation = await added(store)
    caller = asyncio.create_task(store.advance(generation.id, epoch=0, to=Phase.ERROR))
    await asyncio.sleep(0)
    caller.cancel()
    await asyncio.gather(caller, return_exceptions=True)
    await store.ping()
    assert (await store.get(generation.id)).phase is Phase.ERROR


async def test_commits_are_on_the_disk_before_they_are_confirmed(store: Store) -> None:
    with store._writes.connect() as connection:
        assert connection.execute(text("PRAGMA synchronous")).scalar() == 2
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"


async def test_pages_are_newest_first_and_never_overlap(store: Store) -> None:
    for number in range(1, 8):
        await added(store, number)
    first = await store.page(owner="local", limit=3)
    second = await store.page(owner="local", before=first[-1].id, limit=3)
    ids = [row.id for row in first + second]
    assert ids == sorted(ids, reverse=True)
    assert len(set(ids)) == 6


async def test_nobody_sees_what_is_not_theirs_or_hidden(store: Store) -> None:
    generation = await added(store)
    with pytest.raises(NotFound):
        await store.get(generation.id, owner="somebody else")
    await store.update(generation.id, trashed_at=1.0)
    with pytest.raises(NotFound):
        await store.get(generation.id, owner="local")
    assert await store.page(owner="local") == []


async def test_a_search_takes_the_words_as_they_are(store: Store) -> None:
    request = replace(a_generation().request, prompt="100% wool_knit")
    await added(store, 1, request=request)
    assert len(await store.page(GenerationQuery(words="100% wool_"), owner="local")) == 1
    assert await store.page(GenerationQuery(words="1__%"), owner="local") == []


async def test_the_same_key_is_the_same_request_and_another_body_a_conflict(store: Store) -> None:
    first = await store.add([a_generation(1)], key="k", fingerprint="f")
    again = await store.add([replace(a_generation(2), request_id="another")], key="k", fingerprint="f")
    assert again == first
    with pytest.raises(Conflict):
        await store.add([a_generation(3)], key="k", fingerprint="g")
    assert len(await store.page(owner="local")) == 1


async def test_two_rows_cannot_hold_one_job(store: Store) -> None:
    await added(store, 1, job_id="job")
    second = await added(store, 2, phase=Phase.SUBMITTING)
    with pytest.raises(StoreFailed):
        await store.advance(second.id, epoch=0, to=Phase.PROCESSING, job_id="job")
    assert (await store.get(second.id)).phase is Phase.SUBMITTING


async def test_the_trace_comes_back_in_order(store: Store) -> None:
    generation = await added(store)
    entries = [
        TraceEntry(
            owner="local",
            generation_id=generation.id,
            seq=seq,
            at=1.0,
            lane="push",
            event="open",
            data={"n": seq},
        )
        for seq in (3, 1, 2)
    ]
    await store.append_log(entries, [])
    assert [entry.seq for entry in await store.trace(generation.id, owner="local")] == [1, 2, 3]


async def test_a_trace_line_stored_already_does_not_fail_the_others(store: Store) -> None:
    generation = await added(store)
    first, second = (
        TraceEntry(owner="local", generation_id=generation.id, seq=seq, at=1.0, lane="push", event="open")
        for seq in (1, 2)
    )
    await store.append_log([first], [])
    await store.append_log([first, second], [])
    assert [entry.seq for entry in await store.trace(generation.id, owner="local")] == [1, 2]


async def test_open_generations_are_counted_and_kinds_filtered(store: Store) -> None:
    await added(store, 1, phase=Phase.PENDING)
    await added(store, 2, phase=Phase.PENDING)
    await added(store, 3, phase=Phase.COMPLETED)
    assert await store.open_count() == {Phase.PENDING: 2}
    assert len(await store.page(GenerationQuery(kind=Kind.IMAGE), owner="local")) == 0


async def test_the_migrations_build_exactly_the_declared_tables(tmp_path: Path) -> None:
    engine = writing_engine(f"sqlite:///{tmp_path / 'fresh.db'}")
    migrate(engine)
    migrate(engine)
    found = inspect(engine)
    for table in metadata.sorted_tables:
        assert {column["name"] for column in found.get_columns(table.name)} == {
            column.name for column in table.columns
        }
        assert {index["name"] for index in found.get_indexes(table.name)} >= {
            index.name for index in table.indexes
        }
    engine.dispose()


async def test_a_database_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "newer.db"
    engine = writing_engine(f"sqlite:///{path}")
    migrate(engine)
    engine.dispose()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    store = Store(f"sqlite:///{path}", process="this")
    with pytest.raises(CannotStart, match="newer"):
        await store.open()


async def test_a_damaged_database_is_refused_with_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "damaged.db"
    path.write_bytes(b"this is no database " * 500)
    with pytest.raises(CannotStart, match="damaged"):
        await Store(f"sqlite:///{path}", process="this").open()


async def test_a_second_process_is_refused_the_folder_until_the_first_lets_go(tmp_path: Path) -> None:
    first, second = FolderLock(tmp_path), FolderLock(tmp_path)
    first.acquire()
    with pytest.raises(CannotStart, match="Another Rushes"):
        second.acquire()
    first.release()
    second.acquire()
    second.release()
