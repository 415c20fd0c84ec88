"""Database errors as sentences; detects a damaged file."""

import sqlite3

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from services.core.errors import CannotStart, StoreFailed, Words

DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
LOCKED = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
BASE = 0xFF
"""An extended code's lowest byte is the plain one."""
LARGEST_READ_BYTES = 128 * 1024**2
"""A larger file is not read through at the start (this much takes 0.2 s, where it is in the cache)."""
RESCUE = (
    "Keep a copy of the data folder before anything else. Then put a backup of the database in its place, or "
    "take out what can still be read: sqlite3 rushes.db .recover | sqlite3 rescued.db"
)


def write_error(error: Exception) -> Exception:
    if not isinstance(error, SQLAlchemyError):
        return error
    if _code(error) in LOCKED:
        return _failed(Words("The database is in use by another program. Try again in a moment."), error)
    sentence = Words("The database could not be written ({cause}). Look at the data folder's disk.")
    return _failed(sentence, error)


def read_error(error: SQLAlchemyError) -> StoreFailed:
    sentence = Words("The database could not be read ({cause}). Look at the data folder's disk.")
    return _failed(sentence, error)


def is_damage(error: BaseException | None) -> bool:
    """Of a StoreFailed: its cause says that the file itself is damaged."""
    cause = error.__cause__ if isinstance(error, StoreFailed) else error
    return isinstance(cause, SQLAlchemyError) and _code(cause) in DAMAGED


def cannot_open(error: Exception) -> CannotStart:
    cause = getattr(error, "orig", None) or error
    if isinstance(error, SQLAlchemyError) and _code(error) in LOCKED:
        return CannotStart(f"The database is in use by another program ({cause}). End that, and start again.")
    return CannotStart(
        f"The database cannot be opened ({cause}). It may be damaged, read-only, or newer than this "
        "version of Rushes; nothing was changed."
    )


def look_for_damage(engine: Engine) -> None:
    """Page by page, before anything is written. Raises CannotStart."""
    if engine.dialect.name != "sqlite":
        return
    try:
        with engine.connect() as connection:
            size = connection.exec_driver_sql(
                "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
            ).scalar_one()
            if size > LARGEST_READ_BYTES:
                return
            found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
    except SQLAlchemyError as error:
        if _code(error) != sqlite3.SQLITE_CORRUPT:
            raise cannot_open(error) from error
        found = str(getattr(error, "orig", error))
    if found != "ok":
        first = str(found).strip().splitlines()[-1][:120]
        raise CannotStart(f"The database is damaged ({first}); nothing was changed. {RESCUE}")


def _failed(sentence: str, error: SQLAlchemyError) -> StoreFailed:
    spoken = StoreFailed(sentence, cause=str(getattr(error, "orig", None) or type(error).__name__))
    spoken.__cause__ = error
    return spoken


def _code(error: SQLAlchemyError) -> int | None:
    code = getattr(getattr(error, "orig", None), "sqlite_errorcode", None)
    return None if code is None else int(code) & BASE
