"""Jobs and their runs; imports that are paused."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "jobs",
        sa.Column("key", sa.Text(), primary_key=True, comment="kind, or kind:what it is about"),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("schedule", sa.Text(), comment="cron, in Vietnam's time; empty: only when somebody asks"),
        sa.Column("next_run_at", sa.BigInteger(), comment="when the schedule has it next"),
        sa.Column("paused_at", sa.BigInteger()),
        sa.Column("pause_reason", sa.Text()),
        sa.Column("succeeded_at", sa.BigInteger(), comment="end of its last run that was done"),
        sa.Column("seconds", sa.Float(), comment="that this run took"),
    )
    op.create_table(
        "job_runs",
        sa.Column("id", _Id, primary_key=True),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False, comment="schedule, or who asked for it"),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), comment="empty while it is open"),
        sa.Column("state", sa.Text(), nullable=False, comment="running, done, failed or cancelled"),
        sa.Column("cursor", sa.JSON(), comment="where it goes on; only its kind understands it"),
        sa.Column("done", sa.BigInteger(), nullable=False, server_default=sa.text("0"), comment="how much of `total`"),
        sa.Column("total", sa.BigInteger(), comment="empty where nobody can tell"),
        sa.Column("result", sa.JSON(), nullable=False, comment="name -> count"),
        sa.Column("error", sa.Text(), comment="why it failed: a code"),
        sa.Column("holder", sa.Text(), comment="the process that is at it"),
        sa.Column("lease_id", sa.Text()),
        sa.Column("leased_until", sa.BigInteger(), nullable=False, comment="from then on anybody may take it over"),
        sa.Column("attempts", sa.Integer(), nullable=False, comment="to go on with it, since it last got further"),
        sa.Column(
            "takeovers", sa.Integer(), nullable=False, comment="how often it was taken over from a process that died"
        ),
    )
    op.create_index("ix_job_runs_key", "job_runs", ["key", "id"])
    op.create_index("ix_job_runs_age", "job_runs", ["started_at"])
    is_open = sa.text("ended_at IS NULL")
    op.create_index(
        "uq_job_runs_open", "job_runs", ["key"], unique=True, postgresql_where=is_open, sqlite_where=is_open
    )
    if op.get_bind().dialect.name == "postgresql":  # SQLite keeps no comments
        op.alter_column(
            "processes",
            "kind",
            existing_type=sa.Text(),
            existing_nullable=False,
            existing_comment="api, worker, importer or scheduler",
            comment="api, worker, importer, jobs or scheduler",
        )
    op.add_column(
        "files", sa.Column("paused_at", sa.BigInteger(), comment="nobody imports it until somebody resumes it")
    )
