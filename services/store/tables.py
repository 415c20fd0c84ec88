"""The tables. Rows never leave the store; times are Unix seconds."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()

generations = Table(
    "generations",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("request_id", String(36), nullable=False),
    Column("owner", String(64), nullable=False),
    Column("kind", String(8), nullable=False),
    Column("backend", String(64), nullable=False),
    Column("model", String(200), nullable=False),
    Column("prompt", Text, nullable=False),
    Column("request", JSON, nullable=False),
    Column("phase", String(16), nullable=False),
    Column("progress", Float),
    Column("stage", String(32), nullable=False),
    Column("error_code", String(32), nullable=False),
    Column("error_text", Text, nullable=False),
    Column("job_id", String(200)),
    Column("created_at", Float, nullable=False),
    Column("updated_at", Float, nullable=False),
    Column("submitted_at", Float),
    Column("finished_at", Float),
    Column("late_since", Float),
    Column("late_after_s", Float, nullable=False),
    Column("stop_requested_at", Float),
    Column("hidden_at", Float),
    Column("watch_until", Float),
    Column("revision", Integer, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("lease_owner", String(64)),
    Column("lease_until", Float),
    Column("kept", JSON(none_as_null=True)),
    Column("poster", Text),
    Column("preview", Text),
    Column("receipt", JSON(none_as_null=True)),
    UniqueConstraint("backend", "job_id", name="uq_generations_job"),
    Index("ix_generations_owner_kind", "owner", "kind", "id"),
    Index("ix_generations_phase", "phase"),
    Index("ix_generations_model", "backend", "model", "finished_at"),
)

trace_entries = Table(
    "trace_entries",
    metadata,
    Column("generation_id", String(36), ForeignKey("generations.id", ondelete="CASCADE"), primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("at", Float, nullable=False),
    Column("lane", String(8), nullable=False),
    Column("event", String(16), nullable=False),
    Column("data", JSON, nullable=False),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("owner", String(64), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("request_id", String(36), nullable=False),
    Column("created_at", Float, nullable=False),
)
