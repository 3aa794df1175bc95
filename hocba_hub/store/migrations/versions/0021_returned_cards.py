"""Cards that a person has returned to their schools, since a destination does not take them."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "returned_cards",
        sa.Column("id", _Id, primary_key=True),
        sa.Column("delivery_id", sa.BigInteger(), nullable=False, unique=True),
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("school_year", sa.Text(), nullable=False),
        sa.Column("card_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("school_code", sa.Text(), nullable=False, comment="that may correct it"),
        sa.Column("code", sa.Text(), nullable=False, comment="the destination's"),
        sa.Column("note", sa.Text(), nullable=False, comment="what the school is to do, in Vietnamese"),
        sa.Column("returned_at", sa.BigInteger(), nullable=False),
        sa.Column("returned_by", sa.Text(), nullable=False),
    )
    op.create_index("ix_returned_cards_card", "returned_cards", ["school_year", "card_id", "version"])
    op.create_index("ix_returned_cards_school", "returned_cards", ["school_code", "id"])
