"""Of a rejected record that was read again when a code was filled: what became of it then."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("records", sa.Column("again_id", sa.Text(), comment="submission by which it was last read again"))
    op.add_column("records", sa.Column("again_position", sa.Integer(), comment="its position there"))
    op.create_index(
        "ix_records_again",
        "records",
        ["again_id", "again_position"],
        postgresql_where=sa.text("again_id IS NOT NULL"),
        sqlite_where=sa.text("again_id IS NOT NULL"),
    )
