"""Search words of older rows, which the index still has as SQLite's tokenizer split them."""

from collections.abc import Sequence

import sqlalchemy as sa

from services.store.store import Store
from services.store.tables import generations as g

_FILL = sa.update(g).where(g.c.seq == sa.bindparam("row"), g.c.search_text.is_(None))


class SearchText:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def prompts_after(self, seq: int, *, limit: int) -> list[tuple[int, str]]:
        """Prompts without search words, by their number, oldest first."""
        query = sa.select(g.c.seq, g.c.prompt).where(g.c.seq > seq, g.c.search_text.is_(None))
        rows = await self._store.rows(query.order_by(g.c.seq).limit(limit))
        return [(row["seq"], row["prompt"]) for row in rows]

    async def fill(self, found: Sequence[tuple[int, str]]) -> None:
        """Gives way to other writes."""
        values = [{"row": seq, "words": words} for seq, words in found]
        statement = _FILL.values(search_text=sa.bindparam("words"))

        def work(connection: sa.Connection) -> None:
            connection.execute(statement, values)

        await self._store.write(work, low_priority=True)
