"""Data that nobody changes any more, until two people say so."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "data_locks",
        sa.Column("id", _Id, primary_key=True),
        sa.Column("school_code", sa.Text(), nullable=False, comment="* for all"),
        sa.Column("school_year", sa.Text(), nullable=False),
        sa.Column("grade", sa.SmallInteger(), nullable=False, comment="0 for all"),
        sa.Column("locked_at", sa.BigInteger(), nullable=False),
        sa.Column("locked_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("unlock_asked_at", sa.BigInteger()),
        sa.Column("unlock_asked_by", sa.Text()),
        sa.Column("unlock_reason", sa.Text()),
        sa.Column("unlocked_at", sa.BigInteger()),
        sa.Column("unlocked_by", sa.Text(), comment="never the one who asked"),
    )
    in_force = sa.text("unlocked_at IS NULL")
    op.create_index(
        "uq_data_locks_in_force",
        "data_locks",
        ["school_code", "school_year", "grade"],
        unique=True,
        postgresql_where=in_force,
        sqlite_where=in_force,
    )
