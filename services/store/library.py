"""Stars, tags, trash, permanent removal, totals and retention in the database."""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, false, func, insert, select, true, tuple_, update
from sqlalchemy.dialects.sqlite import insert as upsert

from services.core.model import FINAL, Generation, Kept, Kind
from services.store.listing import first_id_at
from services.store.rows import from_row
from services.store.statements import awaited
from services.store.store import Store
from services.store.tables import generations as g
from services.store.tables import idempotency_keys, past_jobs, preferences, tags, totals

MOST_NAMES = 500
OF_THE_INSTALL = ""
"""Owner of what is remembered and is no person's."""
GOING = "files going"
_FINAL = [str(phase) for phase in FINAL]


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """Kept results of one kind and their bytes, without posters and previews."""

    kind: Kind
    trashed: bool
    items: int
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """Rows that are gone, and the files that no row names any more."""

    ids: list[str]
    files: list[str]


class LibraryRows:
    def __init__(self, store: Store, *, now: Callable[[], float] = time.time) -> None:
        self._store = store
        self._now = now

    # -- marks -------------------------------------------------------------------------------

    async def star(self, ids: Sequence[str], *, owner: str, on: bool) -> list[Generation]:
        """Those that changed."""
        different = g.c.starred_at.is_(None) if on else g.c.starred_at.is_not(None)
        return await self._mark(ids, owner, different, starred_at=self._now() if on else None)

    async def tag(self, ids: Sequence[str], name: str, *, owner: str, on: bool) -> list[Generation]:
        """Those that changed."""

        def work(connection: Connection) -> list[Generation]:
            changed = []
            for row in connection.execute(select(g.c.id, g.c.tags).where(_theirs(ids, owner))).all():
                before = set(row.tags or ())
                after = before | {name} if on else before - {name}
                if after == before:
                    continue
                key = {"owner": owner, "name": name, "generation_id": row.id}
                if on:
                    connection.execute(insert(tags).values(key))
                else:
                    connection.execute(delete(tags).filter_by(**key))
                changed += self._changed(connection, g.c.id == row.id, tags=sorted(after) or None)
            return changed

        return await self._store.write(work)

    async def hide(self, ids: Sequence[str], *, owner: str) -> list[Generation]:
        """Into the trash, where it is not there and is not under way; those that changed."""
        free = g.c.trashed_at.is_(None) & g.c.phase.in_(_FINAL)
        return await self._mark(ids, owner, free, trashed_at=self._now())

    async def restore(self, ids: Sequence[str], *, owner: str) -> list[Generation]:
        """Out of the trash; those that were in it."""
        return await self._mark(ids, owner, g.c.trashed_at.is_not(None), trashed_at=None)

    # -- for good ----------------------------------------------------------------------------

    async def remove(
        self,
        *,
        owner: str,
        ids: Sequence[str] | None = None,
        trashed_before: float | None = None,
        starred: bool = True,
        limit: int = 500,
    ) -> Removed:
        """Delete rows that are in the trash and over, oldest first; their files are the caller's to delete.

        With `ids` only of these, with a time only what was put there before it, without `starred` none that
        carries a star; never what still awaits something that was paid for. The client's key goes with the
        last row it stands for: sent again, it is a new request.
        """
        now = self._now()
        which = select(
            g.c.id, g.c.request_id, g.c.backend, g.c.job_id, g.c.kept, g.c.poster, g.c.preview, g.c.source
        ).where(
            g.c.owner == owner,
            g.c.trashed_at.is_not(None),
            g.c.phase.in_(_FINAL),
            ~func.coalesce(awaited(now), false()),
            true() if ids is None else g.c.id.in_(ids),
            true() if trashed_before is None else g.c.trashed_at < trashed_before,
            true() if starred else g.c.starred_at.is_(None),
        )

        def work(connection: Connection) -> Removed:
            rows = connection.execute(which.order_by(g.c.id).limit(limit)).all()
            gone = [row.id for row in rows]
            jobs = {(row.backend, row.job_id) for row in rows if row.job_id is not None}
            if jobs:
                past = [{"backend": backend, "job_id": job, "removed_at": now} for backend, job in jobs]
                connection.execute(upsert(past_jobs).on_conflict_do_nothing(), past)
            connection.execute(delete(g).where(g.c.id.in_(gone)))
            keys = idempotency_keys
            connection.execute(
                delete(keys).where(
                    keys.c.request_id.in_({row.request_id for row in rows}),
                    ~select(g.c.id).where(g.c.request_id == keys.c.request_id).exists(),
                )
            )
            sources = {row.source for row in rows if row.source}
            sources -= set(connection.execute(select(g.c.source).where(g.c.source.in_(sources))).scalars())
            files = {
                name for row in rows for name in (row.kept and row.kept["name"], row.poster, row.preview)
            }
            going = sorted(name for name in files | sources if name)
            _prefer(connection, GOING, [*_preferred(connection, GOING, []), *going], owner=OF_THE_INSTALL)
            return Removed(ids=gone, files=going)

        return await self._store.write(work)

    async def waiting(self, *, owner: str, ids: Sequence[str] | None = None) -> int:
        """How many in the trash (or of these) `remove` leaves: something paid for may still come of them."""
        query = select(func.count()).where(
            g.c.owner == owner,
            g.c.trashed_at.is_not(None),
            awaited(self._now()),
            true() if ids is None else g.c.id.in_(ids),
        )
        return await self._store.read(lambda connection: connection.execute(query).scalar_one())

    async def files_gone(self, names: Collection[str]) -> None:
        """They are removed from the folder: no start need look for them."""

        def work(connection: Connection) -> None:
            left = [name for name in _preferred(connection, GOING, []) if name not in names]
            _prefer(connection, GOING, left, owner=OF_THE_INSTALL)

        await self._store.write(work)

    async def files_going(self) -> list[str]:
        """Of rows that were removed: what a crash has left of them is still in the folder."""
        return list(await self.preference(GOING, owner=OF_THE_INSTALL) or [])

    async def oldest(
        self, *, owner: str, before: float | None = None, limit: int = 200, kept_only: bool = False
    ) -> list[Generation]:
        """Of what may be let go: kept or failed, not in the trash, without a star, oldest first."""
        query = select(g).where(
            g.c.owner == owner,
            g.c.trashed_at.is_(None),
            g.c.starred_at.is_(None),
            g.c.phase.in_(_FINAL),
            true() if before is None else g.c.id < first_id_at(before),
            g.c.kept.is_not(None) if kept_only else true(),
        )
        rows = await self._store.read(
            lambda connection: connection.execute(query.order_by(g.c.id).limit(limit)).mappings().all()
        )
        return [from_row(row) for row in rows]

    async def these(self, ids: Sequence[str], *, owner: str) -> list[Generation]:
        """Those of them that are there and not in the trash, in the order of `ids`."""
        query = select(g).where(_theirs(ids, owner), g.c.trashed_at.is_(None))
        rows = await self._store.read(lambda connection: connection.execute(query).mappings().all())
        found = {row["id"]: from_row(row) for row in rows}
        return [found[each] for each in ids if each in found]

    # -- what is asked -----------------------------------------------------------------------

    async def tags(self, *, owner: str) -> list[str]:
        """All names in use, in the order of the alphabet; 500 at most."""

        def work(connection: Connection) -> list[str]:
            found: list[str] = []
            after = ""
            while len(found) < MOST_NAMES:  # one step down the index for each name, however many rows bear it
                query = select(func.min(tags.c.name)).where(tags.c.owner == owner, tags.c.name > after)
                name = connection.execute(query).scalar()
                if name is None:
                    break
                found.append(name)
                after = name
            return found

        return await self._store.read(work)

    async def models(self, *, owner: str) -> list[tuple[str, str]]:
        """Backend and model of all that is there; 500 at most."""

        def work(connection: Connection) -> list[tuple[str, str]]:
            found: list[tuple[str, str]] = []
            where: ColumnElement[bool] = true()
            while len(found) < MOST_NAMES:
                query = select(g.c.backend, g.c.model).where(g.c.owner == owner, where)
                row = connection.execute(query.order_by(g.c.backend, g.c.model).limit(1)).first()
                if row is None:
                    break
                found.append((row.backend, row.model))
                where = tuple_(g.c.backend, g.c.model) > (row.backend, row.model)
            return found

        return await self._store.read(work)

    async def totals(self, *, owner: str) -> list[Total]:
        rows = await self._store.read(
            lambda connection: connection.execute(select(totals).where(totals.c.owner == owner)).all()
        )
        return [
            Total(kind=Kind(row.kind), trashed=row.trashed, items=row.items, size_bytes=row.bytes)
            for row in rows
        ]

    async def kept_after(self, after_id: str, *, limit: int) -> list[tuple[str, Kept]]:
        """Of all owners, the trash included, in the order of their ids."""
        query = select(g.c.id, g.c.kept).where(g.c.id > after_id, g.c.kept.is_not(None))
        query = query.order_by(g.c.id).limit(limit)
        rows = await self._store.read(lambda connection: connection.execute(query).all())
        return [(generation_id, Kept(**kept)) for generation_id, kept in rows]

    async def kept_of(self, generation_id: str) -> Kept | None:
        """None where the row is gone."""
        query = select(g.c.kept).where(g.c.id == generation_id)
        kept = await self._store.read(lambda connection: connection.execute(query).scalar())
        return Kept(**kept) if kept else None

    async def preference(self, name: str, *, owner: str) -> Any:
        """None where nothing was set."""
        query = select(preferences.c.value).filter_by(owner=owner, name=name)
        return await self._store.read(lambda connection: connection.execute(query).scalar())

    async def prefer(self, name: str, value: Any, *, owner: str) -> None:
        """`value` must be plain JSON."""
        await self._store.write(lambda connection: _prefer(connection, name, value, owner=owner))

    async def owners(self) -> list[str]:
        query = select(totals.c.owner).distinct()
        return list(await self._store.read(lambda connection: connection.execute(query).scalars().all()))

    # -- below -------------------------------------------------------------------------------

    async def _mark(
        self, ids: Sequence[str], owner: str, where: ColumnElement[bool], **changes: Any
    ) -> list[Generation]:
        wanted = _theirs(ids, owner) & where
        return await self._store.write(lambda connection: self._changed(connection, wanted, **changes))

    def _changed(
        self, connection: Connection, where: ColumnElement[bool], **changes: Any
    ) -> list[Generation]:
        """Without an epoch: a mark is nobody's phase, and a watcher must not lose its row by it."""
        new = changes | {"updated_at": self._now(), "revision": g.c.revision + 1}
        rows = connection.execute(update(g).where(where).values(new).returning(*g.c)).mappings()
        return [from_row(row) for row in rows]


def _preferred(connection: Connection, name: str, otherwise: Any) -> Any:
    """Of the install's own."""
    query = select(preferences.c.value).filter_by(owner=OF_THE_INSTALL, name=name)
    return connection.execute(query).scalar() or otherwise


def _prefer(connection: Connection, name: str, value: Any, *, owner: str) -> None:
    new = upsert(preferences).values(owner=owner, name=name, value=value)
    connection.execute(
        new.on_conflict_do_update(index_elements=["owner", "name"], set_={"value": new.excluded.value})
    )


def _theirs(ids: Sequence[str], owner: str) -> ColumnElement[bool]:
    return (g.c.owner == owner) & g.c.id.in_(ids)
