"""Backend jobs: which generation holds which job, and which generations may have an unknown one."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa

from services.core.job_results import MAX_RESULTS, extra_result_id
from services.core.model import Generation, Kind, Phase
from services.store.extra_results import add_extra_results
from services.store.rows import from_row
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
        assigned = await self.assign_all(
            generation_id, epoch=epoch, job_ids=(job_id,), watch_until=watch_until
        )
        return assigned[0] if assigned else None

    async def assign_all(
        self, generation_id: str, *, epoch: int, job_ids: Sequence[str], watch_until: float | None
    ) -> list[Generation]:
        """`assign` for all jobs of one answer, in one commit: the first free one becomes the generation's,
        each other one a new generation's. Returns the generation and the new ones; empty for None.
        """
        named = {"the_id": generation_id, "the_epoch": epoch, "until": watch_until, "at": self._now()}
        return await self._take(job_ids, lambda job_id: (_ASSIGN, named | {"the_job": job_id}))

    async def record_job(self, generation_id: str, job_id: str) -> Generation | None:
        """Records which job was paid for, whatever the epoch. None as in `assign`."""
        recorded = await self.record_jobs(generation_id, (job_id,))
        return recorded[0] if recorded else None

    async def record_jobs(self, generation_id: str, job_ids: Sequence[str]) -> list[Generation]:
        """`record_job` for all jobs of one answer. Returns as `assign_all` does."""
        new = revised(self._now())

        def own(job_id: str) -> tuple[sa.Executable, dict[str, Any]]:
            statement = sa.update(g).where(g.c.id == generation_id, _free(sa.literal(job_id)))
            return statement.values(job_id=job_id, **new).returning(*g.c), {}

        return await self._take(job_ids, own)

    async def add_extra_results(self, generation_id: str, job_ids: Sequence[str]) -> list[Generation]:
        """A generation for each extra result that has none yet."""

        def work(connection: sa.Connection) -> list[Generation]:
            row = connection.execute(sa.select(g).where(g.c.id == generation_id)).mappings().one_or_none()
            return self._add_extra_results(connection, from_row(row), job_ids) if row else []

        return await self._store.write(work)

    async def holder(self, backend: str, job_ids: Sequence[str]) -> Generation | None:
        """The generation that holds one of the jobs; None where it was removed for good."""
        held = sa.select(g).where(g.c.backend == backend, g.c.job_id.in_(job_ids))
        found = await self._store.generations(held.order_by(g.c.id).limit(1))
        return found[0] if found else None

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

    async def has_extra_results(self, backend: str, job_id: str) -> bool:
        """Whether another generation has an extra result of that job."""
        ids = [extra_result_id(job_id, number) for number in range(1, MAX_RESULTS)]
        query = sa.select(g.c.id).where(g.c.backend == backend, g.c.job_id.in_(ids)).limit(1)
        return await self._store.scalar(query) is not None

    async def _take(
        self, job_ids: Sequence[str], own: Callable[[str], tuple[sa.Executable, dict[str, Any]]]
    ) -> list[Generation]:
        def work(connection: sa.Connection) -> list[Generation]:
            for job_id in job_ids:
                row = connection.execute(*own(job_id)).mappings().one_or_none()
                if row is not None:
                    others = [each for each in job_ids if each != job_id]
                    generation = from_row(row)
                    return [generation, *self._add_extra_results(connection, generation, others)]
            return []

        return await self._store.write(work)

    def _add_extra_results(
        self, connection: sa.Connection, parent: Generation, job_ids: Sequence[str]
    ) -> list[Generation]:
        until = self._now() + self._store.lease_s
        return add_extra_results(connection, parent, job_ids, lease_owner=self._store.process, until=until)

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
