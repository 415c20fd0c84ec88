"""SQLite engines: one that writes, one that reads."""

from typing import Any

from sqlalchemy import URL, Engine, NullPool, QueuePool, create_engine, event

SQLITE = "sqlite:///"
PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "busy_timeout=5000",
    "wal_autocheckpoint=1000",
)
"""With synchronous=FULL every commit reaches the disk."""


def writing_engine(url: str) -> Engine:
    """`url` is sqlite:/// and a path, of any characters: nothing in it is a query or an escape."""
    return _engine(url, begin="BEGIN IMMEDIATE", poolclass=NullPool)


def reading_engine(url: str) -> Engine:
    return _engine(url, begin="BEGIN", poolclass=QueuePool, pool_size=4)


def _engine(url: str, *, begin: str, **options: Any) -> Engine:
    engine = create_engine(URL.create("sqlite", database=url.removeprefix(SQLITE)), **options)

    @event.listens_for(engine, "connect")
    def on_connect(dbapi: Any, _record: Any) -> None:
        dbapi.isolation_level = None
        for pragma in PRAGMAS:
            dbapi.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def on_begin(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    return engine
