"""Which operators may see what cards and calls hold of people."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "operators",
        sa.Column(
            "sees_bodies", sa.Boolean(), nullable=False, server_default=sa.false(), comment="what cards hold of people"
        ),
    )
