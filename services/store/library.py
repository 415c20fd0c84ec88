"""Stars, tags, trash, permanent removal, totals, retention and preferences in the database."""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert as upsert

from services.core.model import Generation, Kept, Kind
from services.store.listing import first_id_at
from services.store.rows import from_row, kept_from_json
from services.store.statements import IS_FINAL, awaited, revised
from services.store.store import Store
from services.store.tables import generations as g
from services.store.tables import idempotency_keys as k
from services.store.tables import past_jobs, preferences, tags, totals

MAX_NAMES = 500
INSTALLATION = ""
"""Owner of the preferences that belong to no person."""
DELETIONS = "files going"
"""Files of removed rows that may still be in the media folder."""
_REMOVED = g.c.id, g.c.request_id, g.c.backend, g.c.job_id, g.c.kept, g.c.poster, g.c.preview, g.c.source


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageTotal:
    """Kept results of one kind and their bytes, without posters and previews."""

    kind: Kind
    trashed: bool
    items: int
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """Ids of the removed rows, and the files that no row names any more."""

    ids: list[str]
    files: list[str]


class LibraryRows:
    def __init__(self, store: Store, *, now: Callable[[], float] = time.time) -> None:
        self._store = store
        self._now = now

    # -- marks: each returns the generations that changed ------------------------------------

    async def star(self, ids: Sequence[str], *, owner: str, on: bool) -> list[Generation]:
        different = g.c.starred_at.is_(None) if on else g.c.starred_at.is_not(None)
        return await self._mark(ids, owner, different, starred_at=self._now() if on else None)

    async def tag(self, ids: Sequence[str], name: str, *, owner: str, on: bool) -> list[Generation]:
        def work(connection: sa.Connection) -> list[Generation]:
            changed = []
            for row in connection.execute(sa.select(g.c.id, g.c.tags).where(_owned(ids, owner))).all():
                before = set(row.tags or ())
                after = before | {name} if on else before - {name}
                if after == before:
                    continue
                key = {"owner": owner, "name": name, "generation_id": row.id}
                connection.execute(sa.insert(tags).values(key) if on else sa.delete(tags).filter_by(**key))
                changed += self._change(connection, g.c.id == row.id, tags=sorted(after) or None)
            return changed

        return await self._store.write(work)

    async def move_to_trash(self, ids: Sequence[str], *, owner: str) -> list[Generation]:
        """Open generations stay."""
        return await self._mark(ids, owner, g.c.trashed_at.is_(None) & IS_FINAL, trashed_at=self._now())

    async def restore(self, ids: Sequence[str], *, owner: str) -> list[Generation]:
        return await self._mark(ids, owner, g.c.trashed_at.is_not(None), trashed_at=None)

    # -- permanent removal -------------------------------------------------------------------

    async def remove(
        self,
        *,
        owner: str,
        ids: Sequence[str] | None = None,
        trashed_before: float | None = None,
        starred: bool = True,
        limit: int = 500,
    ) -> Removal:
        """Deletes final rows in the trash, oldest first; the caller deletes their files.

        Narrowed to `ids`, to a time of trashing, and without `starred` to those without a star. Rows that may
        still bring a paid result stay. An idempotency key goes with its last row: sent again, it starts anew.
        """
        now = self._now()
        query = sa.select(*_REMOVED).where(
            g.c.owner == owner,
            g.c.trashed_at.is_not(None),
            IS_FINAL,
            ~sa.func.coalesce(awaited(now), sa.false()),
            sa.true() if ids is None else g.c.id.in_(ids),
            sa.true() if trashed_before is None else g.c.trashed_at < trashed_before,
            sa.true() if starred else g.c.starred_at.is_(None),
        )

        def work(connection: sa.Connection) -> Removal:
            rows = connection.execute(query.order_by(g.c.id).limit(limit)).all()
            jobs = {(row.backend, row.job_id) for row in rows if row.job_id is not None}
            if jobs:
                past = [{"backend": backend, "job_id": job, "removed_at": now} for backend, job in jobs]
                connection.execute(upsert(past_jobs).on_conflict_do_nothing(), past)
            removed = [row.id for row in rows]
            connection.execute(sa.delete(g).where(g.c.id.in_(removed)))
            in_use = sa.select(g.c.id).where(g.c.request_id == k.c.request_id).exists()
            requests = {row.request_id for row in rows}
            connection.execute(sa.delete(k).where(k.c.request_id.in_(requests), ~in_use))
            sources = {row.source for row in rows}
            sources -= set(connection.execute(sa.select(g.c.source).where(g.c.source.in_(sources))).scalars())
            names = {
                name for row in rows for name in (row.kept and row.kept["name"], row.poster, row.preview)
            }
            files = sorted(name for name in names | sources if name)
            _set_deletions(connection, [*_deletions(connection), *files])
            return Removal(ids=removed, files=files)

        return await self._store.write(work)

    async def count_awaited(self, *, owner: str, ids: Sequence[str] | None = None) -> int:
        """How many in the trash (or of `ids`) `remove` leaves, as a paid result may still come."""
        query = sa.select(sa.func.count()).where(
            g.c.owner == owner,
            g.c.trashed_at.is_not(None),
            awaited(self._now()),
            sa.true() if ids is None else g.c.id.in_(ids),
        )
        return int(await self._store.scalar(query))

    async def confirm_deleted(self, names: Collection[str]) -> None:
        """These files have left the media folder: the next start need not look for them."""

        def work(connection: sa.Connection) -> None:
            _set_deletions(connection, [name for name in _deletions(connection) if name not in names])

        await self._store.write(work)

    async def unconfirmed_deletions(self) -> list[str]:
        """Files of removed rows that a crash may have left in the media folder."""
        return await self._store.read(_deletions)

    async def retention_candidates(
        self, *, owner: str, before: float | None = None, limit: int = 200, kept_only: bool = False
    ) -> list[Generation]:
        """Final, not in the trash, without a star; oldest first."""
        query = sa.select(g).where(
            g.c.owner == owner,
            g.c.trashed_at.is_(None),
            g.c.starred_at.is_(None),
            IS_FINAL,
            sa.true() if before is None else g.c.id < first_id_at(before),
            g.c.kept.is_not(None) if kept_only else sa.true(),
        )
        return await self._store.generations(query.order_by(g.c.id).limit(limit))

    # -- queries -----------------------------------------------------------------------------

    async def by_ids(self, ids: Sequence[str], *, owner: str) -> list[Generation]:
        """Those that exist and are not in the trash, in the order of `ids`."""
        query = sa.select(g).where(_owned(ids, owner), g.c.trashed_at.is_(None))
        found = {generation.id: generation for generation in await self._store.generations(query)}
        return [found[each] for each in ids if each in found]

    async def tags(self, *, owner: str) -> list[str]:
        """All names in use, in alphabetical order; 500 at most."""
        query = sa.select(tags.c.name).where(tags.c.owner == owner)
        return [row.name for row in await self._distinct(query, tags.c.name)]

    async def models(self, *, owner: str) -> list[tuple[str, str]]:
        """All backends and models in use; 500 at most."""
        query = sa.select(g.c.backend, g.c.model).where(g.c.owner == owner)
        return [(row.backend, row.model) for row in await self._distinct(query, g.c.backend, g.c.model)]

    async def totals(self, *, owner: str) -> list[StorageTotal]:
        query = sa.select(*totals.c["kind", "trashed", "items"], totals.c.bytes.label(name="size_bytes"))
        rows = await self._store.rows(query.where(totals.c.owner == owner))
        return [StorageTotal(**dict(row) | {"kind": Kind(row["kind"])}) for row in rows]

    async def kept_files_after(self, after_id: str, *, limit: int) -> list[tuple[str, Kept]]:
        """Of all owners, the trash included, in the order of their ids."""
        query = sa.select(g.c.id, g.c.kept).where(g.c.id > after_id, g.c.kept.is_not(None))
        rows = await self._store.rows(query.order_by(g.c.id).limit(limit))
        return [(row["id"], kept) for row in rows if (kept := kept_from_json(row["kept"]))]

    async def kept_file(self, generation_id: str) -> Kept | None:
        """None also where the row is gone."""
        return kept_from_json(await self._store.scalar(sa.select(g.c.kept).where(g.c.id == generation_id)))

    async def preference(self, name: str, *, owner: str) -> Any:
        """None where nothing was set."""
        return await self._store.scalar(sa.select(preferences.c.value).filter_by(owner=owner, name=name))

    async def set_preference(self, name: str, value: Any, *, owner: str) -> None:
        """`value` must be plain JSON."""
        await self._store.execute(_preference(name, value, owner=owner))

    async def owners(self) -> list[str]:
        return [row["owner"] for row in await self._store.rows(sa.select(totals.c.owner).distinct())]

    async def _distinct(self, query: sa.Select[Any], *columns: sa.Column[Any]) -> list[sa.Row[Any]]:
        """One step down the index for each value, however many rows have it."""

        def work(connection: sa.Connection) -> list[sa.Row[Any]]:
            found: list[sa.Row[Any]] = []
            ordered = query.order_by(*columns).limit(1)
            while len(found) < MAX_NAMES:
                after = sa.tuple_(*columns) > tuple(found[-1]) if found else sa.true()
                row = connection.execute(ordered.where(after)).first()
                if row is None:
                    break
                found.append(row)
            return found

        return await self._store.read(work)

    async def _mark(
        self, ids: Sequence[str], owner: str, where: sa.ColumnElement[bool], **changes: Any
    ) -> list[Generation]:
        owned = _owned(ids, owner) & where
        return await self._store.write(lambda connection: self._change(connection, owned, **changes))

    def _change(
        self, connection: sa.Connection, where: sa.ColumnElement[bool], **changes: Any
    ) -> list[Generation]:
        """Leaves the epoch alone: a mark must not cost a watcher its row."""
        statement = sa.update(g).where(where).values(changes | revised(self._now())).returning(*g.c)
        return [from_row(row) for row in connection.execute(statement).mappings()]


def _deletions(connection: sa.Connection) -> list[str]:
    query = sa.select(preferences.c.value).filter_by(owner=INSTALLATION, name=DELETIONS)
    return list(connection.execute(query).scalar() or [])


def _set_deletions(connection: sa.Connection, names: list[str]) -> None:
    connection.execute(_preference(DELETIONS, names, owner=INSTALLATION))


def _preference(name: str, value: Any, *, owner: str) -> sa.Executable:
    new = upsert(preferences).values(owner=owner, name=name, value=value)
    return new.on_conflict_do_update(index_elements=["owner", "name"], set_={"value": new.excluded.value})


def _owned(ids: Sequence[str], owner: str) -> sa.ColumnElement[bool]:
    return (g.c.owner == owner) & g.c.id.in_(ids)
