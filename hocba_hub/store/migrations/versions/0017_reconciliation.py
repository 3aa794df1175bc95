"""A destination's inventory beside ours: what was staged, what differs, and the counts by class."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column(
        "delivery_attempts",
        sa.Column("sent_sha256", sa.LargeBinary(32), comment="of what was sent, as the destination keeps it"),
    )
    op.create_table(
        "reconcile_entries",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("school_year", sa.Text(), nullable=False),
        sa.Column("card_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False, comment="held, recalled or refused"),
        sa.Column("sha256", sa.LargeBinary(32)),
        sa.PrimaryKeyConstraint("run_id", "school_year", "card_id"),
    )
    op.create_table(
        "reconcile_differences",
        sa.Column("id", _Id, primary_key=True),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("school_year", sa.Text(), nullable=False),
        sa.Column("card_id", sa.Text(), nullable=False),
        sa.Column("school_code", sa.Text(), nullable=False, comment="empty of a card that is unknown to us"),
        sa.Column("grade", sa.SmallInteger(), nullable=False),
        sa.Column("class_code", sa.Text(), nullable=False),
        sa.Column("our_version", sa.Integer()),
        sa.Column("our_state", sa.Text()),
        sa.Column("delivery_id", sa.BigInteger()),
        sa.Column("their_version", sa.Integer()),
        sa.Column("their_state", sa.Text()),
        sa.Column("repaired_at", sa.BigInteger(), comment="when it was sent again, or raised to the school"),
        sa.Column("repaired_by", sa.Text()),
    )
    for name, columns in (
        ("ix_reconcile_differences_run", ["run_id", "id"]),
        ("ix_reconcile_differences_kind", ["run_id", "kind", "id"]),
        ("ix_reconcile_differences_school", ["run_id", "school_code", "id"]),
    ):
        op.create_index(name, "reconcile_differences", columns)
    op.create_table(
        "reconcile_counts",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("school_code", sa.Text(), nullable=False),
        sa.Column("school_year", sa.Text(), nullable=False),
        sa.Column("grade", sa.SmallInteger(), nullable=False),
        sa.Column("class_code", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="of a difference, or all"),
        sa.Column("cards", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "school_code", "school_year", "grade", "class_code", "kind"),
    )
