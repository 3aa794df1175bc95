"""Credentials with an id and an end; passwords for digests apart from keys."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("keys", sa.Column("ends_at", sa.BigInteger(), comment="when it ends by itself"))
    op.drop_table("client_certificates")  # nothing ever wrote into it
    op.create_table(
        "client_certificates",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "identity", sa.Text(), nullable=False, comment="sha256:<hex of the certificate> or subject:<name>"
        ),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), comment="when it ends by itself"),
        sa.Column("revoked_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_client_certificates_identity", "client_certificates", ["identity"])
    op.create_index("ix_client_certificates_client", "client_certificates", ["client_id"])
    op.create_table(
        "digest_passwords",
        sa.Column("id", sa.Text(), nullable=False, comment="public; the password is derived from it"),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("secret_id", sa.Text(), nullable=False, comment="of the hub's secret that it was made with"),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), comment="when it ends by itself"),
        sa.Column("revoked_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_digest_passwords_client", "digest_passwords", ["client_id"])
