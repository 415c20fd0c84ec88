"""Indexes results that arrived after a stop."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    where = sa.text("phase = 'completed' AND stop_requested_at IS NOT NULL")
    op.create_index("ix_generations_unwanted", "generations", ["owner", "id"], sqlite_where=where)
