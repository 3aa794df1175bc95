"""What finds the story of one card: by pupil's code, reference, trace, and what happened to its deliveries."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "report_cards",
        sa.Column(
            "pupil_code",
            sa.BigInteger(),
            nullable=False,
            server_default=sa.text("0"),
            comment="digest of the pupil's code; 0 of a card from before",
        ),
    )
    op.create_index("ix_replay_items_delivery", "replay_items", ["delivery_id", "replay_id"])
    op.create_index("ix_reconcile_differences_card", "reconcile_differences", ["school_year", "card_id"])
    for name, table, columns, where in (
        ("ix_report_cards_pupil_code", "report_cards", ["pupil_code"], "pupil_code <> 0"),
        ("ix_submissions_trace", "submissions", ["trace_parent"], "trace_parent IS NOT NULL"),
        ("ix_records_rejected_card", "records", ["school_year", "card_id"], "status IN ('rejected')"),
        ("ix_deliveries_taken_under", "deliveries", ["reference"], "reference IS NOT NULL"),
    ):
        condition = sa.text(where)
        op.create_index(name, table, columns, postgresql_where=condition, sqlite_where=condition)
