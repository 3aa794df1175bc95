"""What monitoring needs: the scheduler's last round, who sends, exemplars, when a destination's certificate ends."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("processes") as batch:
        batch.add_column(sa.Column("round_at", sa.BigInteger(), comment="when a scheduler last looked for what is due"))
    with op.batch_alter_table("destinations") as batch:
        batch.add_column(sa.Column("certificate_ends_at", sa.BigInteger(), comment="of the destination's own, as last seen"))
    op.create_table(
        "senders",
        sa.Column("school_code", sa.Text(), nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False, comment="when a record last came, to the hour"),
        sa.PrimaryKeyConstraint("school_code", "client_id"),
    )
    op.create_table(
        "exemplars",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("labels", sa.Text(), nullable=False, comment="as in tallies, the bucket last"),
        sa.Column("value", sa.Float(), nullable=False),
        sa.Column("trace_id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", "labels"),
    )
