"""Generations, their traces, and the clients' idempotency keys."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "generations",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("request_id", sa.String(36), nullable=False),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("backend", sa.String(64), nullable=False),
        sa.Column("model", sa.String(200), nullable=False),
        sa.Column("prompt", sa.Text, nullable=False),
        sa.Column("request", sa.JSON, nullable=False),
        sa.Column("phase", sa.String(16), nullable=False),
        sa.Column("progress", sa.Float),
        sa.Column("stage", sa.String(32), nullable=False),
        sa.Column("error_code", sa.String(32), nullable=False),
        sa.Column("error_text", sa.Text, nullable=False),
        sa.Column("job_id", sa.String(200)),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("updated_at", sa.Float, nullable=False),
        sa.Column("submitted_at", sa.Float),
        sa.Column("finished_at", sa.Float),
        sa.Column("late_since", sa.Float),
        sa.Column("late_after_s", sa.Float, nullable=False),
        sa.Column("stop_requested_at", sa.Float),
        sa.Column("hidden_at", sa.Float),
        sa.Column("watch_until", sa.Float),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("lease_owner", sa.String(64)),
        sa.Column("lease_until", sa.Float),
        sa.Column("kept", sa.JSON),
        sa.Column("poster", sa.Text),
        sa.Column("preview", sa.Text),
        sa.Column("receipt", sa.JSON),
        sa.UniqueConstraint("backend", "job_id", name="uq_generations_job"),
    )
    op.create_index("ix_generations_owner_kind", "generations", ["owner", "kind", "id"])
    op.create_index("ix_generations_phase", "generations", ["phase"])
    op.create_index("ix_generations_model", "generations", ["backend", "model", "finished_at"])
    generation = sa.ForeignKey("generations.id", ondelete="CASCADE")
    op.create_table(
        "trace_entries",
        sa.Column("generation_id", sa.String(36), generation, primary_key=True),
        sa.Column("seq", sa.BigInteger, primary_key=True),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("lane", sa.String(8), nullable=False),
        sa.Column("event", sa.String(16), nullable=False),
        sa.Column("data", sa.JSON, nullable=False),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("owner", sa.String(64), primary_key=True),
        sa.Column("key", sa.String(255), primary_key=True),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("request_id", sa.String(36), nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
    )
