"""Replays: what is sent again, chosen once and kept, and how each record must be made again."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column(
        "delivery_attempts",
        sa.Column("made_sha256", sa.LargeBinary(32), comment="of all that the mapping made of the version"),
    )
    op.add_column(
        "deliveries",
        sa.Column(
            "pin", sa.Text(), comment="how it must be made again: mapping, version, perhaps the digest of what was made"
        ),
    )
    op.create_table(
        "replays",
        sa.Column("id", _Id, primary_key=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("selection", sa.JSON(), nullable=False, comment="as it was stated"),
        sa.Column("meaning", sa.Text(), nullable=False, comment="same-bytes, same-mapping or mapping-in-force"),
        sa.Column("records", sa.BigInteger(), nullable=False, comment="how many were selected: its items"),
        sa.Column("canary", sa.JSON(), nullable=False, comment="how many of each cause go first, step by step"),
        sa.Column(
            "records_per_second", sa.Float(), comment="most that go out; empty: what the destinations bear"
        ),
        sa.Column(
            "most_failed", sa.Float(), nullable=False, comment="share of failures at which it stops by itself"
        ),
        sa.Column("state", sa.Text(), nullable=False, comment="frozen, running, paused, stopped, done or cancelled"),
        sa.Column("stop_code", sa.Text(), comment="why it stopped by itself"),
        sa.Column("stop_group_id", sa.BigInteger(), comment="the failure group that came back"),
        sa.Column("armed_at", sa.BigInteger(), comment="failures from then on may stop it"),
        sa.Column("started_at", sa.BigInteger()),
        sa.Column("ended_at", sa.BigInteger()),
    )
    is_open = sa.text("state IN ('frozen','paused','running','stopped')")
    op.create_index("ix_replays_open", "replays", ["id"], postgresql_where=is_open, sqlite_where=is_open)
    op.create_table(
        "replay_items",
        sa.Column("replay_id", sa.BigInteger(), nullable=False),
        sa.Column("delivery_id", sa.BigInteger(), nullable=False),
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False, comment="from 1 within its destination and failure group"),
        sa.Column("state", sa.Text(), nullable=False, comment="of the delivery when it was selected"),
        sa.Column("failure_group_id", sa.BigInteger(), comment="of the delivery when it was selected"),
        sa.Column("difference_id", sa.BigInteger(), comment="of a reconciliation, that it is to repair"),
        sa.Column("released_at", sa.BigInteger(), comment="when it was sent again"),
        sa.Column(
            "outcome", sa.Text(), comment="acknowledged, failed, superseded or skipped; empty: its delivery is claimed"
        ),
        sa.Column("code", sa.Text(), comment="of a failure, or why it was skipped"),
        sa.Column("ended_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("replay_id", "delivery_id"),
    )
    op.create_index("ix_replay_items_outcome", "replay_items", ["replay_id", "outcome", "delivery_id"])
    for name, columns, where, unique in (
        ("uq_replay_items_claim", ["delivery_id"], "outcome IS NULL", True),
        (
            "ix_replay_items_waiting",
            ["replay_id", "destination", "turn", "delivery_id"],
            "outcome IS NULL AND released_at IS NULL",
            False,
        ),
        (
            "ix_replay_items_released",
            ["replay_id", "delivery_id"],
            "outcome IS NULL AND released_at IS NOT NULL",
            False,
        ),
    ):
        condition = sa.text(where)
        op.create_index(
            name, "replay_items", columns, unique=unique, postgresql_where=condition, sqlite_where=condition
        )
