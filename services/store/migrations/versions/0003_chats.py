"""Conversations and their messages; indexes generations by conversation."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "chats",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("updated_at", sa.Float, nullable=False),
        sa.Column("hidden_at", sa.Float),
    )
    op.create_index("ix_chats_owner", "chats", ["owner", "updated_at"])
    op.create_table(
        "messages",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("id", sa.String(36), nullable=False, unique=True),
        sa.Column("chat_id", sa.String(36), sa.ForeignKey("chats.id", ondelete="CASCADE"), nullable=False),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("role", sa.String(8), nullable=False),
        sa.Column("sort", sa.String(8), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("understood", sa.JSON),
        sa.Column("generation_id", sa.String(36)),
        sa.Column("reply_to", sa.String(36), unique=True),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.UniqueConstraint("generation_id", "sort", name="uq_messages_generation"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_messages_chat", "messages", ["chat_id", "seq"])
    chat_id = sa.Computed("json_extract(request, '$.chat_id')", persisted=False)
    op.add_column("generations", sa.Column("chat_id", sa.Text, chat_id))
    op.create_index("ix_generations_chat", "generations", ["chat_id"])
