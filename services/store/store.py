"""Generations in the database: every change is a compare-and-set, one revision each."""

import asyncio
import functools
import json
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from sqlalchemy import (
    Connection,
    RowMapping,
    and_,
    bindparam,
    func,
    insert,
    not_,
    or_,
    select,
    update,
)
from sqlalchemy.exc import SQLAlchemyError

from services.core.errors import Conflict, NotFound, StoreFailed
from services.core.model import FINAL, Generation, GenerationQuery, Kept, Kind, Phase, Receipt, TraceEntry
from services.store import leases
from services.store.db_errors import RESCUE, is_damage, look_for_damage, read_error, write_error
from services.store.engine import reading_engine, writing_engine
from services.store.listing import page_of
from services.store.migrate import migrate
from services.store.rows import changes_to_row, from_row, to_row, trace_from_row, trace_to_row
from services.store.statements import ADD_TRACE, BEFORE, NOT_COMPLETED, OPEN, PROGRESS, Phases, change
from services.store.tables import generations as g
from services.store.tables import idempotency_keys, trace_entries
from services.store.writer import InlineWriter, Writer

log = logging.getLogger(__name__)

T = TypeVar("T")
L = TypeVar("L")
LEASE_S = 30.0
NEWEST = 200
PORTION = 32
"""So many lines of the journal are written before others get their turn: about 4 ms."""
EVERYTHING = GenerationQuery()
_FINAL = [str(phase) for phase in FINAL]


