"""Which cards a row of the audit trail is about, so that a card's story tells who acted on it and looked at it."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_cards",
        sa.Column("school_year", sa.Text(), nullable=False),
        sa.Column("card_id", sa.Text(), nullable=False),
        sa.Column("audit_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("school_year", "card_id", "audit_id"),
    )
