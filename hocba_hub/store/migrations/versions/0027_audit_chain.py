"""The audit trail is a chain: the rows that there are become its beginning, in the order of their ids."""

import json

import sqlalchemy as sa
from alembic import op

from hocba_hub.model.audit_chain import FIRST, link

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_audit = sa.table(
    "audit",
    *(sa.column(name) for name in ("id", "at", "actor", "action", "reason", "detail", "seq", "hash")),
)


def upgrade() -> None:
    with op.batch_alter_table("audit") as batch:
        batch.add_column(sa.Column("seq", sa.BigInteger(), comment="place in the chain: the order of the commits"))
        batch.add_column(
            sa.Column("hash", sa.LargeBinary(32), comment="SHA-256 of the row behind the hash of the one before")
        )
    connection, before = op.get_bind(), FIRST
    columns = [_audit.c[name] for name in ("id", "at", "actor", "action", "reason", "detail")]
    for seq, row in enumerate(connection.execute(sa.select(*columns).order_by(_audit.c.id)).all(), start=1):
        detail = json.loads(row.detail) if isinstance(row.detail, str) else row.detail
        before = link(before, seq, {**row._mapping, "detail": detail})
        chained = sa.update(_audit).where(_audit.c.id == row.id).values(seq=seq, hash=sa.literal(before, sa.LargeBinary()))
        connection.execute(chained)
    op.create_index("ix_audit_seq", "audit", ["seq"], unique=True)
    op.create_index("ix_audit_at", "audit", ["at"])
