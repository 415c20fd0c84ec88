"""Owners of source pictures."""

import time

from sqlalchemy import Connection, delete, insert, select

from services.core.model import LOCAL_OWNER
from services.store.store import Store
from services.store.tables import generations, sources

FORGOTTEN_AFTER_S = 8 * 86_400.0
"""An unused picture is removed from the disk a day earlier."""


class SourceRows:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def add(self, name: str, *, owner: str) -> None:
        """Also forgets the owners of unused pictures that are no longer on the disk."""
        now = time.time()
        used = select(generations.c.id).where(generations.c.source == sources.c.name).exists()
        outdated = delete(sources).where(sources.c.created_at < now - FORGOTTEN_AFTER_S, ~used)

        def work(connection: Connection) -> None:
            connection.execute(outdated)
            connection.execute(insert(sources).values(name=name, owner=owner, created_at=now))

        await self._store.write(work)

    async def belongs_to(self, name: str, owner: str) -> bool:
        """A picture without a row is older than the table: it belongs to the local person."""
        query = select(sources.c.owner).where(sources.c.name == name)
        known = await self._store.read(lambda connection: connection.execute(query).scalar())
        return (known or LOCAL_OWNER) == owner
