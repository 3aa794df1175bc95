"""The mapping that a record was made by, with each attempt to send it."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "delivery_attempts",
        sa.Column("mapping", sa.Text(), comment="the mapping that the record was made by, as name 1.2.3"),
    )
