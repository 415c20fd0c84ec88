"""When the backend began to work on a generation: estimates do not count the wait in its queue."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("generations", sa.Column("started_at", sa.Float))
