"""Deliveries that ended are counted from the states that they are in: superseded ones never were."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(sa.text("UPDATE tallies SET name = 'ended' WHERE name = 'deliveries'"))
    op.execute(sa.text("DELETE FROM tallies WHERE name = 'ended' AND labels LIKE '% superseded'"))
    op.execute(
        sa.text(
            "INSERT INTO tallies (name, labels, shard, value) "
            "SELECT 'ended', destination || ' superseded', 0, COUNT(*) FROM deliveries "
            "WHERE state = 'superseded' GROUP BY destination"
        )
    )
