"""The library's lists: found by words, filters and tags, newest first, page by page."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import text
from uuid6 import uuid7

from services.core.model import Generation, GenerationQuery, Kind, Phase
from services.store.engine import writing_engine
from services.store.listing import first_id_at, match_of
from services.store.migrate import migrate
from services.store.store import Store
from tests.support.race_harness import a_generation

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = Store(f"sqlite:///{tmp_path / 'rushes.db'}", process="this")
    await store.open()
    yield store
    await store.close()


async def added(store: Store, prompt: str, **changes: object) -> Generation:
    asked = {name: changes.pop(name) for name in ("kind", "model", "backend") if name in changes}
    request = replace(a_generation().request, prompt=prompt, **asked)
    row = replace(a_generation(), id=str(uuid7()), request=request, **changes)
    await store.add([row])
    return row


async def found(store: Store, words: str, **wanted: object) -> list[str]:
    rows = await store.page(GenerationQuery(words=words, **wanted), owner="local")
    return [row.request.prompt for row in rows]


async def test_words_are_found_in_any_order_and_the_last_may_be_a_prefix(store: Store) -> None:
    await added(store, "A lighthouse in the rain")
    await added(store, "Rain over a city")
    assert await found(store, "rain light") == ["A lighthouse in the rain"]
    assert await found(store, "rain") == ["Rain over a city", "A lighthouse in the rain"]
    assert await found(store, "light rain") == []


async def test_a_search_handles_russian_and_ignores_accents_and_case(store: Store) -> None:
    await added(store, "Ёлка и Маяк под дождём")
    await added(store, "Café au lait")
    assert await found(store, "маяк дожд") == ["Ёлка и Маяк под дождём"]
    assert await found(store, "елка") == ["Ёлка и Маяк под дождём"]
    assert await found(store, "CAFE") == ["Café au lait"]


@pytest.mark.parametrize(
    "typed",
    [
        '"',
        "'",
        '"kite',
        "kite AND",
        "NOT",
        "OR OR",
        "prompt:kite",
        "*",
        "(kite",
        "kite*",
        "^",
        "NEAR(a b)",
        "-kite",
        "{prompt}: x",
        "a\x00b",
        "\ud800",
        "²",
        "kite " * 500,
        "\u0301",
        "😀",
        ";DROP TABLE prompts",
    ],
)
async def test_nothing_that_a_person_types_can_break_the_search(store: Store, typed: str) -> None:
    await added(store, "a kite")
    assert await found(store, typed) in ([], ["a kite"])


async def test_search_pages_continue_even_if_the_row_of_the_cursor_is_gone(store: Store) -> None:
    rows = [await added(store, f"kite {number}", phase=Phase.COMPLETED) for number in range(6)]
    wanted = GenerationQuery(words="kite")
    first = await store.page(wanted, owner="local", limit=2)
    assert [row.id for row in first] == [rows[5].id, rows[4].id]
    await store.write(
        lambda connection: connection.execute(
            text("DELETE FROM generations WHERE id = :id"), {"id": first[-1].id}
        )
    )
    second = await store.page(wanted, owner="local", before=first[-1].id, limit=2)
    assert [row.id for row in second] == [rows[3].id, rows[2].id]


async def test_ranked_results_put_the_best_first(store: Store) -> None:
    await added(store, "kite kite kite")
    await added(store, "a kite among very many other things that fly over the hills")
    assert (await found(store, "kite"))[0].startswith("a kite")
    assert (await found(store, "kite", ranked=True))[0] == "kite kite kite"


async def test_what_arrived_after_a_stop_is_a_list_of_its_own(store: Store) -> None:
    await added(store, "kite one", phase=Phase.COMPLETED)
    await added(store, "kite two", phase=Phase.COMPLETED, stop_requested_at=1.0)
    await added(store, "kite three", phase=Phase.DROPPED, stop_requested_at=1.0)
    ready = frozenset({Phase.COMPLETED})
    for words in ("", "kite"):
        assert await found(store, words, phases=ready, unwanted=True) == ["kite two"]
        assert await found(store, words, phases=ready, unwanted=False) == ["kite one"]
        assert await found(store, words, phases=ready) == ["kite two", "kite one"]


async def test_each_filter_holds_alone_and_together_with_words(store: Store) -> None:
    await added(store, "kite one", kind=Kind.IMAGE)
    await added(store, "kite two", model="other", phase=Phase.ERROR)
    await added(store, "kite three", starred_at=1.0)
    await added(store, "kite four", trashed_at=1.0)
    for words in ("", "kite"):
        assert await found(store, words, kind=Kind.IMAGE) == ["kite one"]
        assert await found(store, words, backend="scripted", model="other") == ["kite two"]
        assert await found(store, words, phases=frozenset({Phase.ERROR})) == ["kite two"]
        assert await found(store, words, starred=True) == ["kite three"]
        assert await found(store, words, trashed=True) == ["kite four"]
        assert len(await found(store, words, phases=frozenset(Phase))) == 3
        assert await found(store, words, starred=True, kind=Kind.IMAGE) == []


async def test_a_span_of_time_is_a_span_of_ids(store: Store) -> None:
    rows = [
        replace(a_generation(), id=f"{first_id_at(at)}-7000-8000-00000000000{n}")
        for n, at in enumerate((1_700_000_000.0, 1_700_000_100.0, 1_700_000_200.0))
    ]
    await store.add(rows)
    wanted = GenerationQuery(since=1_700_000_100.0, until=1_700_000_200.0)
    assert [row.id for row in await store.page(wanted, owner="local")] == [rows[1].id]
    assert len(await store.page(GenerationQuery(since=-1.0, until=1e18), owner="local")) == 3


async def test_the_search_still_works_after_a_vacuum(store: Store, tmp_path: Path) -> None:
    gone = await added(store, "a red kite")
    await added(store, "a blue kite")
    with sqlite3.connect(tmp_path / "rushes.db", isolation_level=None) as vacuum:
        vacuum.execute("DELETE FROM generations WHERE id = ?", (gone.id,))
        vacuum.execute("VACUUM")
    vacuum.close()
    assert await found(store, "blue") == ["a blue kite"]
    assert await found(store, "red") == []
    await added(store, "a green kite")
    assert await found(store, "kite") == ["a green kite", "a blue kite"]


async def test_the_words_become_quoted_tokens() -> None:
    assert match_of("red ki") == '"red" "ki"*'
    assert match_of("red k") == '"red" "k"'
    assert match_of("red ") == '"red"'
    assert match_of("!?") == '""'


async def test_a_removed_prompt_of_any_script_leaves_no_trace_in_the_index(store: Store) -> None:
    gone = [await added(store, prompt) for prompt in ("風筝 😀", "Straße", "kite", "Ёлка")]
    await store.write(lambda connection: connection.execute(text("DELETE FROM generations")) and None)
    assert gone
    fresh = await added(store, "風筝 kite")
    for words in ("風筝", "kite"):
        assert [row.id for row in await store.page(GenerationQuery(words=words), owner="local")] == [fresh.id]
    assert await found(store, "😀") == await found(store, "strasse") == await found(store, "елка") == []
    await store.execute(text("INSERT INTO prompts (prompts) VALUES ('integrity-check')"))


async def test_rows_of_an_older_version_are_found_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    older = writing_engine(f"sqlite:///{path}")
    migrate(older, to="0001")
    older.dispose()
    with sqlite3.connect(path) as old:
        for number, kept in enumerate((_KEPT, None)):
            old.execute(
                "INSERT INTO generations (id, request_id, owner, kind, backend, model, prompt, request, phase,"
                " stage, error_code, error_text, created_at, updated_at, late_after_s, revision, epoch, kept)"
                " VALUES (?, 'r', 'local', 'video', 'b', 'm', ?, ?, 'error', '', '', '', 1, 1, 1, 0, 0, ?)",
                (f"id-{number}", f"an old kite {number}", _REQUEST, kept),
            )
    old.close()
    store = Store(f"sqlite:///{path}", process="this")
    await store.open()
    rows = await store.page(GenerationQuery(words="kit"), owner="local")
    assert [row.id for row in rows] == ["id-1", "id-0"]
    totals = await store.read(
        lambda connection: connection.execute(text("SELECT items, bytes FROM totals")).all()
    )
    assert [tuple(row) for row in totals] == [(1, 10)]
    await store.close()


_REQUEST = (
    '{"kind": "video", "prompt": "an old kite", "backend": "b", "model": "m", "aspect_ratio": "16:9",'
    ' "resolution": "720p", "seed": 1, "source": null}'
)
_KEPT = (
    '{"name": "a", "size_bytes": 10, "sha256": "", "content_type": "video/mp4", "width": 2, "height": 2,'
    ' "duration_s": 1.0, "fps": 24.0}'
)
