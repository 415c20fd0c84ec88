"""Owners of source pictures."""

import time

import sqlalchemy as sa

from services.core.model import LOCAL_OWNER
from services.store.store import Store
from services.store.tables import generations, sources

KEEP_UNUSED_S = 8 * 86_400.0
"""An unused picture is removed from the disk a day earlier."""


class SourceRows:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def add(self, name: str, *, owner: str) -> None:
        """Also removes the rows of unused pictures that are no longer on the disk."""
        now = time.time()
        used = sa.select(generations.c.id).where(generations.c.source == sources.c.name).exists()
        outdated = sa.delete(sources).where(sources.c.created_at < now - KEEP_UNUSED_S, ~used)
        await self._store.execute(outdated, sa.insert(sources).values(name=name, owner=owner, created_at=now))

    async def belongs_to(self, name: str, owner: str) -> bool:
        """A picture without a row is older than the table and belongs to the local person."""
        known = await self._store.scalar(sa.select(sources.c.owner).where(sources.c.name == name))
        return (known or LOCAL_OWNER) == owner
