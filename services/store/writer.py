"""All writes of a process, in order, on one connection: what is waiting together is committed together."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from sqlite3 import DatabaseError
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from services.store.trouble import spoken_of_writing

T = TypeVar("T")
Work = Callable[[Connection], T]
BATCH = 64


class Writer:
    """One thread with one connection; a commit is on the disk before the writer answers.

    Waiting writes share one transaction (group commit), so a burst pays for one fsync. When one of
    them fails the batch is rolled back and each is done again alone: a failure stays its own.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        checkpoint: Callable[[str], None] = lambda _: None,
        spoken: Callable[[Exception], Exception] = spoken_of_writing,
    ) -> None:
        self._engine = engine
        self._checkpoint = checkpoint
        self._spoken = spoken
        self._waiting: queue.SimpleQueue[tuple[Work[Any], Future[Any]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    async def do(self, work: Work[T]) -> T:
        """Run `work` in a transaction. Shielded: once asked, a write is done even if the asker is gone."""
        done: Future[T] = Future()
        self._waiting.put((work, done))
        return await asyncio.shield(asyncio.wrap_future(done))

    async def close(self) -> None:
        self._waiting.put(None)
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        with self._engine.connect() as connection:
            while (first := self._waiting.get()) is not None:
                batch = [first]
                ended = False
                while len(batch) < BATCH and not self._waiting.empty():
                    item = self._waiting.get()
                    if item is None:
                        ended = True
                        break
                    batch.append(item)
                self._commit(connection, batch)
                if ended:
                    return

    def _commit(self, connection: Connection, batch: list[tuple[Work[Any], Future[Any]]]) -> None:
        begun = False
        try:
            with connection.begin():
                begun = True
                results = [work(connection) for work, _ in batch]
                self._checkpoint("before_write")
        except Exception as error:
            _undo(connection)
            if begun and len(batch) > 1:
                for item in batch:
                    self._commit(connection, [item])
            else:  # what does not even begin (somebody else holds the database) is nobody's own fault
                spoken = self._spoken(error)
                for _, done in batch:
                    done.set_exception(spoken)
        else:
            self._checkpoint("after_write")
            for (_, done), result in zip(batch, results, strict=True):
                done.set_result(result)


class InlineWriter:
    """The same promise without a thread, for tests in virtual time."""

    def __init__(self, engine: Engine) -> None:
        self._connection = engine.connect()

    async def do(self, work: Work[T]) -> T:
        try:
            with self._connection.begin():
                return work(self._connection)
        except SQLAlchemyError as error:
            _undo(self._connection)
            raise spoken_of_writing(error) from error

    async def close(self) -> None:
        self._connection.close()


def _undo(connection: Connection) -> None:
    """SQLite may leave a transaction open whose COMMIT failed, and SQLAlchemy thinks that it is over: the
    next write, somebody else's, would fail with "cannot start a transaction within a transaction".
    """
    with contextlib.suppress(DatabaseError):
        connection.connection.rollback()
