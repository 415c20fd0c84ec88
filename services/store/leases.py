"""Leases: a row's watcher holds one; an expired one may be claimed."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, or_, select, update

from services.core.model import Generation
from services.store.rows import from_row
from services.store.statements import OPEN, awaited, in_one_of
from services.store.tables import generations as g


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """How the leases stand after a renewal. Of rows that are still to be watched."""

    ours: frozenset[str]
    taken: frozenset[str]
    """Others hold these, and live."""
    claimed: list[Generation]
    """Their leases had run out, or nobody held them; now they are ours as well. Oldest first."""


def renew(connection: Connection, owner: str, *, now: float, until: float) -> Held:
    """A lease of our own that has run out is ours again, unless somebody has claimed the row since."""
    mine = update(g).where(g.c.lease_owner == owner, watched(now))
    ours = connection.execute(mine.values(lease_until=until).returning(g.c.id)).scalars().all()
    claimed = claim(connection, and_(watched(now), run_out(now)), owner, until=until)
    others = select(g.c.id).where(watched(now), g.c.lease_owner != owner)
    taken = connection.execute(others).scalars().all()
    return Held(ours=frozenset(ours), taken=frozenset(taken), claimed=claimed)


def claim(
    connection: Connection, where: ColumnElement[bool], owner: str, *, until: float
) -> list[Generation]:
    """Whoever watched them before can write nothing from now on."""
    taking = update(g).where(where)
    rows = connection.execute(
        taking.values(epoch=g.c.epoch + 1, lease_owner=owner, lease_until=until).returning(*g.c)
    )
    return sorted((from_row(row) for row in rows.mappings()), key=lambda row: row.id)


def watched(now: float) -> ColumnElement[bool]:
    """Not final; or stopped or failed, but its job may still bring what was paid for."""
    return or_(in_one_of(OPEN), and_(g.c.job_id.is_not(None), awaited(now)))


def run_out(now: float) -> ColumnElement[bool]:
    return or_(g.c.lease_owner.is_(None), g.c.lease_until.is_(None), g.c.lease_until < now)