class Store:
    """`process` names the owner of this process's leases; `inline` runs everything on the loop (tests)."""

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
        self._prepared = False
        self.damaged = False
        """A page of the file could not be understood since this process began."""

    def prepare(self) -> None:
        """Look whether it is whole, and migrate, once. Raises CannotStart."""
        if not self._prepared:
            look_for_damage(self._writes)
            migrate(self._writes)
            self._prepared = True

    async def open(self) -> None:
        """Prepare, then accept work. Raises CannotStart."""
        if self._inline:
            self.prepare()
            self._writer: Writer | InlineWriter = InlineWriter(self._writes)
            return
        await asyncio.to_thread(self.prepare)
        self._writer = Writer(self._writes, checkpoint=self._checkpoint, spoken=self._not_written)
        self._readers = ThreadPoolExecutor(4, thread_name_prefix="store-reader")

    async def close(self) -> None:
        await self._writer.close()
        if not self._inline:
            self._readers.shutdown(wait=False)
        self._reads.dispose()
        self._writes.dispose()

    # -- what a person does ------------------------------------------------------------------

    async def add(
        self, rows: Sequence[Generation], *, key: str | None = None, fingerprint: str = ""
    ) -> list[Generation]:
        """Commit the intent. With a `key` that is known, its generations are given back instead.

        Raises Conflict when the key came with another fingerprint.
        """

        def work(connection: Connection) -> list[Generation]:
            first = rows[0]
            if key is not None:
                known = _known_key(connection, first.owner, key, fingerprint)
                if known:
                    return known
                connection.execute(
                    insert(idempotency_keys).values(
                        owner=first.owner,
                        key=key,
                        fingerprint=fingerprint,
                        request_id=first.request_id,
                        created_at=first.created_at,
                    )
                )
            lease = {"lease_owner": self.process, "lease_until": self._leased_until}
            connection.execute(insert(g), [to_row(row) | lease for row in rows])
            return list(rows)

        return await self._writer.do(work)

    async def known(self, owner: str, key: str, fingerprint: str) -> list[Generation]:
        """What was started with that key, or nothing. Raises Conflict as `add` does."""
        return await self.read(lambda connection: _known_key(connection, owner, key, fingerprint))

    async def get(self, generation_id: str, *, owner: str | None = None, trashed: bool = False) -> Generation:
        """Raises NotFound, also for what is somebody else's when `owner` is named, and then, unless
        `trashed`, for what is in the trash.
        """
        query = _ONE if owner is None else _ONE_EVEN_TRASHED if trashed else _ONE_OF_OWNER
        named = {"the_id": generation_id} | ({} if owner is None else {"the_owner": owner})
        rows = await self.read(lambda connection: connection.execute(query, named).mappings().all())
        if not rows:
            raise NotFound("There is no such generation here.")
        return from_row(rows[0])

    async def page(
        self, wanted: GenerationQuery = EVERYTHING, *, owner: str, before: str | None = None, limit: int = 50
    ) -> list[Generation]:
        """Newest first; `before` is the last id of the page in front."""
        query, values = page_of(wanted, owner=owner, before=before, limit=limit)
        rows = await self.read(lambda connection: connection.execute(query, values).mappings().all())
        return [from_row(row) for row in rows]

    async def note(self, generation_id: str, **changes: Any) -> Generation | None:
        """Change what is nobody's phase (hidden, shown, poster, ...); None when there is no such row."""
        return await self._change(generation_id, changes)

    async def want(self, generation_id: str) -> Generation | None:
        """A result that had been stopped is an ordinary one from now on; None where there is no result."""
        return await self._change(
            generation_id, {"stop_requested_at": None}, phases=frozenset({Phase.COMPLETED})
        )

    async def trash_final(self, *, owner: str, kind: Kind | None) -> list[str]:
        """The ids that were hidden; what arrived after a stop still waits for a choice, and stays."""
        unwanted = and_(g.c.phase == str(Phase.COMPLETED), g.c.stop_requested_at.is_not(None))
        where = [g.c.owner == owner, g.c.trashed_at.is_(None), g.c.phase.in_(_FINAL), not_(unwanted)]
        if kind is not None:
            where.append(g.c.kind == str(kind))
        statement = (
            update(g).where(*where).values(**self._stamp({"trashed_at": self._now()})).returning(g.c.id)
        )
        return await self._writer.do(lambda connection: list(connection.execute(statement).scalars()))

    # -- what a watcher does -----------------------------------------------------------------

    async def advance(
        self, generation_id: str, *, epoch: int, to: Phase, **changes: Any
    ) -> Generation | None:
        """Into the next phase, if the row is still this watcher's and may go there; else None."""
        return await self._change(generation_id, {"phase": to, **changes}, epoch=epoch, phases=BEFORE[to])

    async def amend(self, generation_id: str, *, epoch: int, **changes: Any) -> Generation | None:
        """Change an open row without leaving its phase; None when it is not this watcher's any more."""
        return await self._change(generation_id, changes, epoch=epoch, phases=OPEN)

    async def complete(
        self, generation_id: str, *, epoch: int, kept: Kept, receipt: Receipt
    ) -> Generation | None:
        """The one commit point (R2): from every phase but `completed`, once; else None."""
        changes = {
            "phase": Phase.COMPLETED,
            "progress": 1.0,
            "stage": "",
            "error_code": "",
            "error_text": "",
            "kept": kept,
            "receipt": receipt,
            "finished_at": receipt.kept_at,
        }
        return await self._change(generation_id, changes, epoch=epoch, phases=NOT_COMPLETED)

    async def append_log(
        self, entries: Sequence[TraceEntry], progress: Sequence[tuple[str, int, float | None, str]]
    ) -> list[Generation]:
        """Keep trace lines and (id, epoch, progress, stage), a few at a time, behind every other write; the
        rows that moved. Where it fails some may be kept: the same lines may be told again.
        """

        def lines(few: Sequence[TraceEntry], connection: Connection) -> list[Generation]:
            connection.execute(ADD_TRACE, [trace_to_row(entry) for entry in few])
            return []

        def moves(
            few: Sequence[tuple[str, int, float | None, str]], connection: Connection
        ) -> list[Generation]:
            moved = connection.execute(PROGRESS, {"lines": json.dumps(few), "at": self._now()})
            return [from_row(row) for row in moved.mappings()]

        works = [functools.partial(lines, few) for few in _in_portions(entries)]
        works += [functools.partial(moves, few) for few in _in_portions(progress)]
        done = await asyncio.gather(*(self._writer.do(work, patient=True) for work in works))
        return [generation for moved in done for generation in moved]

    # -- leases ------------------------------------------------------------------------------

    async def claim(self, generation_id: str | None = None) -> list[Generation]:
        """Take over every row that is still to be watched, each with a new epoch: one process holds the
        folder, so at its start all leases are void. Or one row, unless another process holds it and lives.
        """
        now = self._now()
        where = leases.watched(now)
        if generation_id is not None:
            free = or_(g.c.lease_owner == self.process, leases.run_out(now))
            where = and_(g.c.id == generation_id, free)
        self._checkpoint("before_claim")
        claimed = await self._writer.do(
            lambda connection: leases.claim(connection, where, self.process, until=self._leased_until)
        )
        self._checkpoint("after_claim")
        return claimed

    async def renew(self) -> leases.Held:
        """All of this process's rows in one transaction; what others have let run out is claimed with it."""
        self._checkpoint("before_renewal")
        held = await self._writer.do(
            lambda connection: leases.renew(
                connection, self.process, now=self._now(), until=self._leased_until
            )
        )
        self._checkpoint("after_renewal")
        return held

    async def release(self) -> None:
        statement = (
            update(g).where(g.c.lease_owner == self.process).values(lease_owner=None, lease_until=None)
        )
        try:
            await self._writer.do(lambda connection: connection.execute(statement) and None)
        except StoreFailed as failed:
            log.warning("The leases were not given back; they run out. %s", failed)

    # -- what is asked -----------------------------------------------------------------------

    async def trace(self, generation_id: str, *, owner: str) -> list[TraceEntry]:
        """Oldest first; `owner` is the generation's."""
        query = (
            select(trace_entries)
            .where(trace_entries.c.generation_id == generation_id)
            .order_by(trace_entries.c.seq)
        )
        rows = await self.read(lambda connection: connection.execute(query).mappings().all())
        return [trace_from_row(row, owner) for row in rows]

    async def open_count(self) -> dict[Phase, int]:
        query = select(g.c.phase, func.count()).where(g.c.phase.not_in(_FINAL)).group_by(g.c.phase)
        rows = await self.read(lambda connection: connection.execute(query).all())
        return {Phase(phase): count for phase, count in rows}

    async def durations(
        self, backend: str, model: str, *, length_s: float | None = None, last: int = 50
    ) -> list[float]:
        """Seconds from the submit to the bytes of the last finished runs, shortest first.

        Only of films of that length, where one is named; never of runs that lived through a restart.
        """
        query = (
            select(g.c.finished_at - g.c.submitted_at)
            .where(
                g.c.backend == backend,
                g.c.model == model,
                g.c.phase == str(Phase.COMPLETED),
                g.c.submitted_at.is_not(None),
                g.c.epoch == 0,
                *([] if length_s is None else [g.c.request["duration_s"].as_float() == length_s]),
            )
            .order_by(g.c.finished_at.desc())
            .limit(last)
        )
        rows = await self.read(lambda connection: connection.execute(query).scalars().all())
        return sorted(float(value) for value in rows)

    async def media_names(self) -> set[str]:
        """Every file of the media folder that a row names."""
        query = select(g.c.kept, g.c.poster, g.c.preview, g.c.source)
        rows = await self.read(lambda connection: connection.execute(query).all())
        names: set[str | None] = set()
        for kept, poster, preview, source in rows:
            names |= {kept and kept["name"], poster, preview, source}
        return {name for name in names if name}

    async def kept_files(self) -> dict[str, str]:
        """Generation id to the name of its kept file."""
        query = select(g.c.id, g.c.kept).where(g.c.kept.is_not(None))
        rows = await self.read(lambda connection: connection.execute(query).all())
        return {generation_id: kept["name"] for generation_id, kept in rows}

    async def without_poster(self, *, finished_before: float, limit: int = 100) -> list[Generation]:
        """Kept, but the process ended before it had drawn the poster; newest first."""
        done = (g.c.phase == str(Phase.COMPLETED), g.c.finished_at < finished_before)
        query = select(g).where(*done, g.c.poster.is_(None), g.c.trashed_at.is_(None))
        return await self._generations(query.order_by(g.c.id.desc()).limit(limit))

    async def last_sign(self) -> float | None:
        """About when a process last wrote here: from the newest rows, and the leases of the open ones.

        Before this process claims any; None where there is nothing yet.
        """
        newest = select(g.c.updated_at).order_by(g.c.id.desc()).limit(NEWEST).subquery()
        leased = select(func.max(g.c.lease_until)).where(g.c.phase.in_([str(phase) for phase in OPEN]))

        def work(connection: Connection) -> list[float | None]:
            until = connection.execute(leased).scalar()
            changed = connection.execute(select(func.max(newest.c.updated_at))).scalar()
            return [changed, None if until is None else until - self.lease_s]

        return max((sign for sign in await self.read(work) if sign is not None), default=None)

    async def ping(self) -> None:
        """Raises StoreFailed when the database does not take a write."""
        await self._writer.do(
            lambda connection: connection.execute(select(func.count()).select_from(idempotency_keys)) and None
        )

    # -- below -------------------------------------------------------------------------------

    async def write(self, work: Callable[[Connection], T]) -> T:
        """For the other rooms of the store: `work` as one transaction. Raises StoreFailed."""
        return await self._writer.do(work)

    async def _change(
        self,
        generation_id: str,
        changes: dict[str, Any],
        *,
        epoch: int | None = None,
        phases: Phases | None = None,
    ) -> Generation | None:
        new = {**changes_to_row(changes), "updated_at": self._now()}
        statement = change(tuple(new), phases=phases, epoch=epoch is not None)
        named = {f"new_{name}": value for name, value in new.items()} | {"the_id": generation_id}
        if epoch is not None:
            named["the_epoch"] = epoch
        row: RowMapping | None = await self._writer.do(
            lambda connection: connection.execute(statement, named).mappings().one_or_none()
        )
        return from_row(row) if row else None

    @property
    def _leased_until(self) -> float:
        return self._now() + self.lease_s

    def _stamp(self, changes: dict[str, Any]) -> dict[str, Any]:
        return {**changes_to_row(changes), "updated_at": self._now(), "revision": g.c.revision + 1}

    async def _generations(self, query: Any) -> list[Generation]:
        rows = await self.read(lambda connection: connection.execute(query).mappings().all())
        return [from_row(row) for row in rows]

    async def read(self, work: Callable[[Connection], T]) -> T:
        """For the other rooms of the store: `work` on a connection that only reads. Raises StoreFailed."""

        def run() -> T:
            try:
                with self._reads.connect() as connection:
                    return work(connection)
            except SQLAlchemyError as error:
                raise self._noted(read_error(error)) from error

        if self._inline:
            return run()
        return await asyncio.get_running_loop().run_in_executor(self._readers, run)

    def _not_written(self, error: Exception) -> Exception:
        return self._noted(write_error(error))

    def _noted(self, error: Exception) -> Exception:
        """Damage is told once, aloud: what it hits first may be a page that nobody looks at for weeks."""
        if not self.damaged and is_damage(error):
            self.damaged = True
            log.error("The database file is damaged. %s", RESCUE)
        return error


def _in_portions(many: Sequence[L]) -> Iterator[Sequence[L]]:
    return (many[at : at + PORTION] for at in range(0, len(many), PORTION))


def _known_key(connection: Connection, owner: str, key: str, fingerprint: str) -> list[Generation]:
    keys = idempotency_keys
    known = (
        connection.execute(select(keys).where(keys.c.owner == owner, keys.c.key == key))
        .mappings()
        .one_or_none()
    )
    if known is None:
        return []
    if known["fingerprint"] != fingerprint:
        raise Conflict("This Idempotency-Key was used with another request. Send a new key.")
    rows = connection.execute(select(g).where(g.c.request_id == known["request_id"]).order_by(g.c.id))
    return [from_row(row) for row in rows.mappings()]


_ONE = select(g).where(g.c.id == bindparam("the_id"))
_ONE_EVEN_TRASHED = _ONE.where(g.c.owner == bindparam("the_owner"))
_ONE_OF_OWNER = _ONE_EVEN_TRASHED.where(g.c.trashed_at.is_(None))
