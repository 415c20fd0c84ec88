"""The tables. Rows never leave the store; times are Unix seconds."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Computed,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData()

SPENT = "event IN ('attempt', 'check', 'lost')"
UNSURE = "unsure_since IS NOT NULL AND job_id IS NULL"
"""Word for word what a query says that wants its index below: the planner compares the texts."""

UNWANTED = "phase = 'completed' AND stop_requested_at IS NOT NULL"

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
    Column("hidden_at", Float, key="trashed_at"),
    Column("watch_until", Float),
    Column("revision", Integer, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("lease_owner", String(64)),
    Column("lease_until", Float),
    Column("kept", JSON(none_as_null=True)),
    Column("poster", Text),
    Column("preview", Text),
    Column("receipt", JSON(none_as_null=True)),
    Column("seq", Integer),
    Column("source", Text),
    Column("starred_at", Float),
    Column("tags", JSON(none_as_null=True)),
    Column("chat_id", Text, Computed("json_extract(request, '$.chat_id')", persisted=False)),
    Column("unsure_since", Float, key="possibly_accepted_since"),
    UniqueConstraint("backend", "job_id", name="uq_generations_job"),
    Index("ix_generations_owner_kind", "owner", "kind", "id"),
    Index("ix_generations_phase", "phase"),
    Index("ix_generations_chat", "chat_id"),
    Index("ix_generations_model", "backend", "model", "finished_at"),
    Index("ix_generations_seq", "seq", unique=True),
    Index("ix_generations_request", "request_id"),
    Index("ix_generations_owner_phase", "owner", "phase", "id"),
    Index("ix_generations_owner_model", "owner", "backend", "model", "id"),
    Index("ix_generations_shelf", "owner", "id", sqlite_where=text("hidden_at IS NULL")),
    Index("ix_generations_trash", "owner", "id", sqlite_where=text("hidden_at IS NOT NULL")),
    Index("ix_generations_starred", "owner", "id", sqlite_where=text("starred_at IS NOT NULL")),
    Index("ix_generations_source", "source", sqlite_where=text("source IS NOT NULL")),
    Index("ix_generations_unwanted", "owner", "id", sqlite_where=text(UNWANTED)),
    Index("ix_generations_unsure", "backend", "kind", sqlite_where=text(UNSURE)),
)

past_jobs = Table(
    "past_jobs",
    metadata,
    Column("backend", String(64), primary_key=True),
    Column("job_id", String(200), primary_key=True),
    Column("removed_at", Float, nullable=False),
)
"""Jobs of generations that were removed for good: the backend still lists them, and nobody adopts them."""

trace_entries = Table(
    "trace_entries",
    metadata,
    Column("generation_id", String(36), ForeignKey("generations.id", ondelete="CASCADE"), primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("at", Float, nullable=False),
    Column("lane", String(8), nullable=False),
    Column("event", String(16), nullable=False),
    Column("data", JSON, nullable=False),
    Index(
        "ix_trace_entries_spent",
        "generation_id",
        "lane",
        "event",
        sqlite_where=text(SPENT),
        postgresql_where=text(SPENT),
    ),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("owner", String(64), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("request_id", String(36), nullable=False),
    Column("created_at", Float, nullable=False),
    Index("ix_idempotency_keys_request", "request_id"),
)

tags = Table(
    "tags",
    metadata,
    Column("owner", String(64), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("generation_id", String(36), ForeignKey("generations.id", ondelete="CASCADE"), primary_key=True),
    Index("ix_tags_generation", "generation_id"),
)
"""A generation's `tags` the other way round, to find it by one of them."""

totals = Table(
    "totals",
    metadata,
    Column("owner", String(64), primary_key=True),
    Column("kind", String(8), primary_key=True),
    Column("trashed", Boolean, primary_key=True),
    Column("items", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
)
"""Kept results and their bytes, added up by triggers: counting a million rows takes 150 ms."""

preferences = Table(
    "preferences",
    metadata,
    Column("owner", String(64), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("value", JSON, nullable=False),
)

sources = Table(
    "sources",
    metadata,
    Column("name", String(255), primary_key=True),
    Column("owner", String(64), nullable=False),
    Column("created_at", Float, nullable=False),
)

chats = Table(
    "chats",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("owner", String(64), nullable=False),
    Column("title", Text, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("updated_at", Float, nullable=False),
    Column("hidden_at", Float, key="trashed_at"),
    Index("ix_chats_owner", "owner", "updated_at"),
)

messages = Table(
    "messages",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("id", String(36), nullable=False, unique=True),
    Column("chat_id", String(36), ForeignKey("chats.id", ondelete="CASCADE"), nullable=False),
    Column("owner", String(64), nullable=False),
    Column("role", String(8), nullable=False),
    Column("sort", String(8), nullable=False),
    Column("text", Text, nullable=False),
    Column("understood", JSON(none_as_null=True)),
    Column("generation_id", String(36)),
    Column("reply_to", String(36), unique=True),
    Column("created_at", Float, nullable=False),
    UniqueConstraint("generation_id", "sort", name="uq_messages_generation"),
    Index("ix_messages_chat", "chat_id", "seq"),
    sqlite_autoincrement=True,
)
