"""The statement for one page of a person's generations.

SQLite has no statistics here, so each list names the index to walk from its newest end.
"""

from typing import Any

from sqlalchemy import TextualSelect, text

from services.core.model import GenerationQuery
from services.core.search_words import phrases
from services.store.tables import generations as g


def page_of(
    query: GenerationQuery, *, owner: str, before: str | None, limit: int
) -> tuple[TextualSelect, dict[str, Any]]:
    """The statement and its values; its columns are those of the generations, newest first."""
    source, order = _source(query)
    columns = {"kind": query.kind, "backend": query.backend, "model": query.model}
    values: dict[str, Any] = {name: str(value) for name, value in columns.items() if value is not None}
    where = [f"g.{name} = :{name}" for name in values]
    where += ["g.owner = :owner", "g.hidden_at IS NOT NULL" if query.trashed else "g.hidden_at IS NULL"]
    if query.phases is not None:
        names = {f"phase_{number}": str(phase) for number, phase in enumerate(sorted(query.phases))}
        where.append("g.phase IN ({})".format(", ".join(f":{name}" for name in names)))
        values |= names
    if query.unwanted is not None:
        where.append(_UNWANTED if query.unwanted else "g.stop_requested_at IS NULL")
    if query.starred:
        where.append("g.starred_at IS NOT NULL")
    if query.since is not None:
        where.append("g.id >= :since")
        values["since"] = first_id_at(query.since)
    if query.until is not None:
        where.append("g.id < :until")
        values["until"] = first_id_at(query.until)
    if query.tag is not None:
        where.append(_TAGGED if query.words else "tags.owner = :owner AND tags.name = :tag")
        values["tag"] = query.tag
    if query.words:
        where.append("prompts MATCH :words")
        values["words"] = match_of(query.words)
    if before is not None:
        where.append(_BEFORE_BY_WORDS if query.words else "g.id < :before")
        values["before"] = before
    parts = ["SELECT g.* FROM", source, "WHERE", " AND ".join(where), "ORDER BY", order, "LIMIT :limit"]
    return text(" ".join(parts)).columns(*g.c), values | {"owner": owner, "limit": limit}


def match_of(words: str) -> str:
    """Typed words as an FTS5 query, quoted: its operators are plain text.

    Without any word it matches nothing.
    """
    quoted = [f'"{" ".join(each.tokens)}"{"*" * each.is_prefix}' for each in phrases(words)]
    return " ".join(quoted) or '""'


def first_id_at(unix_s: float) -> str:
    """The smallest id (UUID version 7, RFC 9562, 5.7) of that millisecond."""
    stamp = f"{min(max(0, int(unix_s * 1000)), 2**48 - 1):012x}"
    return f"{stamp[:8]}-{stamp[8:]}"


def _source(query: GenerationQuery) -> tuple[str, str]:
    """The FROM clause and the order."""
    if query.words:
        order = "prompts.rank" if query.ranked else "prompts.rowid DESC"
        return "prompts CROSS JOIN generations AS g ON g.seq = prompts.rowid", order
    if query.tag is not None:
        return "tags CROSS JOIN generations AS g ON g.id = tags.generation_id", "tags.generation_id DESC"
    return f"generations AS g INDEXED BY ix_generations_{_index(query)}", "g.id DESC"


def _index(query: GenerationQuery) -> str:
    if query.trashed:
        return "trash"
    if query.starred:
        return "starred"
    if query.model is not None and query.backend is not None:
        return "owner_model"
    if query.unwanted:
        return "unwanted"
    if query.phases is not None:
        return "owner_phase"
    return "shelf" if query.kind is None else "owner_kind"


_UNWANTED = "g.phase = 'completed' AND g.stop_requested_at IS NOT NULL"
_TAGGED = (
    "EXISTS (SELECT 1 FROM tags WHERE tags.owner = :owner AND tags.name = :tag AND tags.generation_id = g.id)"
)
_BEFORE_BY_WORDS = (
    "prompts.rowid < coalesce("
    "(SELECT seq + (id <> :before) FROM generations WHERE id <= :before ORDER BY id DESC LIMIT 1), 0)"
)
"""The cursor's row may have been removed since."""
