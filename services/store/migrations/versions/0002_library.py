"""The library: full-text search over prompts, stars, tags, running totals, preferences."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

MIN_PREFIX, MAX_PREFIX = 2, 10
PREFIXES = " ".join(str(length) for length in range(MIN_PREFIX, MAX_PREFIX + 1))
"""A prefix without an index of its length is merged from all its words: 290 ms at a million rows, 0.3 ms with
one. All nine cost 0.5 ms per new row."""

FOLDED = "replace(replace({row}.prompt, 'ё', 'е'), 'Ё', 'Е')"
"""The tokenizer removes diacritics from Latin letters only."""
SIZE = "coalesce(json_extract({row}.kept, '$.size_bytes'), 0)"
KEY = "owner = {row}.owner AND kind = {row}.kind AND trashed = ({row}.hidden_at IS NOT NULL)"
COUNT_IN = f"""
    INSERT INTO totals (owner, kind, trashed, items, bytes)
    VALUES (new.owner, new.kind, new.hidden_at IS NOT NULL, new.kept IS NOT NULL, {SIZE.format(row="new")})
    ON CONFLICT (owner, kind, trashed)
    DO UPDATE SET items = items + excluded.items, bytes = bytes + excluded.bytes;
"""
COUNT_OUT = f"""
    UPDATE totals SET items = items - (old.kept IS NOT NULL), bytes = bytes - {SIZE.format(row="old")}
    WHERE {KEY.format(row="old")};
"""


def upgrade() -> None:
    op.add_column("generations", sa.Column("seq", sa.Integer))
    op.add_column("generations", sa.Column("source", sa.Text))
    op.add_column("generations", sa.Column("starred_at", sa.Float))
    op.add_column("generations", sa.Column("tags", sa.JSON))
    generation = sa.ForeignKey("generations.id", ondelete="CASCADE")
    op.create_table(
        "tags",
        sa.Column("owner", sa.String(64), primary_key=True),
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("generation_id", sa.String(36), generation, primary_key=True),
        sa.Index("ix_tags_generation", "generation_id"),
    )
    op.create_table(
        "totals",
        sa.Column("owner", sa.String(64), primary_key=True),
        sa.Column("kind", sa.String(8), primary_key=True),
        sa.Column("trashed", sa.Boolean, primary_key=True),
        sa.Column("items", sa.BigInteger, nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "preferences",
        sa.Column("owner", sa.String(64), primary_key=True),
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("value", sa.JSON, nullable=False),
    )
    _fill_existing_rows()
    _create_indexes()
    _create_search()
    _create_triggers()


def _fill_existing_rows() -> None:
    """The search index needs an integer that VACUUM does not change, as it may an implicit rowid."""
    op.execute(
        "UPDATE generations SET seq = numbered.n, source = json_extract(request, '$.source') "
        "FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM generations) AS numbered "
        "WHERE numbered.id = generations.id"
    )
    op.execute(
        "INSERT INTO totals (owner, kind, trashed, items, bytes) "
        "SELECT owner, kind, hidden_at IS NOT NULL, count(kept), "
        "coalesce(sum(json_extract(kept, '$.size_bytes')), 0) FROM generations GROUP BY 1, 2, 3"
    )


def _create_indexes() -> None:
    table = "generations"
    op.create_index("ix_generations_seq", table, ["seq"], unique=True)
    op.create_index("ix_generations_request", table, ["request_id"])
    op.create_index("ix_idempotency_keys_request", "idempotency_keys", ["request_id"])
    op.create_index("ix_generations_owner_phase", table, ["owner", "phase", "id"])
    op.create_index("ix_generations_owner_model", table, ["owner", "backend", "model", "id"])
    for name, where in {
        "shelf": "hidden_at IS NULL",
        "trash": "hidden_at IS NOT NULL",
        "starred": "starred_at IS NOT NULL",
    }.items():
        op.create_index(f"ix_generations_{name}", table, ["owner", "id"], sqlite_where=sa.text(where))
    op.create_index("ix_generations_source", table, ["source"], sqlite_where=sa.text("source IS NOT NULL"))


def _create_search() -> None:
    op.execute(
        "CREATE VIRTUAL TABLE prompts USING fts5 (prompt, content='', "
        f"tokenize='unicode61 remove_diacritics 2', prefix='{PREFIXES}')"
    )
    op.execute(
        f"INSERT INTO prompts (rowid, prompt) SELECT seq, {FOLDED.format(row='g')} FROM generations AS g"
    )


def _create_triggers() -> None:
    """They keep the search index and totals current within each row's own transaction."""
    op.execute(f"""
        CREATE TRIGGER generations_added AFTER INSERT ON generations BEGIN
            UPDATE generations SET seq = (SELECT coalesce(max(seq), 0) + 1 FROM generations)
            WHERE id = new.id;
            INSERT INTO prompts (rowid, prompt)
            SELECT seq, {FOLDED.format(row="g")} FROM generations AS g WHERE id = new.id;
            {COUNT_IN}
        END""")
    op.execute(f"""
        CREATE TRIGGER generations_moved AFTER UPDATE OF kept, hidden_at ON generations BEGIN
            {COUNT_OUT}
            {COUNT_IN}
        END""")
    op.execute(f"""
        CREATE TRIGGER generations_removed AFTER DELETE ON generations BEGIN
            INSERT INTO prompts (prompts, rowid, prompt)
            VALUES ('delete', old.seq, {FOLDED.format(row="old")});
            {COUNT_OUT}
        END""")
