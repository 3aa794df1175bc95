"""Reports: the frozen facts that their documents are made of."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "reports",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("kind", sa.Text(), nullable=False, comment="weekly or yearly"),
        sa.Column("school_year", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False, comment="when its facts were gathered"),
        sa.Column("facts", sa.LargeBinary(), nullable=False, comment="JSON, zstd: all that its documents are made of"),
        sa.Column("made_by", sa.Text(), nullable=False),
    )
    op.create_index("ix_reports_kind", "reports", ["kind", "id"])
