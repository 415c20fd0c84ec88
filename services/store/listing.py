"""One page of a person's generations as a statement. The planner is led, for it knows no statistics:
each list walks one index from its newest end and stops when the page is full.
"""

import re
from typing import Any

from sqlalchemy import TextualSelect, text

from services.core.model import GenerationQuery
from services.store.tables import generations as g

LONGEST_WORDS = 32
_WORD = re.compile(r"\w+")
_FOLDED = str.maketrans("ёЁ", "еЕ")
"""As the index has them (migration 0002)."""


def page_of(
    wanted: GenerationQuery, *, owner: str, before: str | None, limit: int
) -> tuple[TextualSelect, dict[str, Any]]:
    """The statement and its values; columns are those of the generations, newest first."""
    by_words, by_tag = bool(wanted.words), wanted.tag is not None and not wanted.words
    values: dict[str, Any] = {"owner": owner, "limit": limit}
    where = ["g.owner = :owner", "g.hidden_at IS NOT NULL" if wanted.trashed else "g.hidden_at IS NULL"]
    if wanted.kind is not None:
        where.append("g.kind = :kind")
        values["kind"] = str(wanted.kind)
    if wanted.backend is not None:
        where.append("g.backend = :backend")
        values["backend"] = wanted.backend
    if wanted.model is not None:
        where.append("g.model = :model")
        values["model"] = wanted.model
    if wanted.phases is not None:
        names = {f"phase_{number}": str(phase) for number, phase in enumerate(sorted(wanted.phases))}
        where.append("g.phase IN ({})".format(", ".join(f":{name}" for name in names)))
        values |= names
    if wanted.unwanted is not None:
        where.append("g.stop_requested_at IS NULL" if not wanted.unwanted else _UNWANTED)
    if wanted.starred:
        where.append("g.starred_at IS NOT NULL")
    if wanted.since is not None:
        where.append("g.id >= :since")
        values["since"] = first_id_at(wanted.since)
    if wanted.until is not None:
        where.append("g.id < :until")
        values["until"] = first_id_at(wanted.until)
    if wanted.tag is not None:
        values["tag"] = wanted.tag
        if not by_tag:
            where.append(_TAGGED)
    if before is not None:
        where.append(_BEFORE_WORD if by_words else "g.id < :before")
        values["before"] = before
    if by_words:
        where.append("prompts MATCH :words")
        values["words"] = match_of(wanted.words)
        source = "prompts CROSS JOIN generations AS g ON g.seq = prompts.rowid"
        order = "prompts.rank" if wanted.ranked else "prompts.rowid DESC"
    elif by_tag:
        where.append("tags.owner = :owner AND tags.name = :tag")
        source = "tags CROSS JOIN generations AS g ON g.id = tags.generation_id"
        order = "tags.generation_id DESC"
    else:
        source, order = f"generations AS g INDEXED BY {_index(wanted)}", "g.id DESC"
    parts = ["SELECT g.* FROM", source, "WHERE", " AND ".join(where), "ORDER BY", order, "LIMIT :limit"]
    return text(" ".join(parts)).columns(*g.c), values


def match_of(words: str) -> str:
    """What a person typed, as an FTS5 query: every word, quoted, the last as a beginning of two to ten
    letters or more. What has no words at all finds nothing.
    """
    found = _WORD.findall(words.translate(_FOLDED))[:LONGEST_WORDS]
    if not found:
        return '""'
    beginning = "*" if len(found[-1]) > 1 and words[-1].isalnum() else ""
    return " ".join(f'"{word}"' for word in found) + beginning


def first_id_at(unix_s: float) -> str:
    """The smallest id (UUID version 7, RFC 9562, 5.7) of that millisecond."""
    stamp = f"{min(max(0, int(unix_s * 1000)), 2**48 - 1):012x}"
    return f"{stamp[:8]}-{stamp[8:]}"


def _index(wanted: GenerationQuery) -> str:
    if wanted.trashed:
        return "ix_generations_trash"
    if wanted.starred:
        return "ix_generations_starred"
    if wanted.model is not None and wanted.backend is not None:
        return "ix_generations_owner_model"
    if wanted.unwanted:
        return "ix_generations_unwanted"
    if wanted.phases is not None:
        return "ix_generations_owner_phase"
    return "ix_generations_shelf" if wanted.kind is None else "ix_generations_owner_kind"


_UNWANTED = "g.phase = 'completed' AND g.stop_requested_at IS NOT NULL"
_TAGGED = (
    "EXISTS (SELECT 1 FROM tags WHERE tags.owner = :owner AND tags.name = :tag AND tags.generation_id = g.id)"
)
_BEFORE_WORD = (
    "prompts.rowid < coalesce("
    "(SELECT seq + (id <> :before) FROM generations WHERE id <= :before ORDER BY id DESC LIMIT 1), 0)"
)
"""The row of the cursor may have been removed since."""
