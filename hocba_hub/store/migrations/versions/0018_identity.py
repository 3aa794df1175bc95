"""What the check of pupils' personal numbers came to, as destinations tell it."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "identity_results",
        sa.Column("school_year", sa.Text(), nullable=False),
        sa.Column("card_id", sa.Text(), nullable=False),
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False, comment="that was checked"),
        sa.Column("result", sa.Text(), nullable=False, comment="verified, mismatch or not-found"),
        sa.Column("told_at", sa.BigInteger(), nullable=False),
        sa.Column("school_code", sa.Text(), nullable=False),
        sa.Column("commune_code", sa.Text(), nullable=False, comment="of the school; empty if the card has none"),
        sa.PrimaryKeyConstraint("school_year", "card_id", "destination"),
    )
    for name, first in (("school", ["school_code"]), ("commune", ["commune_code", "school_code"])):
        columns = ["destination", "result", *first, "school_year", "card_id"]
        op.create_index(f"ix_identity_results_{name}", "identity_results", columns)
