"""What was paid for and is not wanted is found among a million."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_index(
        "ix_generations_unwanted",
        "generations",
        ["owner", "id"],
        sqlite_where=sa.text("phase = 'completed' AND stop_requested_at IS NOT NULL"),
    )
