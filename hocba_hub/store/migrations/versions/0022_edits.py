"""Edits of cards by operators: proposed by one, approved by another."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "edits",
        sa.Column("id", _Id, primary_key=True),
        sa.Column("school_year", sa.Text(), nullable=False),
        sa.Column("card_id", sa.Text(), nullable=False),
        sa.Column("base_version", sa.Integer(), nullable=False, comment="that is changed"),
        sa.Column("made_version", sa.Integer(), comment="that came of it"),
        sa.Column(
            "changes", sa.LargeBinary(), nullable=False, comment="JSON list of place, before and after, zstd"
        ),
        sa.Column(
            "canonical", sa.LargeBinary(), nullable=False, comment="the card as it is to be, canonical JSON, zstd"
        ),
        sa.Column("state", sa.Text(), nullable=False, comment="proposed, made, rejected or stale"),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.BigInteger()),
        sa.Column("decided_by", sa.Text(), comment="never the one who asked, unless the settings let him"),
    )
    op.create_index("ix_edits_card", "edits", ["school_year", "card_id", "id"])
    proposed = sa.text("state IN ('proposed')")
    op.create_index(
        "uq_edits_proposed",
        "edits",
        ["school_year", "card_id"],
        unique=True,
        postgresql_where=proposed,
        sqlite_where=proposed,
    )
