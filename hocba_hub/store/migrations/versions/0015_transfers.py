"""Which school may correct a card whose pupil has gone to another one."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column(
        "report_cards",
        sa.Column("managed_by", sa.Text(), comment="school that may correct it, where it is not the one that issued it"),
    )
    op.create_table(
        "transfers",
        sa.Column("id", _Id, primary_key=True),
        sa.Column("school_year", sa.Text(), nullable=False),
        sa.Column("card_id", sa.Text(), nullable=False),
        sa.Column("from_school", sa.Text(), nullable=False, comment="that could correct the card before"),
        sa.Column("to_school", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
    )
    op.create_index("ix_transfers_card", "transfers", ["school_year", "card_id"])
    op.create_index("ix_transfers_to", "transfers", ["to_school", "id"])
    op.create_index("ix_transfers_from", "transfers", ["from_school", "id"])
