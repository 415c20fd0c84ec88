"""Translates database errors, and detects a damaged file."""

import sqlite3

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from services.core.errors import CannotStart, StoreFailed, Words

DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
LOCKED = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
MAX_CHECKED_BYTES = 128 * 1024**2
"""A larger file is not checked at the start: this much takes 0.2 s from the page cache."""
RECOVERY_HINT = (
    "Keep a copy of the data folder before anything else. Then put a backup of the database in its place, or "
    "take out what can still be read: sqlite3 rushes.db .recover | sqlite3 rescued.db"
)


def write_error(error: Exception) -> Exception:
    """A StoreFailed, or the error itself where it is not the database's."""
    if not isinstance(error, SQLAlchemyError):
        return error
    if _code(error) in LOCKED:
        return _failed(Words("The database is in use by another program. Try again in a moment."), error)
    sentence = Words("The database could not be written ({cause}). Check the data folder's disk.")
    return _failed(sentence, error)


def read_error(error: SQLAlchemyError) -> StoreFailed:
    sentence = Words("The database could not be read ({cause}). Check the data folder's disk.")
    return _failed(sentence, error)


def is_damage(error: Exception) -> bool:
    """Whether the file itself is damaged, by the cause of a StoreFailed."""
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


def check_integrity(engine: Engine) -> None:
    """Reads every page; writes nothing. Raises CannotStart."""
    try:
        with engine.connect() as connection:
            size = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
            if connection.exec_driver_sql(size).scalar_one() > MAX_CHECKED_BYTES:
                return
            found = str(connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one())
    except SQLAlchemyError as error:
        if _code(error) != sqlite3.SQLITE_CORRUPT:
            raise cannot_open(error) from error
        found = str(getattr(error, "orig", error))
    if found != "ok":
        first = found.strip().splitlines()[-1][:120]
        raise CannotStart(f"The database is damaged ({first}); nothing was changed. {RECOVERY_HINT}")


def _failed(sentence: str, error: SQLAlchemyError) -> StoreFailed:
    failed = StoreFailed(sentence, cause=str(getattr(error, "orig", None) or type(error).__name__))
    failed.__cause__ = error
    return failed


def _code(error: SQLAlchemyError) -> int | None:
    """The primary result code: the lowest byte of an extended one."""
    code = getattr(getattr(error, "orig", None), "sqlite_errorcode", None)
    return None if code is None else int(code) & 0xFF
