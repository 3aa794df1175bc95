"""What a class's cards have in common: digests of the results, and of the one person who teaches all subjects."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name, comment in (
        ("results", "digest of levels and promotion; 0 of a card from before"),
        ("teacher", "digest of the one person who teaches all subjects; 0 if there are several"),
    ):
        op.add_column(
            "report_cards",
            sa.Column(name, sa.BigInteger(), nullable=False, server_default=sa.text("0"), comment=comment),
        )
