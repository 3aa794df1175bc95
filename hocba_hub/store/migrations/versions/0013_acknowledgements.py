"""Verdicts that come unasked, late, again or otherwise; when a verdict began to be awaited, and how long they take."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column(
        "clients",
        sa.Column("destination", sa.Text(), comment="the destination that it is; it brings verdicts, and sends no cards"),
    )
    op.add_column(
        "deliveries",
        sa.Column("awaiting_since", sa.BigInteger(), comment="when it was taken, where the verdict comes later"),
    )
    # What is awaited now was taken at the end of its last send; its first attempt is the best that its row knows.
    op.execute("UPDATE deliveries SET awaiting_since = first_attempt_at WHERE state IN ('awaiting_ack')")
    is_awaited = sa.text("state IN ('awaiting_ack')")
    op.create_index(
        "ix_deliveries_awaiting",
        "deliveries",
        ["destination", "awaiting_since"],
        postgresql_where=is_awaited,
        sqlite_where=is_awaited,
    )
    op.add_column(
        "destinations",
        sa.Column("verdict_seconds", sa.Float(), comment="how long its verdicts take that come later; a moving mean"),
    )
    op.create_table(
        "acknowledgements",
        sa.Column("id", _Id, primary_key=True),
        sa.Column("delivery_id", sa.BigInteger(), nullable=False),
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False, comment="poll, lookup, send or push: how it came"),
        sa.Column("kind", sa.Text(), nullable=False, comment="settled, late, repeated or contradictory"),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False, comment="acknowledged or refused"),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), comment="when a person decided which verdict counts"),
        sa.Column("decided_by", sa.Text()),
        sa.Column("decision", sa.Text(), comment="keep or take"),
        sa.UniqueConstraint("delivery_id", "source", "kind", "code", name="uq_acknowledgements"),
    )
    op.create_index("ix_acknowledgements_kind", "acknowledgements", ["kind", "id"])
    undecided = sa.text("kind IN ('contradictory') AND decided_at IS NULL")
    op.create_index(
        "ix_acknowledgements_undecided",
        "acknowledgements",
        ["destination", "id"],
        postgresql_where=undecided,
        sqlite_where=undecided,
    )
