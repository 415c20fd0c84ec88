"""The tables. Rows never leave the store; times are Unix seconds."""

import sqlalchemy as sa

metadata = sa.MetaData()

SPENT = "event IN ('attempt', 'check', 'lost')"
UNSURE = "unsure_since IS NOT NULL AND job_id IS NULL"
"""Queries must repeat these word for word to use the partial indexes: the planner compares the texts."""

UNWANTED = "phase = 'completed' AND stop_requested_at IS NOT NULL"

generations = sa.Table(
    "generations",
    metadata,
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
    sa.Column("hidden_at", sa.Float, key="trashed_at"),
    sa.Column("watch_until", sa.Float),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("epoch", sa.Integer, nullable=False),
    sa.Column("lease_owner", sa.String(64)),
    sa.Column("lease_until", sa.Float),
    sa.Column("kept", sa.JSON(none_as_null=True)),
    sa.Column("poster", sa.Text),
    sa.Column("preview", sa.Text),
    sa.Column("receipt", sa.JSON(none_as_null=True)),
    sa.Column("seq", sa.Integer),
    sa.Column("source", sa.Text),
    sa.Column("starred_at", sa.Float),
    sa.Column("tags", sa.JSON(none_as_null=True)),
    sa.Column("chat_id", sa.Text, sa.Computed("json_extract(request, '$.chat_id')", persisted=False)),
    sa.Column("unsure_since", sa.Float, key="possibly_accepted_since"),
    sa.Column("search_text", sa.Text),
    sa.Column("started_at", sa.Float),
    sa.UniqueConstraint("backend", "job_id", name="uq_generations_job"),
    sa.Index("ix_generations_owner_kind", "owner", "kind", "id"),
    sa.Index("ix_generations_phase", "phase"),
    sa.Index("ix_generations_chat", "chat_id"),
    sa.Index("ix_generations_model", "backend", "model", "finished_at"),
    sa.Index("ix_generations_seq", "seq", unique=True),
    sa.Index("ix_generations_request", "request_id"),
    sa.Index("ix_generations_owner_phase", "owner", "phase", "id"),
    sa.Index("ix_generations_owner_model", "owner", "backend", "model", "id"),
    sa.Index("ix_generations_shelf", "owner", "id", sqlite_where=sa.text("hidden_at IS NULL")),
    sa.Index("ix_generations_trash", "owner", "id", sqlite_where=sa.text("hidden_at IS NOT NULL")),
    sa.Index("ix_generations_starred", "owner", "id", sqlite_where=sa.text("starred_at IS NOT NULL")),
    sa.Index("ix_generations_source", "source", sqlite_where=sa.text("source IS NOT NULL")),
    sa.Index("ix_generations_unwanted", "owner", "id", sqlite_where=sa.text(UNWANTED)),
    sa.Index("ix_generations_unsure", "backend", "kind", sqlite_where=sa.text(UNSURE)),
)
"""Columns in the database's order: `listing` reads `SELECT g.*` by position."""

past_jobs = sa.Table(
    "past_jobs",
    metadata,
    sa.Column("backend", sa.String(64), primary_key=True),
    sa.Column("job_id", sa.String(200), primary_key=True),
    sa.Column("removed_at", sa.Float, nullable=False),
)
"""Jobs of removed generations: the backend still lists them, but they must not be adopted."""

trace_entries = sa.Table(
    "trace_entries",
    metadata,
    sa.Column(
        "generation_id", sa.String(36), sa.ForeignKey("generations.id", ondelete="CASCADE"), primary_key=True
    ),
    sa.Column("seq", sa.BigInteger, primary_key=True),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("lane", sa.String(8), nullable=False),
    sa.Column("event", sa.String(16), nullable=False),
    sa.Column("data", sa.JSON, nullable=False),
    sa.Index("ix_trace_entries_spent", "generation_id", "lane", "event", sqlite_where=sa.text(SPENT)),
)

idempotency_keys = sa.Table(
    "idempotency_keys",
    metadata,
    sa.Column("owner", sa.String(64), primary_key=True),
    sa.Column("key", sa.String(255), primary_key=True),
    sa.Column("fingerprint", sa.String(64), nullable=False),
    sa.Column("request_id", sa.String(36), nullable=False),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Index("ix_idempotency_keys_request", "request_id"),
)

tags = sa.Table(
    "tags",
    metadata,
    sa.Column("owner", sa.String(64), primary_key=True),
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column(
        "generation_id", sa.String(36), sa.ForeignKey("generations.id", ondelete="CASCADE"), primary_key=True
    ),
    sa.Index("ix_tags_generation", "generation_id"),
)
"""Finds generations by one of their `tags`."""

totals = sa.Table(
    "totals",
    metadata,
    sa.Column("owner", sa.String(64), primary_key=True),
    sa.Column("kind", sa.String(8), primary_key=True),
    sa.Column("trashed", sa.Boolean, primary_key=True),
    sa.Column("items", sa.BigInteger, nullable=False),
    sa.Column("bytes", sa.BigInteger, nullable=False),
)
"""Running totals of kept results, updated by triggers: counting a million rows takes 150 ms."""

preferences = sa.Table(
    "preferences",
    metadata,
    sa.Column("owner", sa.String(64), primary_key=True),
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("value", sa.JSON, nullable=False),
)

sources = sa.Table(
    "sources",
    metadata,
    sa.Column("name", sa.String(255), primary_key=True),
    sa.Column("owner", sa.String(64), nullable=False),
    sa.Column("created_at", sa.Float, nullable=False),
)

chats = sa.Table(
    "chats",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("owner", sa.String(64), nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("updated_at", sa.Float, nullable=False),
    sa.Column("hidden_at", sa.Float, key="trashed_at"),
    sa.Index("ix_chats_owner", "owner", "updated_at"),
)

messages = sa.Table(
    "messages",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("id", sa.String(36), nullable=False, unique=True),
    sa.Column("chat_id", sa.String(36), sa.ForeignKey("chats.id", ondelete="CASCADE"), nullable=False),
    sa.Column("owner", sa.String(64), nullable=False),
    sa.Column("role", sa.String(8), nullable=False),
    sa.Column("sort", sa.String(8), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("understood", sa.JSON(none_as_null=True)),
    sa.Column("generation_id", sa.String(36)),
    sa.Column("reply_to", sa.String(36), unique=True),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.UniqueConstraint("generation_id", "sort", name="uq_messages_generation"),
    sa.Index("ix_messages_chat", "chat_id", "seq"),
    sqlite_autoincrement=True,
)
