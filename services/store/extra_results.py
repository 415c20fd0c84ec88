"""Adds a generation for each extra job or result that one answer names."""

from collections.abc import Sequence
from itertools import count

import sqlalchemy as sa

from services.core.job_results import MAX_RESULTS, generation_id_of
from services.core.model import Generation, Phase
from services.store.rows import to_row
from services.store.tables import generations as g
from services.store.tables import past_jobs

MIN_WATCH_S = 3600.0


def add_extra_results(
    connection: sa.Connection, parent: Generation, job_ids: Sequence[str], *, lease_owner: str, until: float
) -> list[Generation]:
    """One for each job that no generation holds or held; called again it adds none."""
    job_ids = list(dict.fromkeys(job_ids))[: MAX_RESULTS - 1]
    if not job_ids:
        return []
    held = _held(connection, parent.request.backend, job_ids)
    free = [each for each in job_ids if each not in held]
    ids = _free_ids(connection, parent.id, len(free))
    added = [
        _extra_generation(parent, generation_id, job_id)
        for generation_id, job_id in zip(ids, free, strict=True)
    ]
    if added:
        lease = {"lease_owner": lease_owner, "lease_until": until}
        connection.execute(sa.insert(g), [to_row(each) | lease for each in added])
    return added


def _extra_generation(parent: Generation, generation_id: str, job_id: str) -> Generation:
    """The same request, with nothing of its own yet. Of a stopped one it is not wanted either."""
    stopped = parent.phase is Phase.DROPPED
    since = parent.updated_at + MIN_WATCH_S
    return Generation(
        id=generation_id,
        request_id=parent.request_id,
        owner=parent.owner,
        request=parent.request,
        phase=Phase.DROPPED if stopped else Phase.PROCESSING,
        created_at=parent.created_at,
        updated_at=parent.updated_at,
        job_id=job_id,
        submitted_at=parent.submitted_at,
        finished_at=parent.finished_at if stopped else None,
        stop_requested_at=parent.stop_requested_at if stopped else None,
        late_since=parent.late_since,
        late_after_s=parent.late_after_s,
        trashed_at=parent.trashed_at,
        watch_until=None if parent.watch_until is None else max(parent.watch_until, since),
    )


def _held(connection: sa.Connection, backend: str, job_ids: Sequence[str]) -> set[str]:
    tables = (g, past_jobs)
    return {
        job_id
        for table in tables
        for job_id in connection.execute(
            sa.select(table.c.job_id).where(table.c.backend == backend, table.c.job_id.in_(job_ids))
        ).scalars()
    }


def _free_ids(connection: sa.Connection, parent_id: str, wanted: int) -> list[str]:
    ids: list[str] = []
    for number in count(1):
        if len(ids) == wanted:
            return ids
        generation_id = generation_id_of(parent_id, number)
        taken = sa.select(g.c.id).where(g.c.id == generation_id)
        if connection.execute(taken).first() is None:
            ids.append(generation_id)
    return ids
