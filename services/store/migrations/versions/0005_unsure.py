"""Indexes possibly accepted submits; remembers the jobs of removed generations."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("generations", sa.Column("unsure_since", sa.Float))
    op.execute(
        "UPDATE generations SET unsure_since = submitted_at WHERE job_id IS NULL "
        "AND (phase IN ('submitting', 'unconfirmed', 'dropped') "
        "OR (phase = 'error' AND error_code NOT LIKE 'refused%'))"
    )
    where = sa.text("unsure_since IS NOT NULL AND job_id IS NULL")
    op.create_index("ix_generations_unsure", "generations", ["backend", "kind"], sqlite_where=where)
    op.create_table(
        "past_jobs",
        sa.Column("backend", sa.String(64), primary_key=True),
        sa.Column("job_id", sa.String(200), primary_key=True),
        sa.Column("removed_at", sa.Float, nullable=False),
    )
