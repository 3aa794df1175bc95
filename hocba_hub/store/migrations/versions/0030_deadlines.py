"""The deadline board: how many cards are expected, and snapshots of how many are there."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "expected_cards",
        sa.Column("school_year", sa.Text(), nullable=False),
        sa.Column("school_code", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("grade", sa.SmallInteger(), nullable=False),
        sa.Column("class_code", sa.Text(), nullable=False, comment="empty for the whole grade"),
        sa.Column("said_by", sa.Text(), nullable=False, comment="roster or statement"),
        sa.Column("pupils", sa.Integer(), nullable=False),
        sa.Column("said_at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("school_year", "school_code", "level", "grade", "class_code", "said_by"),
    )
    op.create_table(
        "board_snapshots",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("school_year", sa.Text(), nullable=False),
        sa.Column("as_of", sa.BigInteger(), nullable=False),
        sa.Column("is_whole", sa.Boolean(), nullable=False, comment="all its cells are written"),
        sa.Column("has_cells", sa.Boolean(), nullable=False, comment="they are still kept"),
        sa.Column("ended", sa.JSON(), nullable=False, comment="destination -> deliveries with a verdict, ever"),
        sa.Column("totals", sa.JSON(), nullable=False, comment="destination -> level -> counts"),
    )
    op.create_index("ix_board_snapshots_year", "board_snapshots", ["school_year", "id"])
    op.create_table(
        "board_cells",
        sa.Column("snapshot_id", sa.BigInteger(), nullable=False),
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("commune_code", sa.Text(), nullable=False),
        sa.Column("school_code", sa.Text(), nullable=False),
        sa.Column("grade", sa.SmallInteger(), nullable=False),
        sa.Column("class_code", sa.Text(), nullable=False, comment="empty: of the grade as a whole"),
        sa.Column("expected", sa.Integer(), nullable=False),
        sa.Column("expected_by", sa.Text(), nullable=False, comment="empty if nobody says it"),
        sa.Column("accepted", sa.Integer(), nullable=False),
        sa.Column("acknowledged", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("waiting", sa.Integer(), nullable=False),
        sa.Column("missing", sa.Integer(), nullable=False),
        sa.Column("recalled", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("snapshot_id", "destination", "school_code", "level", "grade", "class_code"),
    )
