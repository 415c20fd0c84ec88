"""New databases as copies of one that the migrations have made."""

from __future__ import annotations

import sqlite3
import tempfile
from functools import cache
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from services.store.engine import SQLITE, writing_engine
from services.store.migrate import migrate


def migrate_by_copy(engine: Engine) -> None:
    """As `migrate`: a file that is neither empty nor of the newest revision is really migrated."""
    try:
        ready = _is_ready(engine)
    except (SQLAlchemyError, sqlite3.Error):
        ready = False
    if not ready:
        migrate(engine)


def _is_ready(engine: Engine) -> bool:
    raw = engine.raw_connection()
    try:
        database = raw.driver_connection
        assert isinstance(database, sqlite3.Connection)
        if database.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,):
            database.executescript(
                "BEGIN IMMEDIATE; ROLLBACK"
            )  # a backup would wait for ever for another's lock
            _template().backup(database)
        return _revision(database) == _revision(_template())
    finally:
        raw.close()


@cache
def _template() -> sqlite3.Connection:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rushes.db"
        engine = writing_engine(f"{SQLITE}{path}")
        migrate(engine)
        engine.dispose()
        made, template = sqlite3.connect(path), sqlite3.connect(":memory:", check_same_thread=False)
        made.backup(template)
        made.close()
    return template


def _revision(database: sqlite3.Connection) -> str:
    return str(database.execute("SELECT version_num FROM alembic_version").fetchone()[0])
