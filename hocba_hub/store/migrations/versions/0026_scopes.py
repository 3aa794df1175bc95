"""For which part of the province an operator is, and of which commune the school of a card."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "operators", sa.Column("scope", sa.JSON(), comment="communes and schools; empty for the whole province")
    )
    op.add_column(
        "report_cards",
        sa.Column(
            "commune_code",
            sa.Text(),
            nullable=False,
            server_default=sa.text("''"),
            comment="of the school; empty if nobody says it",
        ),
    )
    op.create_index("ix_report_cards_commune", "report_cards", ["commune_code", "school_code"])
