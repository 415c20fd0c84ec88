"""All writes of a process on one connection, in order, with group commits and two priorities."""

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from sqlite3 import DatabaseError
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from services.store.db_errors import write_error

T = TypeVar("T")
Work = Callable[[Connection], T]
BATCH = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class _Write:
    work: Work[Any]
    done: Future[Any]
    low_priority: bool


class Writer:
    """One thread with one connection; a commit is on the disk before `run` returns.

    Waiting writes share one transaction (group commit), so a burst pays for one fsync. When one of them
    fails, the batch is rolled back and each is repeated alone, so that the others succeed.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        checkpoint: Callable[[str], None] = lambda _: None,
        translate: Callable[[Exception], Exception] = write_error,
    ) -> None:
        self._engine = engine
        self._checkpoint = checkpoint
        self._translate = translate
        self._waiting: queue.SimpleQueue[_Write | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._loop, name="store-writer", daemon=True)
        self._thread.start()

    async def run(self, work: Work[T], *, low_priority: bool = False) -> T:
        """Runs `work` in a transaction. Shielded: cancelling the caller does not cancel the write.

        A low-priority write waits until no other does, and a batch of them ends early when another arrives:
        with thousands of open generations the timelines take a third of the time, and must not delay results.
        """
        done: Future[T] = Future()
        self._waiting.put(_Write(work=work, done=done, low_priority=low_priority))
        return await asyncio.shield(asyncio.wrap_future(done))

    async def close(self) -> None:
        """Returns when all waiting writes are done."""
        self._waiting.put(None)
        await asyncio.to_thread(self._thread.join)

    def _loop(self) -> None:
        urgent: list[_Write] = []
        low_priority: list[_Write] = []
        closing = False
        with self._engine.connect() as connection:
            while not closing or urgent or low_priority:
                while not self._waiting.empty() or not (closing or urgent or low_priority):
                    if (write := self._waiting.get()) is None:
                        closing = True
                    else:
                        (low_priority if write.low_priority else urgent).append(write)
                if urgent:
                    self._commit(connection, urgent[:BATCH])
                    del urgent[:BATCH]
                if low_priority:  # after each urgent batch, so that a constant load cannot starve them
                    del low_priority[: self._commit(connection, low_priority, preemptible=True)]

    def _commit(self, connection: Connection, batch: Sequence[_Write], *, preemptible: bool = False) -> int:
        """Returns how many of the batch are done: a preemptible one ends early when another write arrives."""
        begun = False
        results: list[Any] = []
        try:
            with connection.begin():
                begun = True
                for write in batch:
                    results.append(write.work(connection))
                    if preemptible and not self._waiting.empty():
                        break
                self._checkpoint("before_write")
        except Exception as error:
            _roll_back(connection)
            if begun and len(batch) > 1:
                for write in batch:
                    self._commit(connection, [write])
            else:  # a BEGIN that fails (another program holds the database) fails for all alike
                translated = self._translate(error)
                for write in batch:
                    write.done.set_exception(translated)
            return len(batch)
        self._checkpoint("after_write")
        for write, result in zip(batch, results, strict=False):
            write.done.set_result(result)
        return len(results)


class InlineWriter:
    """The same interface without a thread, for tests in virtual time."""

    def __init__(self, engine: Engine) -> None:
        self._connection = engine.connect()

    async def run(self, work: Work[T], *, low_priority: bool = False) -> T:
        try:
            with self._connection.begin():
                return work(self._connection)
        except SQLAlchemyError as error:
            _roll_back(self._connection)
            raise write_error(error) from error

    async def close(self) -> None:
        self._connection.close()


def _roll_back(connection: Connection) -> None:
    """Rolls back in the driver: SQLite may leave a transaction open whose COMMIT failed and that SQLAlchemy
    considers ended, so the next write would fail with "cannot start a transaction within a transaction".
    """
    with contextlib.suppress(DatabaseError):
        connection.connection.rollback()
