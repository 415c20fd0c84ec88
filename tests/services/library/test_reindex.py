"""Rows from before search words were kept become searchable in the background."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from services.core.model import GenerationQuery
from services.library import reindex
from services.library.reindex import DONE, PREFERENCE, Reindex
from services.store.engine import writing_engine
from services.store.library import INSTALLATION, LibraryRows
from services.store.migrate import migrate
from services.store.rows import to_row
from services.store.search_text import SearchText
from services.store.store import Store
from services.store.tables import generations as g
from tests.support.rows import a_generation, a_request

PROMPTS = ["a kite", "紅色的風筝", "Ёлка", "Straße", *(f"ทะเล {number}" for number in range(40))]


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """A database as the version before left it."""
    path = tmp_path / "rushes.db"
    engine = writing_engine(f"sqlite:///{path}")
    migrate(engine, to="0007")
    with engine.begin() as connection:
        for prompt in PROMPTS:
            row = to_row(a_generation(request=a_request(prompt=prompt)))
            named = {g.c[name].name if name in g.c else name: value for name, value in row.items()}
            del named["search_text"], named["started_at"]
            before = sa.table("generations", *(sa.column(each.name, each.type) for each in g.c))
            connection.execute(sa.insert(before).values(named))
    engine.dispose()
    return path


async def found(store: Store, words: str) -> int:
    return len(await store.page(GenerationQuery(words=words), owner="local"))


@pytest.mark.asyncio
async def test_older_rows_are_found_in_every_script_once_they_are_filled_in(older: Path) -> None:
    store = Store(f"sqlite:///{older}", process="this")
    await store.open()
    rows = LibraryRows(store)
    await store.add([replace(a_generation(request=a_request(prompt="風筝 in the sky")))])
    assert [await found(store, each) for each in ("kite", "елка", "風筝", "ทะเล")] == [1, 1, 1, 0]
    await Reindex(rows, SearchText(store)).run()
    assert [await found(store, each) for each in ("kite", "елка", "風筝", "strasse", "เล")] == [
        1,
        1,
        2,
        1,
        40,
    ]
    assert await rows.preference(PREFERENCE, owner=INSTALLATION) == DONE
    await store.execute(sa.text("INSERT INTO prompts (prompts) VALUES ('integrity-check')"))
    await store.close()


@pytest.mark.asyncio
async def test_a_restart_goes_on_where_the_last_run_stopped(
    older: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reindex, "READ_BATCH", 10)
    store = Store(f"sqlite:///{older}", process="this")
    await store.open()
    rows, search_text = LibraryRows(store), SearchText(store)
    running = asyncio.create_task(Reindex(rows, search_text).run())
    while not await rows.preference(PREFERENCE, owner=INSTALLATION):
        await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert await found(store, "เล") < 40
    await Reindex(rows, search_text).run()
    assert await found(store, "เล") == 40
    await store.close()


@pytest.mark.asyncio
async def test_a_new_database_has_nothing_to_fill_in(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'new.db'}", process="this")
    await store.open()
    assert await LibraryRows(store).preference(PREFERENCE, owner=INSTALLATION) == DONE
    await store.close()
