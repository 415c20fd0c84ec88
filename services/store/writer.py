"""All writes of a process on one connection, in order: what is waiting together is committed together.

What may wait lets everything else go first.
"""

import asyncio
import contextlib
import queue
import threading
from collections import deque
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
class _Asked:
    work: Work[Any]
    done: Future[Any]
    patient: bool


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
        spoken: Callable[[Exception], Exception] = write_error,
    ) -> None:
        self._engine = engine
        self._checkpoint = checkpoint
        self._spoken = spoken
        self._waiting: queue.SimpleQueue[_Asked | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    async def do(self, work: Work[T], *, patient: bool = False) -> T:
        """Run `work` in a transaction. Shielded: once asked, a write is done even if the asker is gone.

        A `patient` one waits until nothing else does, and a row of them makes room for what comes meanwhile:
        with thousands of generations open the journal's lines take a third of the time, and a result that is
        in hand must not stand behind them.
        """
        done: Future[T] = Future()
        self._waiting.put(_Asked(work=work, done=done, patient=patient))
        return await asyncio.shield(asyncio.wrap_future(done))

    async def close(self) -> None:
        self._waiting.put(None)
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        urgent: deque[_Asked] = deque()
        patient: deque[_Asked] = deque()
        ended = False
        with self._engine.connect() as connection:
            while not ended or urgent or patient:
                while not self._waiting.empty() or not (ended or urgent or patient):
                    asked = self._waiting.get()
                    if asked is None:
                        ended = True
                    else:
                        (patient if asked.patient else urgent).append(asked)
                if urgent:
                    self._commit(connection, [urgent.popleft() for _ in range(min(BATCH, len(urgent)))])
                if patient:  # also while there is always something urgent: one after each batch
                    tried = self._commit(connection, patient, gives_way=True)
                    for _ in range(tried):
                        patient.popleft()

    def _commit(self, connection: Connection, batch: Sequence[_Asked], *, gives_way: bool = False) -> int:
        """How many of the batch are done: one that `gives_way` ends early when another write is asked for."""
        begun = False
        results: list[Any] = []
        try:
            with connection.begin():
                begun = True
                for asked in batch:
                    results.append(asked.work(connection))
                    if gives_way and not self._waiting.empty():
                        break
                self._checkpoint("before_write")
        except Exception as error:
            _undo(connection)
            if begun and len(batch) > 1:
                for asked in batch:
                    self._commit(connection, [asked])
            else:  # what does not even begin (somebody else holds the database) is nobody's own fault
                spoken = self._spoken(error)
                for asked in batch:
                    asked.done.set_exception(spoken)
            return len(batch)
        self._checkpoint("after_write")
        for asked, result in zip(batch, results, strict=False):
            asked.done.set_result(result)
        return len(results)


class InlineWriter:
    """The same promise without a thread, for tests in virtual time."""

    def __init__(self, engine: Engine) -> None:
        self._connection = engine.connect()

    async def do(self, work: Work[T], *, patient: bool = False) -> T:
        try:
            with self._connection.begin():
                return work(self._connection)
        except SQLAlchemyError as error:
            _undo(self._connection)
            raise write_error(error) from error

    async def close(self) -> None:
        self._connection.close()


def _undo(connection: Connection) -> None:
    """SQLite may leave a transaction open whose COMMIT failed, and SQLAlchemy thinks that it is over: the
    next write, somebody else's, would fail with "cannot start a transaction within a transaction".
    """
    with contextlib.suppress(DatabaseError):
        connection.connection.rollback()
