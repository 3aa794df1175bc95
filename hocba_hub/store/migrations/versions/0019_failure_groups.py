"""Failures by cause: their groups, how often each happened where, and what stands in which group now."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _partial_index(name: str, table: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, postgresql_where=condition, sqlite_where=condition)


def upgrade() -> None:
    op.create_table(
        "failure_groups",
        sa.Column("id", _Id, primary_key=True),
        sa.Column(
            "fingerprint",
            sa.LargeBinary(32),
            nullable=False,
            unique=True,
            comment="SHA-256 of the six parts of the cause",
        ),
        sa.Column("essence", sa.LargeBinary(32), nullable=False, comment="SHA-256 of all parts but the mapping"),
        sa.Column("root_id", sa.BigInteger(), comment="the group whose cause is behind this one"),
        sa.Column("destination", sa.Text(), nullable=False, comment="empty of rejected records"),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("error_class", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False, comment="without ids, numbers and names"),
        sa.Column("mapping", sa.Text(), nullable=False, comment="in its version, as name 1.2.3"),
        sa.Column("times", sa.BigInteger(), nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False, comment="open, watching, resolved or muted"),
        sa.Column("muted_until", sa.BigInteger()),
        sa.Column(
            "reopened_at", sa.BigInteger(), comment="when it came back after it was resolved, or not muted any more"
        ),
        sa.Column("owner", sa.Text(), comment="who mends it"),
        sa.Column("note", sa.Text()),
        sa.Column(
            "revision",
            sa.Integer(),
            nullable=False,
            comment="moves with every change by a person, and when it comes back",
        ),
    )
    op.create_index("ix_failure_groups_root", "failure_groups", ["root_id"])
    op.create_index("ix_failure_groups_last", "failure_groups", ["last_at", "id"])
    op.create_table(
        "failure_counts",
        sa.Column("group_id", sa.BigInteger(), nullable=False),
        sa.Column("hour_at", sa.BigInteger(), nullable=False, comment="start of the hour"),
        sa.Column("school_code", sa.Text(), nullable=False, comment="empty where it could not be read"),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("times", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("group_id", "hour_at", "school_code", "client_id"),
    )
    op.create_index("ix_failure_counts_hour", "failure_counts", ["hour_at"])
    for table, comment in (
        ("records", "of one that was rejected"),
        ("deliveries", "of its last attempt, where that failed"),
        ("open_findings", "of a record that was rejected"),
    ):
        op.add_column(table, sa.Column("failure_group_id", sa.BigInteger(), comment=comment))
    in_a_group = "failure_group_id IS NOT NULL"
    columns = ["failure_group_id", "state", "id"]
    _partial_index("ix_deliveries_failure_group", "deliveries", columns, in_a_group)
    columns = ["failure_group_id", "school_code", "school_year", "card_id"]
    _partial_index("ix_open_findings_failure_group", "open_findings", columns, in_a_group)
    refused = "kind IN ('settled') AND verdict IN ('refused')"
    _partial_index("ix_acknowledgements_refused", "acknowledgements", ["first_at"], refused)
    failed = "outcome IN ('refused','transient','precondition','unknown_outcome')"
    _partial_index("ix_attempts_failed", "attempts", ["ended_at"], failed)
    failed = "meaning IN ('refused','transient','precondition','unknown_outcome')"
    _partial_index("ix_delivery_attempts_failed", "delivery_attempts", ["attempt_id"], failed)
