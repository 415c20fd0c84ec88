"""Queries of the statistics: generations, timelines and open generations."""

from dataclasses import dataclass

import sqlalchemy as sa

from services.core.model import Generation, Phase, Receipt, TraceEntry
from services.store.listing import first_id_at
from services.store.rows import from_row, receipt_from_json, trace_from_row
from services.store.statements import IS_OPEN
from services.store.store import Store
from services.store.tables import SPENT
from services.store.tables import generations as g
from services.store.tables import trace_entries as t

MAX_ENTRIES = 20
_COLUMNS = g.c.id, g.c.backend, g.c.model, g.c.created_at, g.c.phase, g.c.late_since, g.c.receipt
_LENGTH = g.c.request["duration_s"].as_float().label(name="length_s")


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationSummary:
    """The part of a generation that is counted."""

    id: str
    backend: str
    model: str
    length_s: float | None
    created_at: float
    phase: Phase
    late: bool
    receipt: Receipt | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryHistory:
    """Newest first. `polls` are (id, "attempt" or "check", count), `breaks` (id, reason)."""

    generations: list[GenerationSummary]
    polls: list[tuple[str, str, int]]
    breaks: list[tuple[str, str]]
    truncated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenGeneration:
    """With the end of its timeline, oldest entry first."""

    generation: Generation
    entries: list[TraceEntry]
    attempts: int
    checks: int
    breaks: int


class StatisticsRows:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def history(self, since: float, *, owner: str, limit: int) -> DeliveryHistory:
        """Of the newest `limit` generations created since then, the trash included."""
        return await self._store.read(lambda connection: _history(connection, since, owner, limit))

    async def open_generations(self, *, owner: str, limit: int) -> tuple[list[OpenGeneration], int]:
        """The newest `limit`, and how many there are in all."""
        query = sa.select(g).where(g.c.owner == owner, IS_OPEN).order_by(g.c.id.desc()).limit(limit)

        def work(connection: sa.Connection) -> tuple[list[OpenGeneration], int]:
            rows = connection.execute(query).mappings().all()
            total = sa.select(sa.func.count()).select_from(g).where(g.c.owner == owner, IS_OPEN)
            found = [_open_generation(connection, from_row(row)) for row in rows]
            return found, connection.execute(total).scalar_one()

        return await self._store.read(work)


def _history(connection: sa.Connection, since: float, owner: str, limit: int) -> DeliveryHistory:
    query = sa.select(*_COLUMNS, _LENGTH).where(g.c.owner == owner, g.c.id >= first_id_at(since))
    rows = connection.execute(query.order_by(g.c.id.desc()).limit(limit + 1)).mappings().all()
    generations = [_summary(row) for row in rows[:limit]]
    if not generations:
        return DeliveryHistory(generations=[], polls=[], breaks=[], truncated=False)
    spent = (sa.text(SPENT), t.c.generation_id >= generations[-1].id)
    polls = (
        sa.select(t.c.generation_id, t.c.event, sa.func.count())
        .where(*spent, t.c.lane == "poll", t.c.event != "lost")
        .group_by(t.c.generation_id, t.c.event)
    )
    lost = (
        sa.select(t.c.generation_id, t.c.data)
        .where(*spent, t.c.lane == "push", t.c.event == "lost")
        .order_by(t.c.generation_id.desc())
        .limit(limit + 1)
    )
    breaks = [(name, str(data.get("reason", ""))) for name, data in connection.execute(lost).all()]
    return DeliveryHistory(
        generations=generations,
        polls=[(name, event, count) for name, event, count in connection.execute(polls).all()],
        breaks=breaks[:limit],
        truncated=max(len(rows), len(breaks)) > limit,
    )


def _summary(row: sa.RowMapping) -> GenerationSummary:
    columns = dict(row)
    receipt = receipt_from_json(columns.pop("receipt"))
    late = columns.pop("late_since") is not None or (receipt is not None and receipt.late_s is not None)
    return GenerationSummary(**columns | {"phase": Phase(row["phase"]), "late": late, "receipt": receipt})


def _open_generation(connection: sa.Connection, generation: Generation) -> OpenGeneration:
    own = t.c.generation_id == generation.id
    newest = sa.select(t).where(own).order_by(t.c.seq.desc())
    pushed = (t.c.lane == "push") & (t.c.event == "event")
    queries = newest.where(~pushed).limit(MAX_ENTRIES), newest.limit(1)
    rows = [row for query in queries for row in connection.execute(query).mappings()]
    entries = {row["seq"]: trace_from_row(row, generation.owner) for row in rows}
    spent = sa.select(t.c.lane, t.c.event, sa.func.count()).where(sa.text(SPENT), own)
    counted = connection.execute(spent.group_by(t.c.lane, t.c.event)).all()
    counts = {(lane, event): count for lane, event, count in counted}
    return OpenGeneration(
        generation=generation,
        entries=[entries[seq] for seq in sorted(entries)],
        attempts=counts.get(("poll", "attempt"), 0),
        checks=counts.get(("poll", "check"), 0),
        breaks=counts.get(("push", "lost"), 0),
    )
