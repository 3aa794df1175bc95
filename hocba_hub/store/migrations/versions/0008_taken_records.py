"""Of a version that goes as several records: those that the destination has taken."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "deliveries",
        sa.Column("taken", sa.Text(), comment="JSON list: records of a version of several that the destination has taken"),
    )
