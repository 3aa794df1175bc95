"""What of a card is held against others; open findings of accepted cards; what could not be checked, where asked for."""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

from hocba_hub.model.compared_card import compared_card
from hocba_hub.model.reading import read_card
from hocba_hub.store.bodies import unpack

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_AT_ONCE = 500


def upgrade() -> None:
    nothing = sa.text("''")
    op.add_column(
        "report_cards",
        sa.Column(
            "pupil", sa.BigInteger(), nullable=False, server_default=sa.text("0"), comment="digest of who the pupil is"
        ),
    )
    op.add_column("report_cards", sa.Column("circular", sa.Text(), nullable=False, server_default=nothing))
    op.add_column("report_cards", sa.Column("grade", sa.SmallInteger(), nullable=False, server_default=sa.text("0")))
    op.add_column(
        "report_cards",
        sa.Column(
            "class_code", sa.Text(), nullable=False, server_default=nothing, comment="or its name, where it has no code"
        ),
    )
    op.add_column("report_cards", sa.Column("promoted", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("report_cards", sa.Column("birth", sa.Text(), nullable=False, server_default=nothing))
    op.add_column("report_cards", sa.Column("gender", sa.Text(), nullable=False, server_default=nothing))
    _fill(op.get_bind())
    op.drop_index("ix_report_cards_school", "report_cards")
    op.create_index("ix_report_cards_class", "report_cards", ["school_code", "school_year", "class_code"])
    op.create_index("ix_report_cards_pupil", "report_cards", ["pupil"])
    op.add_column("files", sa.Column("tells_unchecked", sa.Boolean(), nullable=False, server_default=sa.false()))
    _widen_open_findings()
    _keep_rejected_records()


def _fill(connection: sa.Connection) -> None:
    """Read the newest version of every card."""
    for batch in _batches(connection):
        connection.execute(
            sa.text(
                "UPDATE report_cards SET pupil = :pupil, circular = :circular, grade = :grade, class_code = :class_, "
                "promoted = :promoted, birth = :birth, gender = :gender "
                "WHERE school_year = :school_year AND card_id = :card_id"
            ),
            batch,
        )


def _batches(connection: sa.Connection) -> Iterator[list[dict[str, Any]]]:
    query = sa.text(
        "SELECT c.school_year, c.card_id, v.canonical FROM report_cards c JOIN versions v "
        "ON v.school_year = c.school_year AND v.card_id = c.card_id AND v.version = c.version "
        "WHERE (c.school_year, c.card_id) > (:school_year, :card_id) ORDER BY c.school_year, c.card_id LIMIT :at_once"
    )
    last = {"school_year": "", "card_id": ""}
    while rows := connection.execute(query, {**last, "at_once": _AT_ONCE}).all():
        last = {"school_year": rows[-1].school_year, "card_id": rows[-1].card_id}
        cards = [(row, read_card(unpack(row.canonical)).card) for row in rows]
        if found := [
            {**compared_card(card)._asdict(), "school_year": row.school_year, "card_id": row.card_id}
            for row, card in cards
            if card is not None
        ]:
            yield found


def _widen_open_findings() -> None:
    """One card may stand on the list for several matters: the matter becomes a part of the key."""
    op.rename_table("open_findings", "open_findings_before")
    op.drop_index("ix_open_findings_card", "open_findings_before")
    op.create_table(
        "open_findings",
        sa.Column("school_code", sa.Text(), nullable=False),
        sa.Column("school_year", sa.Text(), nullable=False),
        sa.Column("card_id", sa.Text(), nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("submission_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("findings", sa.LargeBinary(), nullable=False, comment="JSON list, zstd"),
        sa.Column(
            "matter", sa.Text(), nullable=False, server_default=sa.text("'record'"),
            comment="record, pupil or class: what they are about",
        ),
        sa.PrimaryKeyConstraint(
            "school_code", "school_year", "card_id", "client_id", "matter", name="pk_open_findings"
        ),
    )
    columns = "school_code, school_year, card_id, client_id, since, last_at, times, submission_id, position, findings"
    op.execute(
        f"INSERT INTO open_findings ({columns}, matter) SELECT {columns}, 'record' FROM open_findings_before"  # noqa: S608 - our own names
    )
    op.drop_table("open_findings_before")
    op.create_index("ix_open_findings_card", "open_findings", ["school_year", "card_id"])


def _keep_rejected_records() -> None:
    op.create_table(
        "rejected_records",
        sa.Column("submission_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("mapping", sa.Text(), nullable=False, comment="that read it"),
        sa.Column("school_year", sa.Text()),
        sa.Column("card_id", sa.Text()),
        sa.Column("original", sa.LargeBinary(), nullable=False, comment="bytes as sent, zstd"),
        sa.PrimaryKeyConstraint("submission_id", "position"),
    )
    op.create_index(
        "ix_rejected_records_mapping", "rejected_records", ["mapping", "client_id", "submission_id", "position"]
    )
