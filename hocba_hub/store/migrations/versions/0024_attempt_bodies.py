"""The bodies of requests to destinations and of their answers, kept for a while."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "attempt_bodies",
        sa.Column("attempt_id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column(
            "request", sa.LargeBinary(), nullable=False, comment="without what authenticates the hub, zstd"
        ),
        sa.Column("response", sa.LargeBinary(), nullable=False, comment="zstd"),
        sa.Column("kept_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_attempt_bodies_age", "attempt_bodies", ["kept_at"])
