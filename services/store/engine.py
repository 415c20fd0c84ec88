"""Engines: one that writes, one that reads."""

from typing import Any

from sqlalchemy import Engine, NullPool, QueuePool, create_engine, event


def writing_engine(url: str) -> Engine:
    """For the one writer. On SQLite: WAL, and every commit reaches the disk (synchronous=FULL)."""
    engine = create_engine(url, poolclass=NullPool)
    if engine.dialect.name == "sqlite":
        _sqlite(engine, begin="BEGIN IMMEDIATE")
    return engine


def reading_engine(url: str) -> Engine:
    engine = create_engine(url, poolclass=QueuePool, pool_size=4)
    if engine.dialect.name == "sqlite":
        _sqlite(engine, begin="BEGIN")
    return engine


def _sqlite(engine: Engine, *, begin: str) -> None:
    @event.listens_for(engine, "connect")
    def connected(dbapi: Any, _record: Any) -> None:
        dbapi.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "busy_timeout=5000",
            "wal_autocheckpoint=1000",
        ):
            dbapi.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def began(connection: Any) -> None:
        connection.exec_driver_sql(begin)
