"""Which generation holds which job of a backend, and which may have one that is not known."""

import time
from collections.abc import Callable, Sequence

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal,
    or_,
    select,
    text,
    update,
)

from services.core.model import Generation, Kind, Phase
from services.store.rows import from_row
from services.store.statements import in_one_of
from services.store.store import Store
from services.store.tables import UNSURE, past_jobs
from services.store.tables import generations as g

ENDED = frozenset({Phase.ERROR, Phase.DROPPED})
GIVEN_TO = ENDED | {Phase.SUBMITTING, Phase.UNCONFIRMED}
MOST_VARIABLES = 500
"""In one statement: SQLite before 3.32 takes 999."""
_other = g.alias("other")


class JobRows:
    def __init__(self, store: Store, *, now: Callable[[], float] = time.time) -> None:
        self._store = store
        self._now = now

    async def give(
        self, generation_id: str, *, epoch: int, job_id: str, watch_until: float | None
    ) -> Generation | None:
        """Its job is known: an open one goes on as processing, a stopped or failed one stays what it is.

        None, and nothing changed, where the row is not this watcher's any more or has another job, and where
        another row holds that job or held it.
        """
        named = {
            "the_id": generation_id,
            "the_epoch": epoch,
            "the_job": job_id,
            "until": watch_until,
            "at": self._now(),
        }
        row = await self._store.write(
            lambda connection: connection.execute(_GIVE, named).mappings().one_or_none()
        )
        return from_row(row) if row else None

    async def record_job(self, generation_id: str, job_id: str) -> Generation | None:
        """A fact, whosever the row is by now: which job was paid for it. None as `give` says."""
        new = {"job_id": job_id, "updated_at": self._now(), "revision": g.c.revision + 1}
        statement = (
            update(g).where(g.c.id == generation_id, _free(literal(job_id))).values(**new).returning(*g.c)
        )
        row = await self._store.write(
            lambda connection: connection.execute(statement).mappings().one_or_none()
        )
        return from_row(row) if row else None

    async def over(self, generation_id: str, *, epoch: int) -> Generation | None:
        """Of a stopped or failed one: its job has ended without a result, nothing is awaited any more."""
        return await self._settle(generation_id, epoch, watch_until=None, possibly_accepted_since=None)

    async def settle(self, generation_id: str, *, epoch: int, possibly_accepted_since: float | None) -> None:
        """Of a stopped or failed one: whether a request of it was perhaps taken is known better now."""
        await self._settle(generation_id, epoch, possibly_accepted_since=possibly_accepted_since)

    async def unsure(self, backend: str, kind: Kind, *, since: float) -> list[Generation]:
        """Those whose request may have been taken after `since`, and whose job is not known; oldest first."""
        query = (
            select(g)
            .where(
                text(UNSURE),
                g.c.backend == backend,
                g.c.kind == str(kind),
                g.c.possibly_accepted_since > since,
            )
            .order_by(g.c.id)
        )
        rows = await self._store.read(lambda connection: connection.execute(query).mappings().all())
        return [from_row(row) for row in rows]

    async def holders(self, backend: str, job_ids: Sequence[str]) -> dict[str, float | None]:
        """Those of the jobs that a generation holds or held, each with when it was submitted, if known."""

        def work(connection: Connection) -> dict[str, float | None]:
            known: dict[str, float | None] = {}
            for start in range(0, len(job_ids), MOST_VARIABLES):
                some = job_ids[start : start + MOST_VARIABLES]
                past = select(past_jobs.c.job_id).where(
                    past_jobs.c.backend == backend, past_jobs.c.job_id.in_(some)
                )
                held = select(g.c.job_id, g.c.submitted_at).where(
                    g.c.backend == backend, g.c.job_id.in_(some)
                )
                known |= dict.fromkeys(connection.execute(past).scalars())
                known |= {row.job_id: row.submitted_at for row in connection.execute(held)}
            return known

        return await self._store.read(work)

    async def given_up(self, *, since: float, limit: int) -> list[Generation]:
        """Stopped ones and silent ones whose watch ended after `since` without a word from the backend."""
        silent = and_(g.c.phase == str(Phase.ERROR), g.c.error_code == "gave_up")
        query = (
            select(g)
            .where(
                or_(g.c.phase == str(Phase.DROPPED), silent),
                g.c.job_id.is_not(None),
                g.c.watch_until > since,
                g.c.watch_until <= self._now(),
            )
            .order_by(g.c.watch_until.desc())
            .limit(limit)
        )
        rows = await self._store.read(lambda connection: connection.execute(query).mappings().all())
        return [from_row(row) for row in rows]

    async def _settle(self, generation_id: str, epoch: int, **changes: float | None) -> Generation | None:
        new = changes | {"updated_at": self._now(), "revision": g.c.revision + 1}
        mine = and_(g.c.id == generation_id, g.c.epoch == epoch, in_one_of(ENDED))
        statement = update(g).where(mine).values(**new).returning(*g.c)
        row = await self._store.write(
            lambda connection: connection.execute(statement).mappings().one_or_none()
        )
        return from_row(row) if row else None


def _free(job_id: ColumnElement[str]) -> ColumnElement[bool]:
    """The row has no other job, and the job no other row."""
    held = exists().where(_other.c.id != g.c.id, _other.c.backend == g.c.backend, _other.c.job_id == job_id)
    past = exists().where(past_jobs.c.backend == g.c.backend, past_jobs.c.job_id == job_id)
    return and_(or_(g.c.job_id.is_(None), g.c.job_id == job_id), ~held, ~past)


_GIVE = (
    update(g)
    .where(
        g.c.id == bindparam("the_id"),
        g.c.epoch == bindparam("the_epoch"),
        in_one_of(GIVEN_TO),
        _free(bindparam("the_job")),
    )
    .values(
        job_id=bindparam("the_job"),
        phase=case((in_one_of(ENDED), g.c.phase), else_=str(Phase.PROCESSING)),
        # A failed one is watched again for what may come: this tells it from all others that failed.
        possibly_accepted_since=case(
            (g.c.phase == str(Phase.ERROR), g.c.possibly_accepted_since), else_=None
        ),
        watch_until=func.coalesce(bindparam("until"), g.c.watch_until),
        updated_at=bindparam("at"),
        revision=g.c.revision + 1,
    )
    .returning(*g.c)
)
