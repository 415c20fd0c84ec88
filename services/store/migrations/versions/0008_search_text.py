"""The search index takes its words from `search_text`, where a prompt is not plain English or Russian.

Older rows are found as before until `library.reindex` has filled them in, in the background: a million take
minutes.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

FOLDED = "replace(replace({row}.prompt, 'ё', 'е'), 'Ё', 'Е')"
"""As in the triggers of 0002."""
WORDS = "coalesce({row}.search_text, " + FOLDED + ")"


def upgrade() -> None:
    op.add_column("generations", sa.Column("search_text", sa.Text))
    _reword_trigger("generations_added", "g")
    _reword_trigger("generations_removed", "old")
    op.execute(f"""
        CREATE TRIGGER generations_reworded AFTER UPDATE OF search_text ON generations BEGIN
            INSERT INTO prompts (prompts, rowid, prompt)
            VALUES ('delete', old.seq, {WORDS.format(row="old")});
            INSERT INTO prompts (rowid, prompt) VALUES (new.seq, {WORDS.format(row="new")});
        END""")
    op.execute(
        "INSERT INTO preferences (owner, name, value) SELECT '', 'search words', '\"done\"' "
        "WHERE NOT EXISTS (SELECT 1 FROM generations)"
    )


def _reword_trigger(name: str, row: str) -> None:
    connection = op.get_bind()
    written = "SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name = ?"
    sql: str = connection.exec_driver_sql(written, (name,)).scalar_one()
    connection.exec_driver_sql(f"DROP TRIGGER {name}")
    connection.exec_driver_sql(sql.replace(FOLDED.format(row=row), WORDS.format(row=row)))
