"""Queries of the statistics: requests, timelines and open generations."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, func, not_, select, text

from services.core.model import FINAL, Generation, Phase, Receipt, TraceEntry
from services.store.listing import first_id_at
from services.store.rows import from_row, receipt_of, trace_from_row
from services.store.store import Store
from services.store.tables import SPENT
from services.store.tables import generations as g
from services.store.tables import trace_entries as t

LAST_WORDS = 20
_OPEN = sorted(str(phase) for phase in frozenset(Phase) - FINAL)
_LENGTH = g.c.request["duration_s"].as_float()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """As much of a generation as is counted."""

    id: str
    backend: str
    model: str
    length_s: float | None
    created_at: float
    phase: Phase
    late: bool
    receipt: Receipt | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Newest first. `polls` are (id, "attempt" or "check", how many), `breaks` (id, reason)."""

    asked: list[Asked]
    polls: list[tuple[str, str, int]]
    breaks: list[tuple[str, str]]
    cut: bool
    """There was more of it than was read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """An open generation and the last words of its timeline, oldest first."""

    generation: Generation
    entries: list[TraceEntry]
    attempts: int
    checks: int
    breaks: int


class StatisticsRows:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def told(self, since: float, *, owner: str, most: int) -> Told:
        """Of the newest `most` generations that were asked for from then on, the trash included."""
        return await self._store.read(lambda connection: _told(connection, since, owner, most))

    async def open_ones(self, *, owner: str, most: int) -> tuple[list[Watched], int]:
        """The newest `most` that are not final, and how many there are in all."""

        def work(connection: Connection) -> tuple[list[Watched], int]:
            where = (g.c.owner == owner, g.c.phase.in_(_OPEN))
            rows = connection.execute(select(g).where(*where).order_by(g.c.id.desc()).limit(most)).mappings()
            found = [_watched(connection, from_row(row)) for row in rows.all()]
            count = connection.execute(select(func.count()).select_from(g).where(*where)).scalar_one()
            return found, count

        return await self._store.read(work)


def _told(connection: Connection, since: float, owner: str, most: int) -> Told:
    columns = (
        g.c.id,
        g.c.backend,
        g.c.model,
        _LENGTH,
        g.c.created_at,
        g.c.phase,
        g.c.late_since,
        g.c.receipt,
    )
    query = select(*columns).where(g.c.owner == owner, g.c.id >= first_id_at(since))
    rows = connection.execute(query.order_by(g.c.id.desc()).limit(most + 1)).all()
    asked = [_asked(*row) for row in rows[:most]]
    if not asked:
        return Told(asked=[], polls=[], breaks=[], cut=False)
    spent = (text(SPENT), t.c.generation_id >= asked[-1].id)
    polls = (
        select(t.c.generation_id, t.c.event, func.count())
        .where(*spent, t.c.lane == "poll", t.c.event != "lost")
        .group_by(t.c.generation_id, t.c.event)
    )
    lost = (
        select(t.c.generation_id, t.c.data)
        .where(*spent, t.c.lane == "push", t.c.event == "lost")
        .order_by(t.c.generation_id.desc())
        .limit(most + 1)
    )
    breaks = [(name, str(data.get("reason", ""))) for name, data in connection.execute(lost).all()]
    return Told(
        asked=asked,
        polls=[(name, event, count) for name, event, count in connection.execute(polls).all()],
        breaks=breaks[:most],
        cut=len(rows) > most or len(breaks) > most,
    )


def _asked(
    generation_id: str,
    backend: str,
    model: str,
    length_s: float | None,
    created_at: float,
    phase: str,
    late_since: float | None,
    receipt: dict[str, Any] | None,
) -> Asked:
    slip = receipt_of(receipt)
    return Asked(
        id=generation_id,
        backend=backend,
        model=model,
        length_s=length_s,
        created_at=created_at,
        phase=Phase(phase),
        late=late_since is not None or (slip is not None and slip.late_s is not None),
        receipt=slip,
    )


def _watched(connection: Connection, generation: Generation) -> Watched:
    mine = t.c.generation_id == generation.id
    heard = and_(t.c.lane == "push", t.c.event == "event")
    newest = select(t).where(mine).order_by(t.c.seq.desc())
    rows = connection.execute(newest.where(not_(heard)).limit(LAST_WORDS)).mappings().all()
    rows = [*connection.execute(newest.limit(1)).mappings().all(), *rows]
    entries = {row["seq"]: trace_from_row(row, generation.owner) for row in rows}
    spent = select(t.c.lane, t.c.event, func.count()).where(text(SPENT), mine).group_by(t.c.lane, t.c.event)
    counts = {(lane, event): count for lane, event, count in connection.execute(spent).all()}
    return Watched(
        generation=generation,
        entries=_in_order(list(entries.values())),
        attempts=counts.get(("poll", "attempt"), 0),
        checks=counts.get(("poll", "check"), 0),
        breaks=counts.get(("push", "lost"), 0),
    )


def _in_order(entries: Sequence[TraceEntry]) -> list[TraceEntry]:
    return sorted(entries, key=lambda entry: entry.seq)
