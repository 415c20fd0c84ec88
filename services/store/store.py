"""Generations in the database: every change is a compare-and-set, one revision each."""

import asyncio
import functools
import itertools
import json
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from services.core.errors import Conflict, NotFound, StoreFailed
from services.core.model import Generation, GenerationQuery, Kept, Kind, Phase, Receipt, TraceEntry
from services.store import leases, statements
from services.store.db_errors import RECOVERY_HINT, check_integrity, is_damage, read_error, write_error
from services.store.engine import reading_engine, writing_engine
from services.store.listing import page_of
from services.store.migrate import migrate
from services.store.rows import changes_to_row, from_row, to_row, trace_from_row, trace_to_row
from services.store.tables import generations as g
from services.store.tables import idempotency_keys as k
from services.store.tables import trace_entries as t
from services.store.writer import InlineWriter, Writer

log = logging.getLogger(__name__)

T = TypeVar("T")
LEASE_S = 30.0
RECENT_ROWS = 200
LOG_BATCH = 32
"""Trace lines written in one go, about 4 ms, before other writes get their turn."""
EVERYTHING = GenerationQuery()
_DRAWABLE = sa.func.json_extract(g.c.kept, "$.problem").is_(None)


class Store:
    """`process` owns this process's leases; `inline` runs everything on the event loop (tests)."""

    def __init__(
        self,
        url: str,
        *,
        process: str,
        lease_s: float = LEASE_S,
        now: Callable[[], float] = time.time,
        inline: bool = False,
        checkpoint: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.process = process
        self.lease_s = lease_s
        self._now = now
        self._checkpoint = checkpoint
        self._inline = inline
        self._writes = writing_engine(url)
        self._reads = reading_engine(url)
        self._readers = ThreadPoolExecutor(4, thread_name_prefix="store-reader")
        self._prepared = False
        self.damaged = False
        """A damaged page has been met since this process started."""

    def prepare(self) -> None:
        """Checks the file's integrity and migrates it, once. Raises CannotStart."""
        if not self._prepared:
            check_integrity(self._writes)
            migrate(self._writes)
            self._prepared = True

    async def open(self) -> None:
        """Prepares, then accepts work. Raises CannotStart."""
        if self._inline:
            self.prepare()
            self._writer: Writer | InlineWriter = InlineWriter(self._writes)
            return
        await asyncio.to_thread(self.prepare)
        self._writer = Writer(
            self._writes,
            checkpoint=self._checkpoint,
            translate=lambda error: self._log_damage(write_error(error)),
        )

    async def close(self) -> None:
        await self._writer.close()
        self._readers.shutdown(wait=False)
        self._reads.dispose()
        self._writes.dispose()

    # -- requests ----------------------------------------------------------------------------

    async def add(
        self, rows: Sequence[Generation], *, key: str | None = None, fingerprint: str = ""
    ) -> list[Generation]:
        """Commits the intent. With a known `key` it returns the key's generations instead.

        Raises Conflict when the key was used with another fingerprint.
        """

        def work(connection: sa.Connection) -> list[Generation]:
            first = rows[0]
            if key is not None:
                known = _known_key(connection, first.owner, key, fingerprint)
                if known:
                    return known
                new = {"owner": first.owner, "key": key, "fingerprint": fingerprint}
                created = {"request_id": first.request_id, "created_at": first.created_at}
                connection.execute(sa.insert(k).values(new | created))
            lease = {"lease_owner": self.process, "lease_until": self._leased_until}
            connection.execute(sa.insert(g), [to_row(row) | lease for row in rows])
            return list(rows)

        return await self.write(work)

    async def find_by_key(self, owner: str, key: str, fingerprint: str) -> list[Generation]:
        """The generations started with that key; empty for a new one. Raises Conflict as `add` does."""
        return await self.read(lambda connection: _known_key(connection, owner, key, fingerprint))

    async def get(self, generation_id: str, *, owner: str | None = None, trashed: bool = False) -> Generation:
        """Raises NotFound; with an `owner` also for rows of others and, unless `trashed`, in the trash."""
        query = _ONE if owner is None else _ONE_EVEN_TRASHED if trashed else _ONE_OF_OWNER
        named = {"the_id": generation_id} | ({} if owner is None else {"the_owner": owner})
        found = await self.generations(query, named)
        if not found:
            raise NotFound("Generation not found.")
        return found[0]

    async def ids_of_request(self, request_id: str, *, owner: str) -> list[str]:
        """Oldest first, with those in the trash."""
        query = sa.select(g.c.id).where(g.c.request_id == request_id, g.c.owner == owner)
        return [row["id"] for row in await self.rows(query.order_by(g.c.id))]

    async def page(
        self, query: GenerationQuery = EVERYTHING, *, owner: str, before: str | None = None, limit: int = 50
    ) -> list[Generation]:
        """Newest first; `before` is the last id of the previous page."""
        return await self.generations(*page_of(query, owner=owner, before=before, limit=limit))

    async def update(self, generation_id: str, **changes: Any) -> Generation | None:
        """Changes columns that do not belong to the watcher (trashed_at, poster, ...); None without a row."""
        return await self._change(generation_id, changes)

    async def mark_wanted(self, generation_id: str) -> Generation | None:
        """Turns a result that arrived after a stop into an ordinary one; None without a result."""
        return await self._change(
            generation_id, {"stop_requested_at": None}, phases=frozenset({Phase.COMPLETED})
        )

    async def count_clearable(self, *, owner: str, kind: Kind | None) -> int:
        """How many `trash_final` would move."""
        query = sa.select(sa.func.count()).select_from(g).where(*_clearable(owner, kind))
        return await self.read(lambda connection: connection.execute(query).scalar_one())

    async def trash_final(self, *, owner: str, kind: Kind | None) -> list[str]:
        """The ids that went to the trash. Starred ones stay, and results that arrived after a stop: they wait
        for a choice.
        """
        new = {"trashed_at": self._now(), **statements.revised(self._now())}
        statement = sa.update(g).where(*_clearable(owner, kind)).values(new).returning(g.c.id)
        return await self.write(lambda connection: list(connection.execute(statement).scalars()))

    async def untrash(self, ids: Sequence[str], *, owner: str) -> list[str]:
        """The ids that moved out of the trash."""
        where = [g.c.owner == owner, g.c.trashed_at.is_not(None), g.c.id.in_(ids)]
        new = {"trashed_at": None, **statements.revised(self._now())}
        statement = sa.update(g).where(*where).values(new).returning(g.c.id)
        return await self.write(lambda connection: list(connection.execute(statement).scalars()))

    # -- changes by a generation's watcher: None when its epoch has passed -------------------

    async def advance(
        self, generation_id: str, *, epoch: int, to: Phase, **changes: Any
    ) -> Generation | None:
        """Enters a phase; None also where NEXT does not allow it."""
        return await self._change(
            generation_id, {"phase": to, **changes}, epoch=epoch, phases=statements.BEFORE[to]
        )

    async def update_open(self, generation_id: str, *, epoch: int, **changes: Any) -> Generation | None:
        """Changes columns within the phase; None also for a final row."""
        return await self._change(generation_id, changes, epoch=epoch, phases=statements.OPEN)

    async def complete(
        self,
        generation_id: str,
        *,
        epoch: int,
        kept: Kept,
        receipt: Receipt,
        started_at: float | None = None,
    ) -> Generation | None:
        """The one commit point (R2): from every phase but `completed`, once."""
        changes: dict[str, Any] = {
            "phase": Phase.COMPLETED,
            "progress": 1.0,
            "stage": "",
            "error_code": "",
            "error_text": "",
            "kept": kept,
            "receipt": receipt,
            "finished_at": receipt.kept_at,
            **({} if started_at is None else {"started_at": started_at}),
        }
        return await self._change(generation_id, changes, epoch=epoch, phases=statements.NOT_COMPLETED)

    async def append_log(
        self, entries: Sequence[TraceEntry], progress: Sequence[statements.ReportedProgress]
    ) -> list[Generation]:
        """Stores trace lines and progress in small batches of low priority.

        Returns the rows that changed. After an error some may be stored: the call may be repeated as it was.
        """

        def add(batch: Sequence[TraceEntry], connection: sa.Connection) -> list[Generation]:
            connection.execute(statements.ADD_TRACE, [trace_to_row(entry) for entry in batch])
            return []

        def move(batch: Sequence[statements.ReportedProgress], connection: sa.Connection) -> list[Generation]:
            moved = connection.execute(statements.PROGRESS, {"lines": json.dumps(batch), "at": self._now()})
            return [from_row(row) for row in moved.mappings()]

        works = [functools.partial(add, batch) for batch in _batched(entries)]
        works += [functools.partial(move, batch) for batch in _batched(progress)]
        moved = await asyncio.gather(*(self._writer.run(work, low_priority=True) for work in works))
        return list(itertools.chain.from_iterable(moved))

    # -- leases ------------------------------------------------------------------------------

    async def claim(self, generation_id: str | None = None) -> list[Generation]:
        """Takes over all rows to watch, each with a new epoch: one process locks the folder, so at its start
        every lease is void. Or one row, unless another process holds it, unexpired.
        """
        now = self._now()
        where = leases.needs_watcher(now)
        if generation_id is not None:
            free = (g.c.lease_owner == self.process) | leases.expired(now)
            where = (g.c.id == generation_id) & free
        self._checkpoint("before_claim")
        claimed = await self.write(
            lambda connection: leases.claim(connection, where, self.process, until=self._leased_until)
        )
        self._checkpoint("after_claim")
        return claimed

    async def renew(self) -> leases.Renewal:
        """Renews all of this process's leases and claims expired ones, in one transaction."""
        self._checkpoint("before_renewal")
        renewal = await self.write(
            lambda connection: leases.renew(
                connection, self.process, now=self._now(), until=self._leased_until
            )
        )
        self._checkpoint("after_renewal")
        return renewal

    async def release(self) -> None:
        statement = sa.update(g).where(g.c.lease_owner == self.process)
        try:
            await self.execute(statement.values(lease_owner=None, lease_until=None))
        except StoreFailed as failed:
            log.warning("The leases were not given back; they run out. %s", failed)

    # -- queries -----------------------------------------------------------------------------

    async def trace(self, generation_id: str, *, owner: str) -> list[TraceEntry]:
        """Oldest first; `owner` is the generation's."""
        query = sa.select(t).where(t.c.generation_id == generation_id).order_by(t.c.seq)
        return [trace_from_row(row, owner) for row in await self.rows(query)]

    async def open_count(self) -> dict[Phase, int]:
        query = sa.select(g.c.phase, sa.func.count()).where(statements.IS_OPEN).group_by(g.c.phase)
        rows = await self.read(lambda connection: connection.execute(query).all())
        return {Phase(phase): count for phase, count in rows}

    async def durations(
        self, backend: str, model: str, *, length_s: float | None = None, last: int = 50
    ) -> list[float]:
        """Seconds of work of the `last` completed runs, shortest first: to delivery, from the submit, or
        from the end of the wait in the backend's queue where it told.

        Only of clips of `length_s`, where given; never of runs that a restart interrupted.
        """
        query = sa.select(g.c.finished_at - sa.func.coalesce(g.c.started_at, g.c.submitted_at)).where(
            g.c.backend == backend,
            g.c.model == model,
            g.c.phase == str(Phase.COMPLETED),
            g.c.submitted_at.is_not(None),
            g.c.epoch == 0,
            sa.true() if length_s is None else g.c.request["duration_s"].as_float() == length_s,
        )
        latest = query.order_by(g.c.finished_at.desc()).limit(last)
        return sorted(await self.read(lambda connection: connection.execute(latest).scalars().all()))

    async def media_names(self) -> set[str]:
        """All files of the media folder that a row names."""
        query = sa.select(g.c.kept, g.c.poster, g.c.preview, g.c.source)

        def work(connection: sa.Connection) -> set[str]:
            rows = connection.execute(query)
            return {name for kept, *names in rows for name in (kept and kept["name"], *names) if name}

        return await self.read(work)

    async def kept_files(self) -> dict[str, str]:
        """Generation id to the name of its kept file."""
        query = sa.select(g.c.id, g.c.kept).where(g.c.kept.is_not(None))
        return await self.read(
            lambda connection: {key: kept["name"] for key, kept in connection.execute(query)}
        )

    async def without_poster(self, *, finished_before: float, limit: int = 100) -> list[Generation]:
        """Completed, but the process ended before it had drawn the poster; newest first.

        Of what carries a problem none is drawn.
        """
        done = (g.c.phase == str(Phase.COMPLETED), g.c.finished_at < finished_before, _DRAWABLE)
        query = sa.select(g).where(*done, g.c.poster.is_(None), g.c.trashed_at.is_(None))
        return await self.generations(query.order_by(g.c.id.desc()).limit(limit))

    async def last_write_at(self) -> float | None:
        """About when a process last wrote here: by the newest rows, and the leases of the open ones.

        Valid until this process claims rows; None for an empty database.
        """
        newest = sa.select(g.c.updated_at).order_by(g.c.id.desc()).limit(RECENT_ROWS).subquery()
        changed = sa.select(sa.func.max(newest.c.updated_at)).scalar_subquery()
        leased = sa.select(sa.func.max(g.c.lease_until)).where(statements.IS_OPEN).scalar_subquery()
        (row,) = await self.rows(sa.select(changed, leased - self.lease_s))
        return max((at for at in row.values() if at is not None), default=None)

    async def ping(self) -> None:
        """Raises StoreFailed when the database does not take a write."""
        await self.execute(sa.select(sa.func.count()).select_from(k))

    # -- transactions, also for the other modules of the store. Each raises StoreFailed ------

    async def write(self, work: Callable[[sa.Connection], T], *, low_priority: bool = False) -> T:
        return await self._writer.run(work, low_priority=low_priority)

    async def execute(self, *changes: sa.Executable) -> None:
        def work(connection: sa.Connection) -> None:
            for statement in changes:
                connection.execute(statement)

        await self.write(work)

    async def update_one(self, statement: sa.Executable, named: Any = None) -> Generation | None:
        """An update that returns at most one generation's row."""
        row = await self.write(
            lambda connection: connection.execute(statement, named).mappings().one_or_none()
        )
        return from_row(row) if row else None

    async def read(self, work: Callable[[sa.Connection], T]) -> T:
        """`work` must not write."""

        def run() -> T:
            try:
                with self._reads.connect() as connection:
                    return work(connection)
            except SQLAlchemyError as error:
                raise self._log_damage(read_error(error)) from error

        if self._inline:
            return run()
        return await asyncio.get_running_loop().run_in_executor(self._readers, run)

    async def rows(self, query: sa.Executable, named: Any = None) -> Sequence[sa.RowMapping]:
        return await self.read(lambda connection: connection.execute(query, named).mappings().all())

    async def generations(self, query: sa.Executable, named: Any = None) -> list[Generation]:
        return [from_row(row) for row in await self.rows(query, named)]

    async def scalar(self, query: sa.Executable) -> Any:
        """The first column of the first row; None without one."""
        return await self.read(lambda connection: connection.execute(query).scalar())

    async def _change(
        self,
        generation_id: str,
        changes: dict[str, Any],
        *,
        epoch: int | None = None,
        phases: statements.Phases | None = None,
    ) -> Generation | None:
        new = {**changes_to_row(changes), "updated_at": self._now()}
        statement = statements.conditional_update(tuple(new), phases=phases, epoch=epoch is not None)
        named = {f"new_{name}": value for name, value in new.items()} | {"the_id": generation_id}
        return await self.update_one(statement, named if epoch is None else named | {"the_epoch": epoch})

    @property
    def _leased_until(self) -> float:
        return self._now() + self.lease_s

    def _log_damage(self, error: Exception) -> Exception:
        """Once, as an error: the page that is hit first may be one that nobody looks at for weeks."""
        if not self.damaged and is_damage(error):
            self.damaged = True
            log.error("The database file is damaged. %s", RECOVERY_HINT)
        return error


def _batched(items: Sequence[T]) -> list[Sequence[T]]:
    return [items[at : at + LOG_BATCH] for at in range(0, len(items), LOG_BATCH)]


def _known_key(connection: sa.Connection, owner: str, key: str, fingerprint: str) -> list[Generation]:
    used = sa.select(k.c.request_id, k.c.fingerprint).where(k.c.owner == owner, k.c.key == key)
    known = connection.execute(used).one_or_none()
    if known is None:
        return []
    if known.fingerprint != fingerprint:
        raise Conflict("This Idempotency-Key was used with another request. Send a new key.")
    rows = connection.execute(sa.select(g).where(g.c.request_id == known.request_id).order_by(g.c.id))
    return [from_row(row) for row in rows.mappings()]


def _clearable(owner: str, kind: Kind | None) -> list[sa.ColumnElement[bool]]:
    unwanted = (g.c.phase == str(Phase.COMPLETED)) & g.c.stop_requested_at.is_not(None)
    where = [
        g.c.owner == owner,
        g.c.trashed_at.is_(None),
        g.c.starred_at.is_(None),
        statements.IS_FINAL,
        ~unwanted,
    ]
    return where if kind is None else [*where, g.c.kind == str(kind)]


_ONE = sa.select(g).where(g.c.id == sa.bindparam("the_id"))
_ONE_EVEN_TRASHED = _ONE.where(g.c.owner == sa.bindparam("the_owner"))
_ONE_OF_OWNER = _ONE_EVEN_TRASHED.where(g.c.trashed_at.is_(None))
