"""Indexes polls and lost streams, so that counting them reads no whole timelines."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute(
        "CREATE INDEX ix_trace_entries_spent ON trace_entries (generation_id, lane, event) "
        "WHERE event IN ('attempt', 'check', 'lost')"
    )
