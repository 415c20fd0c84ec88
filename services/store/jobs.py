"""Backend jobs: which generation holds which job, and which generations may have an unknown one."""

import time
from collections.abc import Callable, Sequence

import sqlalchemy as sa

from services.core.model import Generation, Kind, Phase
from services.store.statements import in_one_of, revised
from services.store.store import Store
from services.store.tables import UNSURE, past_jobs
from services.store.tables import generations as g

ENDED = frozenset({Phase.ERROR, Phase.DROPPED})
ASSIGNABLE = ENDED | {Phase.SUBMITTING, Phase.UNCONFIRMED}
MAX_VARIABLES = 500
"""In one statement: SQLite before 3.32 takes 999."""
_other = g.alias("other")


class JobRows:
    def __init__(self, store: Store, *, now: Callable[[], float] = time.time) -> None:
        self._store = store
        self._now = now

    async def assign(
        self, generation_id: str, *, epoch: int, job_id: str, watch_until: float | None
    ) -> Generation | None:
        """Sets the job: an open generation becomes processing, a stopped or failed one keeps its phase.

        None, and nothing changed, where the epoch has passed, the generation has another job, or another
        generation holds or held the job.
        """
        named = {"the_id": generation_id, "the_epoch": epoch, "the_job": job_id}
        return await self._store.update_one(_ASSIGN, named | {"until": watch_until, "at": self._now()})

    async def record_job(self, generation_id: str, job_id: str) -> Generation | None:
        """Records which job was paid for, whatever the epoch. None as in `assign`."""
        statement = sa.update(g).where(g.c.id == generation_id, _free(sa.literal(job_id)))
        return await self._store.update_one(
            statement.values(job_id=job_id, **revised(self._now())).returning(*g.c)
        )

    async def stop_waiting(self, generation_id: str, *, epoch: int) -> Generation | None:
        """The job of a stopped or failed generation has ended without a result."""
        return await self._change_ended(generation_id, epoch, watch_until=None, possibly_accepted_since=None)

    async def set_possibly_accepted(self, generation_id: str, *, epoch: int, since: float | None) -> None:
        """Of a stopped or failed generation; None when its submit was certainly not accepted."""
        await self._change_ended(generation_id, epoch, possibly_accepted_since=since)

    async def possibly_accepted(self, backend: str, kind: Kind, *, since: float) -> list[Generation]:
        """Submitted after `since` without a known job; oldest first."""
        query = sa.select(g).where(sa.text(UNSURE), g.c.backend == backend, g.c.kind == str(kind))
        query = query.where(g.c.possibly_accepted_since > since)
        return await self._store.generations(query.order_by(g.c.id))

    async def holders(self, backend: str, job_ids: Sequence[str]) -> dict[str, float | None]:
        """The jobs that a generation holds or held, and when each was submitted, where known."""

        def work(connection: sa.Connection) -> dict[str, float | None]:
            known: dict[str, float | None] = {}
            for start in range(0, len(job_ids), MAX_VARIABLES):
                ids = job_ids[start : start + MAX_VARIABLES]
                past = sa.select(past_jobs.c.job_id, sa.null()).where(
                    past_jobs.c.backend == backend, past_jobs.c.job_id.in_(ids)
                )
                held = sa.select(g.c.job_id, g.c.submitted_at).where(
                    g.c.backend == backend, g.c.job_id.in_(ids)
                )
                for query in (past, held):
                    known |= dict(connection.execute(query).all())
            return known

        return await self._store.read(work)

    async def given_up(self, *, since: float, limit: int) -> list[Generation]:
        """Stopped and silent generations whose watch ended after `since`; the latest first."""
        silent = (g.c.phase == str(Phase.ERROR)) & (g.c.error_code == "gave_up")
        query = sa.select(g).where(
            (g.c.phase == str(Phase.DROPPED)) | silent,
            g.c.job_id.is_not(None),
            g.c.watch_until > since,
            g.c.watch_until <= self._now(),
        )
        return await self._store.generations(query.order_by(g.c.watch_until.desc()).limit(limit))

    async def _change_ended(
        self, generation_id: str, epoch: int, **changes: float | None
    ) -> Generation | None:
        statement = sa.update(g).where(g.c.id == generation_id, g.c.epoch == epoch, in_one_of(ENDED))
        return await self._store.update_one(statement.values(changes | revised(self._now())).returning(*g.c))


def _free(job_id: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """The row has no other job, and the job no other row."""
    held = sa.exists().where(
        _other.c.id != g.c.id, _other.c.backend == g.c.backend, _other.c.job_id == job_id
    )
    past = sa.exists().where(past_jobs.c.backend == g.c.backend, past_jobs.c.job_id == job_id)
    return (g.c.job_id.is_(None) | (g.c.job_id == job_id)) & ~held & ~past


_ASSIGN = (
    sa.update(g)
    .where(g.c.id == sa.bindparam("the_id"), g.c.epoch == sa.bindparam("the_epoch"))
    .where(in_one_of(ASSIGNABLE), _free(sa.bindparam("the_job")))
    .values(
        job_id=sa.bindparam("the_job"),
        phase=sa.case((in_one_of(ENDED), g.c.phase), else_=str(Phase.PROCESSING)),
        # Kept on a failed generation: it marks those among the failed that are watched again.
        possibly_accepted_since=sa.case(
            (g.c.phase == str(Phase.ERROR), g.c.possibly_accepted_since), else_=None
        ),
        watch_until=sa.func.coalesce(sa.bindparam("until"), g.c.watch_until),
        updated_at=sa.bindparam("at"),
        revision=g.c.revision + 1,
    )
    .returning(*g.c)
)
