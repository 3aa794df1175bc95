"""The destinations' code lists, version by version."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "code_lists",
        sa.Column("id", _Id, primary_key=True),
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False, comment="as the destination calls the list"),
        sa.Column("version", sa.Text(), nullable=False, comment="as the destination calls it"),
        sa.Column("sha256", sa.Text(), nullable=False, comment="of its codes and names"),
        sa.Column("state", sa.Text(), nullable=False, comment="draft, active, replaced or discarded"),
        sa.Column("code_table", sa.Text(), nullable=False),
        sa.Column("code_system", sa.Text(), nullable=False),
        sa.Column("name_system", sa.Text(), nullable=False),
        sa.Column("items", sa.LargeBinary(), nullable=False, comment="JSON list of code and name, zstd"),
        sa.Column("counts", sa.JSON(), nullable=False, comment="what it changed when it came: added, renamed, ended"),
        sa.Column("fetched_at", sa.BigInteger(), nullable=False),
        sa.Column("decided_at", sa.BigInteger()),
        sa.Column("decided_by", sa.Text()),
    )
    op.create_index("ix_code_lists_newest", "code_lists", ["destination", "name", "id"])
    op.add_column(
        "unmapped_codes",
        sa.Column("list_id", sa.BigInteger(), comment="the destination's list that has it since it was activated"),
    )
