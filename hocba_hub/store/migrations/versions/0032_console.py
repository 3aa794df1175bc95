"""The console: operators' passwords and open sessions; what schools are called."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "passwords",
        sa.Column("operator_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("hash", sa.Text(), nullable=False, comment="argon2id, with salt and parameters"),
        sa.Column("set_at", sa.BigInteger(), nullable=False),
        sa.Column("must_change", sa.Boolean(), nullable=False, comment="somebody else knows it"),
        sa.Column("failures", sa.Integer(), nullable=False, comment="since it was last right"),
        sa.Column("locked_until", sa.BigInteger(), nullable=False),
        sa.Column("totp_secret", sa.Text(), comment="of the second factor, base32"),
        sa.Column("totp_step", sa.BigInteger(), nullable=False, comment="the last one that was used"),
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("token_sha256", sa.LargeBinary(32), nullable=False),
        sa.Column("former_sha256", sa.LargeBinary(32), comment="the token before it, for pages that were under way"),
        sa.Column("owner_kind", sa.Text(), nullable=False, comment="client or operator"),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("way", sa.Text(), nullable=False, comment="password, key or oidc: how its owner signed in"),
        sa.Column("key_id", sa.Text(), comment="the key that opened it; it ends with that"),
        sa.Column("csrf", sa.Text(), nullable=False, comment="what every form of the session sends along"),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("rotated_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_sessions_token", "sessions", ["token_sha256"], unique=True)
    op.create_index("ix_sessions_former", "sessions", ["former_sha256"])
    op.create_index("ix_sessions_owner", "sessions", ["owner_kind", "owner_id"])
    op.create_table(
        "schools",
        sa.Column("school_code", sa.Text(), primary_key=True),
        sa.Column("name", sa.Text(), nullable=False, comment="as one of its newest cards has it"),
        sa.Column("commune_code", sa.Text(), nullable=False, comment="empty if its cards have none"),
        sa.Column("commune_name", sa.Text(), nullable=False),
        sa.Column("plain", sa.Text(), nullable=False, comment="all of it in small letters without accents, to search in"),
        sa.Column("learnt_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_schools_commune", "schools", ["commune_code", "school_code"])
    op.create_index("ix_failure_counts_client", "failure_counts", ["client_id", "hour_at"])
