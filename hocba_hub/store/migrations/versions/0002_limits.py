"""Attempts of an import; what is forgotten in time; what clients use."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "files",
        sa.Column("attempts", sa.Integer(), nullable=False, server_default=sa.text("0")),
    )
    op.add_column("files", sa.Column("reinstates", sa.Boolean(), nullable=False, server_default=sa.false()))
    if op.get_bind().dialect.name == "postgresql":  # SQLite keeps no comments
        op.execute("COMMENT ON COLUMN files.state IS 'receiving, waiting, done, failed or cancelled'")
    where = sa.text("status IN ('rejected')")
    op.create_index(
        "ix_records_rejected", "records", ["submission_id", "position"], postgresql_where=where, sqlite_where=where
    )
    op.create_table(
        "usage",
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("measure", sa.Text(), nullable=False, comment="requests, records or bytes"),
        sa.Column("window_start", sa.BigInteger(), nullable=False, comment="milliseconds"),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("client_id", "measure", "window_start"),
    )
