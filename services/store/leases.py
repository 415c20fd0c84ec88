"""Leases: the process that watches a row holds one; an expired lease may be claimed."""

from dataclasses import dataclass

import sqlalchemy as sa

from services.core.model import Generation
from services.store.rows import from_row
from services.store.statements import IS_OPEN, awaited
from services.store.tables import generations as g


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewal:
    """The leases of the rows to watch, after a renewal."""

    renewed: frozenset[str]
    held_elsewhere: frozenset[str]
    """Other processes hold these, unexpired."""
    claimed: list[Generation]
    """Their leases had expired, or nobody held them. Oldest first."""


def renew(connection: sa.Connection, owner: str, *, now: float, until: float) -> Renewal:
    """Also renews expired leases of `owner`, unless another process has claimed the row since."""
    own = sa.update(g).where(g.c.lease_owner == owner, needs_watcher(now))
    renewed = frozenset(connection.execute(own.values(lease_until=until).returning(g.c.id)).scalars())
    claimed = claim(connection, needs_watcher(now) & expired(now), owner, until=until)
    others = sa.select(g.c.id).where(needs_watcher(now), g.c.lease_owner != owner)
    held_elsewhere = frozenset(connection.execute(others).scalars())
    return Renewal(renewed=renewed, held_elsewhere=held_elsewhere, claimed=claimed)


def claim(
    connection: sa.Connection, where: sa.ColumnElement[bool], owner: str, *, until: float
) -> list[Generation]:
    """Raises the epoch, so that an earlier watcher can no longer write. Oldest first."""
    new = {"epoch": g.c.epoch + 1, "lease_owner": owner, "lease_until": until}
    rows = connection.execute(sa.update(g).where(where).values(new).returning(*g.c)).mappings()
    return sorted((from_row(row) for row in rows), key=lambda row: row.id)


def needs_watcher(now: float) -> sa.ColumnElement[bool]:
    """Open; or stopped or failed with a job that may still bring a paid result."""
    return IS_OPEN | (g.c.job_id.is_not(None) & awaited(now))


def expired(now: float) -> sa.ColumnElement[bool]:
    return g.c.lease_owner.is_(None) | g.c.lease_until.is_(None) | (g.c.lease_until < now)
