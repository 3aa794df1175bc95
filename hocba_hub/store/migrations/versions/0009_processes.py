"""The processes that run, or ran."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "processes",
        sa.Column("holder", sa.Text(), nullable=False, comment="its name among all that lease"),
        sa.Column("kind", sa.Text(), nullable=False, comment="api, worker, importer or scheduler"),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False, comment="when it last said that it is alive"),
        sa.Column("ended_at", sa.BigInteger(), comment="empty while it runs, and of one that was killed"),
        sa.PrimaryKeyConstraint("holder"),
    )
