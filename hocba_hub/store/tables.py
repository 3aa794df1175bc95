"""The tables, as SQLAlchemy Core. The schema itself is made by the migrations; a test compares the two.

Every `*_at` is milliseconds since 1970-01-01T00:00Z as an integer: the same on both engines, cheap to compare.
Every table that grows with the cards holds the school year, by which PostgreSQL can partition it.
Rows that change often (deliveries) are narrow and apart from the bodies (versions).
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

metadata = MetaData()

_Id = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows itself only for INTEGER

clients = Table(
    "clients",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("schools", JSON, nullable=False, comment='school codes it may speak for; ["*"] for all'),
    Column("profile", Text, comment="mapping of what it sends, unless a call says otherwise"),
    Column("created_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
    Column("destination", Text, comment="the destination that it is; it brings verdicts, and sends no cards"),
)

operators = Table(
    "operators",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("role", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
    Column("sees_bodies", Boolean, nullable=False, server_default=false(), comment="what cards hold of people"),
    Column("scope", JSON, comment="communes and schools; empty for the whole province"),
)

passwords = Table(
    "passwords",
    metadata,
    Column("operator_id", _Id, primary_key=True),
    Column("hash", Text, nullable=False, comment="argon2id, with salt and parameters"),
    Column("set_at", BigInteger, nullable=False),
    Column("must_change", Boolean, nullable=False, comment="somebody else knows it"),
    Column("failures", Integer, nullable=False, comment="since it was last right"),
    Column("locked_until", BigInteger, nullable=False),
    Column("totp_secret", Text, comment="of the second factor, base32"),
    Column("totp_step", BigInteger, nullable=False, comment="the last one that was used"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("token_sha256", LargeBinary(32), nullable=False),
    Column("former_sha256", LargeBinary(32), comment="the token before it, for pages that were under way"),
    Column("owner_kind", Text, nullable=False, comment="client or operator"),
    Column("owner_id", BigInteger, nullable=False),
    Column("way", Text, nullable=False, comment="password, key or oidc: how its owner signed in"),
    Column("key_id", Text, comment="the key that opened it; it ends with that"),
    Column("csrf", Text, nullable=False, comment="what every form of the session sends along"),
    Column("opened_at", BigInteger, nullable=False),
    Column("rotated_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Index("ix_sessions_token", "token_sha256", unique=True),
    Index("ix_sessions_former", "former_sha256"),
    Index("ix_sessions_owner", "owner_kind", "owner_id"),
)

keys = Table(
    "keys",
    metadata,
    Column("id", Text, primary_key=True, comment="public part of the key"),
    Column("owner_kind", Text, nullable=False, comment="client or operator"),
    Column("owner_id", BigInteger, nullable=False),
    Column("secret_sha256", LargeBinary(32), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
    Column("ends_at", BigInteger, comment="when it ends by itself"),
)

schools = Table(
    "schools",
    metadata,
    Column("school_code", Text, primary_key=True),
    Column("name", Text, nullable=False, comment="as one of its newest cards has it"),
    Column("commune_code", Text, nullable=False, comment="empty if its cards have none"),
    Column("commune_name", Text, nullable=False),
    Column("plain", Text, nullable=False, comment="all of it in small letters without accents, to search in"),
    Column("learnt_at", BigInteger, nullable=False),
    Index("ix_schools_commune", "commune_code", "school_code"),
)

submissions = Table(
    "submissions",
    metadata,
    Column("id", Text, primary_key=True, comment="UUIDv7"),
    Column("client_id", BigInteger, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("state", Text, nullable=False, comment="receiving, accepted, partial, rejected"),
    Column("bytes", BigInteger, nullable=False),
    Column("sha256", Text, comment="of the body as sent, after any content coding was undone"),
    Column("accepted", Integer, nullable=False),
    Column("rejected", Integer, nullable=False),
    Column("atomic", Boolean, nullable=False),
    Column("trace_parent", Text, comment="W3C Trace Context of the call"),
    Index("ix_submissions_client", "client_id", "id"),
)
Index(
    "ix_submissions_trace",
    submissions.c.trace_parent,
    postgresql_where=text("trace_parent IS NOT NULL"),
    sqlite_where=text("trace_parent IS NOT NULL"),
)

records = Table(
    "records",
    metadata,
    Column("submission_id", Text, nullable=False),
    Column("position", Integer, nullable=False, comment="from 0, as in the body"),
    Column("status", Text, nullable=False, comment="accepted, unchanged or rejected"),
    Column("sha256", LargeBinary(32), nullable=False, comment="of the record's bytes as sent"),
    Column("school_year", Text),
    Column("card_id", Text),
    Column("school_code", Text),
    Column("version", Integer),
    Column("findings", LargeBinary, comment="JSON list, zstd"),
    Column("again_id", Text, comment="submission by which it was last read again"),
    Column("again_position", Integer, comment="its position there"),
    Column("failure_group_id", BigInteger, comment="of one that was rejected"),
    PrimaryKeyConstraint("submission_id", "position"),
)

for _index, _some in (
    (Index("ix_records_rejected", records.c.submission_id, records.c.position), "status IN ('rejected')"),
    (Index("ix_records_again", records.c.again_id, records.c.again_position), "again_id IS NOT NULL"),
    (Index("ix_records_rejected_card", records.c.school_year, records.c.card_id), "status IN ('rejected')"),
):
    for _dialect in ("postgresql", "sqlite"):
        _index.dialect_options[_dialect]["where"] = text(_some)

report_cards = Table(
    "report_cards",
    metadata,
    Column("school_year", Text, nullable=False),
    Column("card_id", Text, nullable=False),
    Column("school_code", Text, nullable=False),
    Column("client_id", BigInteger, nullable=False),
    Column("version", Integer, nullable=False, comment="the newest"),
    Column("content_sha256", LargeBinary(32), nullable=False, comment="of the newest version's canonical JSON"),
    Column("recalled", Boolean, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("pupil", BigInteger, nullable=False, server_default=text("0"), comment="digest of who the pupil is"),
    Column("circular", Text, nullable=False, server_default=text("''")),
    Column("grade", SmallInteger, nullable=False, server_default=text("0")),
    Column(
        "class_code",
        Text,
        nullable=False,
        server_default=text("''"),
        comment="or its name, where it has no code",
    ),
    Column("promoted", Boolean, nullable=False, server_default=false()),
    Column("birth", Text, nullable=False, server_default=text("''")),
    Column("gender", Text, nullable=False, server_default=text("''")),
    Column(
        "results",
        BigInteger,
        nullable=False,
        server_default=text("0"),
        comment="digest of levels and promotion; 0 of a card from before",
    ),
    Column(
        "teacher",
        BigInteger,
        nullable=False,
        server_default=text("0"),
        comment="digest of the one person who teaches all subjects; 0 if there are several",
    ),
    Column("managed_by", Text, comment="school that may correct it, where it is not the one that issued it"),
    Column(
        "pupil_code",
        BigInteger,
        nullable=False,
        server_default=text("0"),
        comment="digest of the pupil's code; 0 of a card from before",
    ),
    Column(
        "commune_code",
        Text,
        nullable=False,
        server_default=text("''"),
        comment="of the school; empty if nobody says it",
    ),
    PrimaryKeyConstraint("school_year", "card_id"),
    Index("ix_report_cards_class", "school_code", "school_year", "class_code"),
    Index("ix_report_cards_pupil", "pupil"),
    Index("ix_report_cards_commune", "commune_code", "school_code"),
)
Index(
    "ix_report_cards_pupil_code",
    report_cards.c.pupil_code,
    postgresql_where=text("pupil_code <> 0"),
    sqlite_where=text("pupil_code <> 0"),
)

versions = Table(
    "versions",
    metadata,
    Column("school_year", Text, nullable=False),
    Column("card_id", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("event", Text, nullable=False),
    Column("accepted_at", BigInteger, nullable=False),
    Column("submission_id", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("school_code", Text, nullable=False),
    Column("content_sha256", LargeBinary(32), nullable=False),
    Column("original_sha256", LargeBinary(32), nullable=False),
    Column("original_type", Text, nullable=False),
    Column("original_bytes", Integer, nullable=False),
    Column("canonical", LargeBinary, nullable=False, comment="canonical JSON, zstd"),
    Column("original", LargeBinary, comment="bytes as sent, zstd; empty where they equal the canonical JSON"),
    PrimaryKeyConstraint("school_year", "card_id", "version"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("destination", Text, nullable=False),
    Column("school_year", Text, nullable=False),
    Column("card_id", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("event", Text, nullable=False, comment="as this destination must see it"),
    Column("state", Text, nullable=False),
    Column("accepted_at", BigInteger, nullable=False),
    Column("next_attempt_at", BigInteger, nullable=False, comment="the timer of a state that waits"),
    Column("lease_id", BigInteger, comment="the open attempt that holds it"),
    Column("attempts", Integer, nullable=False, server_default=text("0"), comment="that count against the window"),
    Column("asked", Integer, nullable=False, server_default=text("0"), comment="look-ups or polls since it was sent"),
    Column("first_attempt_at", BigInteger, comment="start of the retry window"),
    Column("reference", Text, comment="the destination's name of the batch it decides later"),
    Column("taken", Text, comment="JSON list: records of a version of several that the destination has taken"),
    Column("code", Text, comment="of the last outcome"),
    Column("settled_at", BigInteger, comment="when the last outcome was written"),
    Column("awaiting_since", BigInteger, comment="when it was taken, where the verdict comes later"),
    Column("failure_group_id", BigInteger, comment="of its last attempt, where that failed"),
    Column("pin", Text, comment="how it must be made again: mapping, version, perhaps the digest of what was made"),
    UniqueConstraint("school_year", "card_id", "version", "destination", name="uq_deliveries_version"),
)
# SQLite uses a partial index only where the query repeats its condition word by word (`in_states`).
for _index in (
    Index("ix_deliveries_due", deliveries.c.destination, deliveries.c.next_attempt_at, deliveries.c.id),
    Index("ix_deliveries_poll", deliveries.c.destination, deliveries.c.next_attempt_at),
    Index("ix_deliveries_lookup", deliveries.c.destination, deliveries.c.next_attempt_at),
    Index("ix_deliveries_reference", deliveries.c.destination, deliveries.c.reference),
    Index("ix_deliveries_awaiting", deliveries.c.destination, deliveries.c.awaiting_since),
    Index("ix_deliveries_lease", deliveries.c.lease_id),
    Index("ix_deliveries_taken_under", deliveries.c.reference),
    Index("ix_deliveries_failure_group", deliveries.c.failure_group_id, deliveries.c.state, deliveries.c.id),
    Index(
        "ix_deliveries_failed",
        deliveries.c.destination,
        deliveries.c.state,
        deliveries.c.code,
        deliveries.c.settled_at,
        deliveries.c.id,
    ),
):
    _where = {
        "ix_deliveries_due": "state IN ('queued','held') AND lease_id IS NULL",
        "ix_deliveries_poll": "state IN ('awaiting_ack') AND lease_id IS NULL",
        "ix_deliveries_lookup": "state IN ('in_doubt') AND lease_id IS NULL",
        "ix_deliveries_reference": "state IN ('awaiting_ack')",
        "ix_deliveries_awaiting": "state IN ('awaiting_ack')",
        "ix_deliveries_lease": "lease_id IS NOT NULL",
        "ix_deliveries_taken_under": "reference IS NOT NULL",
        "ix_deliveries_failure_group": "failure_group_id IS NOT NULL",
        "ix_deliveries_failed": "state IN ('refused','parked','held','cancelled')",
    }[str(_index.name)]
    _index.dialect_options["postgresql"]["where"] = text(_where)
    _index.dialect_options["sqlite"]["where"] = text(_where)

attempts = Table(
    "attempts",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("destination", Text, nullable=False),
    Column("kind", Text, nullable=False, comment="send, lookup or poll"),
    Column("holder", Text, nullable=False, comment="the worker whose lease it is"),
    Column("leased_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False, comment="end of the lease unless renewed"),
    Column("sent_at", BigInteger, comment="set before the first byte goes out"),
    Column("ended_at", BigInteger, comment="empty while the lease is held"),
    Column("records", Integer, nullable=False),
    Column("outcome", Text, comment="the gravest meaning among its records"),
    Column("http_status", SmallInteger),
    Column("request_sha256", Text),
    Column("response_sha256", Text),
)
Index(
    "ix_attempts_open",
    attempts.c.destination,
    attempts.c.expires_at,
    postgresql_where=text("ended_at IS NULL"),
    sqlite_where=text("ended_at IS NULL"),
)

Index(
    "ix_attempts_failed",
    attempts.c.ended_at,
    postgresql_where=text("outcome IN ('refused','transient','precondition','unknown_outcome')"),
    sqlite_where=text("outcome IN ('refused','transient','precondition','unknown_outcome')"),
)

attempt_bodies = Table(
    "attempt_bodies",
    metadata,
    Column("attempt_id", BigInteger, primary_key=True, autoincrement=False),
    Column("request", LargeBinary, nullable=False, comment="without what authenticates the hub, zstd"),
    Column("response", LargeBinary, nullable=False, comment="zstd"),
    Column("kept_at", BigInteger, nullable=False),
    Index("ix_attempt_bodies_age", "kept_at"),
)

delivery_attempts = Table(
    "delivery_attempts",
    metadata,
    Column("delivery_id", BigInteger, nullable=False),
    Column("attempt_id", BigInteger, nullable=False),
    Column("meaning", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("mapping", Text, comment="the mapping that the record was made by, as name 1.2.3"),
    Column("sent_sha256", LargeBinary(32), comment="of what was sent, as the destination keeps it"),
    Column("made_sha256", LargeBinary(32), comment="of all that the mapping made of the version"),
    PrimaryKeyConstraint("delivery_id", "attempt_id"),
)

_FAILING = text("meaning IN ('refused','transient','precondition','unknown_outcome')")
Index(
    "ix_delivery_attempts_failed",
    delivery_attempts.c.attempt_id,
    postgresql_where=_FAILING,
    sqlite_where=_FAILING,
)

destinations = Table(
    "destinations",
    metadata,
    Column("name", Text, primary_key=True),
    Column("paused_at", BigInteger),
    Column("pause_reason", Text),
    Column("failures", Integer, nullable=False, server_default=text("0"), comment="failed calls in a row"),
    Column("open_until", BigInteger, comment="the breaker is open until then, then one probe"),
    Column("cap", Integer, comment="concurrency adapted down; empty means as configured"),
    Column("good_calls", Integer, nullable=False, server_default=text("0"), comment="in a row since the cap moved"),
    Column("rate_allowance", Float, comment="records that may go out now"),
    Column("rate_at", BigInteger),
    Column("verdict_seconds", Float, comment="how long its verdicts take that come later; a moving mean"),
    Column("certificate_ends_at", BigInteger, comment="of the destination's own, as last seen"),
)

acknowledgements = Table(
    "acknowledgements",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("delivery_id", BigInteger, nullable=False),
    Column("destination", Text, nullable=False),
    Column("source", Text, nullable=False, comment="poll, lookup, send or push: how it came"),
    Column("kind", Text, nullable=False, comment="settled, late, repeated or contradictory"),
    Column("code", Text, nullable=False),
    Column("verdict", Text, nullable=False, comment="acknowledged or refused"),
    Column("first_at", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    Column("times", Integer, nullable=False),
    Column("decided_at", BigInteger, comment="when a person decided which verdict counts"),
    Column("decided_by", Text),
    Column("decision", Text, comment="keep or take"),
    UniqueConstraint("delivery_id", "source", "kind", "code", name="uq_acknowledgements"),
    Index("ix_acknowledgements_kind", "kind", "id"),
)
Index(
    "ix_acknowledgements_refused",
    acknowledgements.c.first_at,
    postgresql_where=text("kind IN ('settled') AND verdict IN ('refused')"),
    sqlite_where=text("kind IN ('settled') AND verdict IN ('refused')"),
)
Index(
    "ix_acknowledgements_undecided",
    acknowledgements.c.destination,
    acknowledgements.c.id,
    postgresql_where=text("kind IN ('contradictory') AND decided_at IS NULL"),
    sqlite_where=text("kind IN ('contradictory') AND decided_at IS NULL"),
)

reconcile_entries = Table(
    "reconcile_entries",
    metadata,
    Column("run_id", BigInteger, nullable=False),
    Column("school_year", Text, nullable=False),
    Column("card_id", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("state", Text, nullable=False, comment="held, recalled or refused"),
    Column("sha256", LargeBinary(32)),
    PrimaryKeyConstraint("run_id", "school_year", "card_id"),
)

reconcile_differences = Table(
    "reconcile_differences",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("run_id", BigInteger, nullable=False),
    Column("destination", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("school_year", Text, nullable=False),
    Column("card_id", Text, nullable=False),
    Column("school_code", Text, nullable=False, comment="empty of a card that is unknown to us"),
    Column("grade", SmallInteger, nullable=False),
    Column("class_code", Text, nullable=False),
    Column("our_version", Integer),
    Column("our_state", Text),
    Column("delivery_id", BigInteger),
    Column("their_version", Integer),
    Column("their_state", Text),
    Column("repaired_at", BigInteger, comment="when it was sent again, or raised to the school"),
    Column("repaired_by", Text),
    Index("ix_reconcile_differences_run", "run_id", "id"),
    Index("ix_reconcile_differences_kind", "run_id", "kind", "id"),
    Index("ix_reconcile_differences_school", "run_id", "school_code", "id"),
    Index("ix_reconcile_differences_card", "school_year", "card_id"),
)

reconcile_counts = Table(
    "reconcile_counts",
    metadata,
    Column("run_id", BigInteger, nullable=False),
    Column("school_code", Text, nullable=False),
    Column("school_year", Text, nullable=False),
    Column("grade", SmallInteger, nullable=False),
    Column("class_code", Text, nullable=False),
    Column("kind", Text, nullable=False, comment="of a difference, or all"),
    Column("cards", BigInteger, nullable=False),
    PrimaryKeyConstraint("run_id", "school_code", "school_year", "grade", "class_code", "kind"),
)

failure_groups = Table(
    "failure_groups",
    metadata,
    Column("id", _Id, primary_key=True),
    Column(
        "fingerprint", LargeBinary(32), nullable=False, unique=True, comment="SHA-256 of the six parts of the cause"
    ),
    Column("essence", LargeBinary(32), nullable=False, comment="SHA-256 of all parts but the mapping"),
    Column("root_id", BigInteger, comment="the group whose cause is behind this one"),
    Column("destination", Text, nullable=False, comment="empty of rejected records"),
    Column("stage", Text, nullable=False),
    Column("error_class", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("detail", Text, nullable=False, comment="without ids, numbers and names"),
    Column("mapping", Text, nullable=False, comment="in its version, as name 1.2.3"),
    Column("times", BigInteger, nullable=False),
    Column("first_at", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    Column("state", Text, nullable=False, comment="open, watching, resolved or muted"),
    Column("muted_until", BigInteger),
    Column("reopened_at", BigInteger, comment="when it came back after it was resolved, or not muted any more"),
    Column("owner", Text, comment="who mends it"),
    Column("note", Text),
    Column("revision", Integer, nullable=False, comment="moves with every change by a person, and when it comes back"),
    Index("ix_failure_groups_root", "root_id"),
    Index("ix_failure_groups_last", "last_at", "id"),
)

failure_counts = Table(
    "failure_counts",
    metadata,
    Column("group_id", BigInteger, nullable=False),
    Column("hour_at", BigInteger, nullable=False, comment="start of the hour"),
    Column("school_code", Text, nullable=False, comment="empty where it could not be read"),
    Column("client_id", BigInteger, nullable=False),
    Column("times", BigInteger, nullable=False),
    PrimaryKeyConstraint("group_id", "hour_at", "school_code", "client_id"),
    Index("ix_failure_counts_hour", "hour_at"),
    Index("ix_failure_counts_client", "client_id", "hour_at"),
)

replays = Table(
    "replays",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("created_at", BigInteger, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("selection", JSON, nullable=False, comment="as it was stated"),
    Column("meaning", Text, nullable=False, comment="same-bytes, same-mapping or mapping-in-force"),
    Column("records", BigInteger, nullable=False, comment="how many were selected: its items"),
    Column("canary", JSON, nullable=False, comment="how many of each cause go first, step by step"),
    Column("records_per_second", Float, comment="most that go out; empty: what the destinations bear"),
    Column("most_failed", Float, nullable=False, comment="share of failures at which it stops by itself"),
    Column("state", Text, nullable=False, comment="frozen, running, paused, stopped, done or cancelled"),
    Column("stop_code", Text, comment="why it stopped by itself"),
    Column("stop_group_id", BigInteger, comment="the failure group that came back"),
    Column("armed_at", BigInteger, comment="failures from then on may stop it"),
    Column("started_at", BigInteger),
    Column("ended_at", BigInteger),
)
Index(
    "ix_replays_open",
    replays.c.id,
    postgresql_where=text("state IN ('frozen','paused','running','stopped')"),
    sqlite_where=text("state IN ('frozen','paused','running','stopped')"),
)

replay_items = Table(
    "replay_items",
    metadata,
    Column("replay_id", BigInteger, nullable=False),
    Column("delivery_id", BigInteger, nullable=False),
    Column("destination", Text, nullable=False),
    Column("turn", Integer, nullable=False, comment="from 1 within its destination and failure group"),
    Column("state", Text, nullable=False, comment="of the delivery when it was selected"),
    Column("failure_group_id", BigInteger, comment="of the delivery when it was selected"),
    Column("difference_id", BigInteger, comment="of a reconciliation, that it is to repair"),
    Column("released_at", BigInteger, comment="when it was sent again"),
    Column("outcome", Text, comment="acknowledged, failed, superseded or skipped; empty: its delivery is claimed"),
    Column("code", Text, comment="of a failure, or why it was skipped"),
    Column("ended_at", BigInteger),
    PrimaryKeyConstraint("replay_id", "delivery_id"),
    Index("ix_replay_items_outcome", "replay_id", "outcome", "delivery_id"),
    Index("ix_replay_items_delivery", "delivery_id", "replay_id"),
)
for _index, _some in (
    (Index("uq_replay_items_claim", replay_items.c.delivery_id, unique=True), "outcome IS NULL"),
    (
        Index(
            "ix_replay_items_waiting",
            replay_items.c.replay_id,
            replay_items.c.destination,
            replay_items.c.turn,
            replay_items.c.delivery_id,
        ),
        "outcome IS NULL AND released_at IS NULL",
    ),
    (
        Index("ix_replay_items_released", replay_items.c.replay_id, replay_items.c.delivery_id),
        "outcome IS NULL AND released_at IS NOT NULL",
    ),
):
    for _dialect in ("postgresql", "sqlite"):
        _index.dialect_options[_dialect]["where"] = text(_some)

returned_cards = Table(
    "returned_cards",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("delivery_id", BigInteger, nullable=False, unique=True),
    Column("destination", Text, nullable=False),
    Column("school_year", Text, nullable=False),
    Column("card_id", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("school_code", Text, nullable=False, comment="that may correct it"),
    Column("code", Text, nullable=False, comment="the destination's"),
    Column("note", Text, nullable=False, comment="what the school is to do, in Vietnamese"),
    Column("returned_at", BigInteger, nullable=False),
    Column("returned_by", Text, nullable=False),
    Index("ix_returned_cards_card", "school_year", "card_id", "version"),
    Index("ix_returned_cards_school", "school_code", "id"),
)

edits = Table(
    "edits",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("school_year", Text, nullable=False),
    Column("card_id", Text, nullable=False),
    Column("base_version", Integer, nullable=False, comment="that is changed"),
    Column("made_version", Integer, comment="that came of it"),
    Column("changes", LargeBinary, nullable=False, comment="JSON list of place, before and after, zstd"),
    Column("canonical", LargeBinary, nullable=False, comment="the card as it is to be, canonical JSON, zstd"),
    Column("state", Text, nullable=False, comment="proposed, made, rejected or stale"),
    Column("asked_at", BigInteger, nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("decided_at", BigInteger),
    Column("decided_by", Text, comment="never the one who asked, unless the settings let him"),
    Index("ix_edits_card", "school_year", "card_id", "id"),
)
Index(
    "uq_edits_proposed",
    edits.c.school_year,
    edits.c.card_id,
    unique=True,
    postgresql_where=text("state IN ('proposed')"),
    sqlite_where=text("state IN ('proposed')"),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("client_id", BigInteger, nullable=False),
    Column("route", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("owner", Text, comment="the call that holds the key"),
    Column("body_sha256", Text, comment="empty while the first call runs"),
    Column("started_at", BigInteger, nullable=False),
    Column("locked_until", BigInteger, nullable=False, comment="then a call that died may be taken over"),
    Column("status", SmallInteger, comment="of the stored answer"),
    Column("answer", LargeBinary, comment="the stored answer's headers and body, zstd"),
    PrimaryKeyConstraint("client_id", "route", "key"),
    Index("ix_idempotency_keys_age", "started_at"),
)

open_findings = Table(
    "open_findings",
    metadata,
    Column("school_code", Text, nullable=False),
    Column("school_year", Text, nullable=False),
    Column("card_id", Text, nullable=False),
    Column("client_id", BigInteger, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    Column("times", Integer, nullable=False),
    Column("submission_id", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("findings", LargeBinary, nullable=False, comment="JSON list, zstd"),
    Column(
        "matter",
        Text,
        nullable=False,
        server_default=text("'record'"),
        comment="record, pupil or class: what they are about",
    ),
    Column("failure_group_id", BigInteger, comment="of a record that was rejected"),
    PrimaryKeyConstraint("school_code", "school_year", "card_id", "client_id", "matter", name="pk_open_findings"),
    Index("ix_open_findings_card", "school_year", "card_id"),
)
Index(
    "ix_open_findings_failure_group",
    open_findings.c.failure_group_id,
    open_findings.c.school_code,
    open_findings.c.school_year,
    open_findings.c.card_id,
    postgresql_where=text("failure_group_id IS NOT NULL"),
    sqlite_where=text("failure_group_id IS NOT NULL"),
)

transfers = Table(
    "transfers",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("school_year", Text, nullable=False),
    Column("card_id", Text, nullable=False),
    Column("from_school", Text, nullable=False, comment="that could correct the card before"),
    Column("to_school", Text, nullable=False),
    Column("decided_at", BigInteger, nullable=False),
    Column("decided_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Index("ix_transfers_card", "school_year", "card_id"),
    Index("ix_transfers_to", "to_school", "id"),
    Index("ix_transfers_from", "from_school", "id"),
)

data_locks = Table(
    "data_locks",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("school_code", Text, nullable=False, comment="* for all"),
    Column("school_year", Text, nullable=False),
    Column("grade", SmallInteger, nullable=False, comment="0 for all"),
    Column("locked_at", BigInteger, nullable=False),
    Column("locked_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("unlock_asked_at", BigInteger),
    Column("unlock_asked_by", Text),
    Column("unlock_reason", Text),
    Column("unlocked_at", BigInteger),
    Column("unlocked_by", Text, comment="never the one who asked"),
)
Index(
    "uq_data_locks_in_force",
    data_locks.c.school_code,
    data_locks.c.school_year,
    data_locks.c.grade,
    unique=True,
    postgresql_where=text("unlocked_at IS NULL"),
    sqlite_where=text("unlocked_at IS NULL"),
)

audit = Table(
    "audit",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("detail", JSON, nullable=False),
    Column("seq", BigInteger, comment="place in the chain: the order of the commits"),
    Column("hash", LargeBinary(32), comment="SHA-256 of the row behind the hash of the one before"),
    Index("ix_audit_seq", "seq", unique=True),
    Index("ix_audit_at", "at"),
)

audit_cards = Table(
    "audit_cards",
    metadata,
    Column("school_year", Text, nullable=False),
    Column("card_id", Text, nullable=False),
    Column("audit_id", BigInteger, nullable=False),
    PrimaryKeyConstraint("school_year", "card_id", "audit_id"),
)

tallies = Table(
    "tallies",
    metadata,
    Column("name", Text, nullable=False),
    Column("labels", Text, nullable=False, comment="label values joined by a space, in the metric's order"),
    Column("shard", SmallInteger, nullable=False, comment="writers use different shards so as not to wait"),
    Column("value", Float, nullable=False),
    PrimaryKeyConstraint("name", "labels", "shard"),
)

mapping_versions = Table(
    "mapping_versions",
    metadata,
    Column("name", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("document", LargeBinary, nullable=False, comment="YAML as it came, zstd"),
    Column("sha256", Text, nullable=False, comment="of the YAML, hex"),
    Column("added_at", BigInteger, nullable=False),
    Column("added_by", Text, nullable=False),
    PrimaryKeyConstraint("name", "version"),
)

mapping_activations = Table(
    "mapping_activations",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("name", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("client", Text, comment="for this client only"),
    Column("school_year", Text, comment="for cards of this school year only"),
    Column("valid_from", Text, comment="first day, ISO 8601"),
    Column("valid_to", Text, comment="last day, ISO 8601"),
    Column("activated_at", BigInteger, nullable=False),
    Column("activated_by", Text, nullable=False),
    Column("ended_at", BigInteger),
    Column("ended_by", Text),
)

configuration = Table(
    "configuration",
    metadata,
    Column("part", Text, primary_key=True),
    Column("revision", BigInteger, nullable=False, comment="moves with every change; what processes look at"),
)

code_fills = Table(
    "code_fills",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("code_table", Text, nullable=False, comment="name of a table, or mapping/table for one of its own"),
    Column("system", Text, nullable=False, comment="code system that the value is of"),
    Column("conditions", Text, nullable=False, comment="JSON: which rows the look-up takes"),
    Column("value", Text, nullable=False),
    Column("result_system", Text, nullable=False),
    Column("result", Text, nullable=False),
    Column("is_new", Boolean, nullable=False, comment="no row of the table had this result"),
    Column("valid_from", Text),
    Column("valid_to", Text),
    Column("source", Text, nullable=False, comment="where the answer comes from"),
    Column("filled_at", BigInteger, nullable=False),
    Column("filled_by", Text, nullable=False),
    Column("ended_at", BigInteger),
    Column("ended_by", Text),
)

code_lists = Table(
    "code_lists",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("destination", Text, nullable=False),
    Column("name", Text, nullable=False, comment="as the destination calls the list"),
    Column("version", Text, nullable=False, comment="as the destination calls it"),
    Column("sha256", Text, nullable=False, comment="of its codes and names"),
    Column("state", Text, nullable=False, comment="draft, active, replaced or discarded"),
    Column("code_table", Text, nullable=False),
    Column("code_system", Text, nullable=False),
    Column("name_system", Text, nullable=False),
    Column("items", LargeBinary, nullable=False, comment="JSON list of code and name, zstd"),
    Column("counts", JSON, nullable=False, comment="what it changed when it came: added, renamed, ended"),
    Column("fetched_at", BigInteger, nullable=False),
    Column("decided_at", BigInteger),
    Column("decided_by", Text),
    Index("ix_code_lists_newest", "destination", "name", "id"),
)

unmapped_codes = Table(
    "unmapped_codes",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("code_table", Text, nullable=False),
    Column("system", Text, nullable=False),
    Column("conditions", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("result_system", Text, nullable=False, comment="into which code system it was looked up"),
    Column("times", BigInteger, nullable=False),
    Column("first_at", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    Column("fill_id", BigInteger, comment="empty while nobody has said what it means"),
    Column("list_id", BigInteger, comment="the destination's list that has it since it was activated"),
    UniqueConstraint("code_table", "system", "conditions", "value", name="uq_unmapped_codes_value"),
)

unmapped_code_sources = Table(
    "unmapped_code_sources",
    metadata,
    Column("code_id", BigInteger, nullable=False),
    Column("client_id", BigInteger, nullable=False),
    Column("school_code", Text, nullable=False, comment="empty where it could not be read"),
    Column("times", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("code_id", "client_id", "school_code"),
)

waiting_records = Table(
    "waiting_records",
    metadata,
    Column("school_year", Text, nullable=False),
    Column("card_id", Text, nullable=False),
    Column("client_id", BigInteger, nullable=False),
    Column("submission_id", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("mapping", Text, nullable=False),
    Column("original", LargeBinary, nullable=False, comment="bytes as sent, zstd"),
    Column("revision", BigInteger, nullable=False, comment="of the configuration that it was last read with"),
    PrimaryKeyConstraint("school_year", "card_id", "client_id"),
)

rejected_records = Table(
    "rejected_records",
    metadata,
    Column("submission_id", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("client_id", BigInteger, nullable=False),
    Column("mapping", Text, nullable=False, comment="that read it"),
    Column("school_year", Text),
    Column("card_id", Text),
    Column("original", LargeBinary, nullable=False, comment="bytes as sent, zstd"),
    PrimaryKeyConstraint("submission_id", "position"),
    Index("ix_rejected_records_mapping", "mapping", "client_id", "submission_id", "position"),
)

waiting_codes = Table(
    "waiting_codes",
    metadata,
    Column("code_id", BigInteger, nullable=False),
    Column("school_year", Text, nullable=False),
    Column("card_id", Text, nullable=False),
    Column("client_id", BigInteger, nullable=False),
    PrimaryKeyConstraint("code_id", "school_year", "card_id", "client_id"),
    Index("ix_waiting_codes_card", "school_year", "card_id", "client_id"),
)

client_certificates = Table(
    "client_certificates",
    metadata,
    Column("id", Text, primary_key=True),
    Column("client_id", BigInteger, nullable=False),
    Column("identity", Text, nullable=False, comment="sha256:<hex of the certificate> or subject:<name>"),
    Column("created_at", BigInteger, nullable=False),
    Column("ends_at", BigInteger, comment="when it ends by itself"),
    Column("revoked_at", BigInteger),
    Index("ix_client_certificates_identity", "identity"),
    Index("ix_client_certificates_client", "client_id"),
)

digest_passwords = Table(
    "digest_passwords",
    metadata,
    Column("id", Text, primary_key=True, comment="public; the password is derived from it"),
    Column("client_id", BigInteger, nullable=False),
    Column("secret_id", Text, nullable=False, comment="of the hub's secret that it was made with"),
    Column("created_at", BigInteger, nullable=False),
    Column("ends_at", BigInteger, comment="when it ends by itself"),
    Column("revoked_at", BigInteger),
    Index("ix_digest_passwords_client", "client_id"),
)

used_nonces = Table(
    "used_nonces",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True, comment="SHA-256 of client and nonce"),
    Column("expires_at", BigInteger, nullable=False),
)

files = Table(
    "files",
    metadata,
    Column("id", Text, primary_key=True, comment="UUIDv7; also that of the submission that its records make"),
    Column("client_id", BigInteger, nullable=False),
    Column("upload_key", Text, comment="the client's own name of the upload: sending it again goes on"),
    Column("name", Text, nullable=False, comment="as the sender calls it; never a path"),
    Column("form", Text, nullable=False, comment="xlsx, csv, xml, ndjson or zip"),
    Column("profile", Text, nullable=False, comment="mapping of what is in it; report-card for canonical cards"),
    Column("state", Text, nullable=False, comment="receiving, waiting, done, failed or cancelled"),
    Column("created_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("bytes", BigInteger, comment="whole size, where it is known"),
    Column("received", BigInteger, nullable=False, comment="bytes that are on the disk for certain"),
    Column("sha256", Text, comment="hex, of the whole file"),
    Column("total", Integer, comment="records; known once the file was cut"),
    Column("position", Integer, nullable=False, comment="records that were imported: the cursor"),
    Column("code", Text, comment="why it failed: a problem code"),
    Column("findings", LargeBinary, comment="about the file itself: JSON list, zstd"),
    Column("trace_parent", Text, comment="W3C Trace Context of the call"),
    Column("lease_id", Text),
    Column("holder", Text),
    Column("leased_until", BigInteger, nullable=False, comment="from then on anybody may take the import over"),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("reinstates", Boolean, nullable=False, server_default=false()),
    Column("tells_unchecked", Boolean, nullable=False, server_default=false()),
    Column("paused_at", BigInteger, comment="nobody imports it until somebody resumes it"),
    UniqueConstraint("client_id", "upload_key", name="uq_files_key"),
    Index("ix_files_client", "client_id", "id"),
    Index("ix_files_state", "state", "leased_until"),
)

file_parts = Table(
    "file_parts",
    metadata,
    Column("file_id", Text, nullable=False),
    Column("position", Integer, nullable=False, comment="of its first record"),
    Column("name", Text, nullable=False, comment="of the entry of a zip; never a path"),
    PrimaryKeyConstraint("file_id", "position"),
)

identity_results = Table(
    "identity_results",
    metadata,
    Column("school_year", Text, nullable=False),
    Column("card_id", Text, nullable=False),
    Column("destination", Text, nullable=False),
    Column("version", Integer, nullable=False, comment="that was checked"),
    Column("result", Text, nullable=False, comment="verified, mismatch or not-found"),
    Column("told_at", BigInteger, nullable=False),
    Column("school_code", Text, nullable=False),
    Column("commune_code", Text, nullable=False, comment="of the school; empty if the card has none"),
    PrimaryKeyConstraint("school_year", "card_id", "destination"),
    Index("ix_identity_results_school", "destination", "result", "school_code", "school_year", "card_id"),
    Index(
        "ix_identity_results_commune", "destination", "result", "commune_code", "school_code", "school_year", "card_id"
    ),
)

usage = Table(
    "usage",
    metadata,
    Column("client_id", BigInteger, nullable=False),
    Column("measure", Text, nullable=False, comment="requests, records or bytes"),
    Column("window_start", BigInteger, nullable=False, comment="milliseconds"),
    Column("amount", BigInteger, nullable=False),
    PrimaryKeyConstraint("client_id", "measure", "window_start"),
)

processes = Table(
    "processes",
    metadata,
    Column("holder", Text, primary_key=True, comment="its name among all that lease"),
    Column("kind", Text, nullable=False, comment="api, worker, importer, jobs or scheduler"),
    Column("started_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False, comment="when it last said that it is alive"),
    Column("ended_at", BigInteger, comment="empty while it runs, and of one that was killed"),
    Column("round_at", BigInteger, comment="when a scheduler last looked for what is due"),
)

senders = Table(
    "senders",
    metadata,
    Column("school_code", Text, nullable=False),
    Column("client_id", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False, comment="when a record last came, to the hour"),
    PrimaryKeyConstraint("school_code", "client_id"),
)

expected_cards = Table(
    "expected_cards",
    metadata,
    Column("school_year", Text, nullable=False),
    Column("school_code", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("grade", SmallInteger, nullable=False),
    Column("class_code", Text, nullable=False, comment="empty for the whole grade"),
    Column("said_by", Text, nullable=False, comment="roster or statement"),
    Column("pupils", Integer, nullable=False),
    Column("said_at", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    PrimaryKeyConstraint("school_year", "school_code", "level", "grade", "class_code", "said_by"),
)

board_snapshots = Table(
    "board_snapshots",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("school_year", Text, nullable=False),
    Column("as_of", BigInteger, nullable=False),
    Column("is_whole", Boolean, nullable=False, comment="all its cells are written"),
    Column("has_cells", Boolean, nullable=False, comment="they are still kept"),
    Column("ended", JSON, nullable=False, comment="destination -> deliveries with a verdict, ever"),
    Column("totals", JSON, nullable=False, comment="destination -> level -> counts"),
    Index("ix_board_snapshots_year", "school_year", "id"),
)

board_cells = Table(
    "board_cells",
    metadata,
    Column("snapshot_id", BigInteger, nullable=False),
    Column("destination", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("commune_code", Text, nullable=False),
    Column("school_code", Text, nullable=False),
    Column("grade", SmallInteger, nullable=False),
    Column("class_code", Text, nullable=False, comment="empty: of the grade as a whole"),
    Column("expected", Integer, nullable=False),
    Column("expected_by", Text, nullable=False, comment="empty if nobody says it"),
    Column("accepted", Integer, nullable=False),
    Column("acknowledged", Integer, nullable=False),
    Column("refused", Integer, nullable=False),
    Column("waiting", Integer, nullable=False),
    Column("missing", Integer, nullable=False),
    Column("recalled", Integer, nullable=False),
    PrimaryKeyConstraint("snapshot_id", "destination", "school_code", "level", "grade", "class_code"),
)

reports = Table(
    "reports",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("kind", Text, nullable=False, comment="weekly or yearly"),
    Column("school_year", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False, comment="when its facts were gathered"),
    Column("facts", LargeBinary, nullable=False, comment="JSON, zstd: all that its documents are made of"),
    Column("made_by", Text, nullable=False),
    Index("ix_reports_kind", "kind", "id"),
)

exemplars = Table(
    "exemplars",
    metadata,
    Column("name", Text, nullable=False),
    Column("labels", Text, nullable=False, comment="as in tallies, the bucket last"),
    Column("value", Float, nullable=False),
    Column("trace_id", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    PrimaryKeyConstraint("name", "labels"),
)

jobs = Table(
    "jobs",
    metadata,
    Column("key", Text, primary_key=True, comment="kind, or kind:what it is about"),
    Column("kind", Text, nullable=False),
    Column("schedule", Text, comment="cron, in Vietnam's time; empty: only when somebody asks"),
    Column("next_run_at", BigInteger, comment="when the schedule has it next"),
    Column("paused_at", BigInteger),
    Column("pause_reason", Text),
    Column("succeeded_at", BigInteger, comment="end of its last run that was done"),
    Column("seconds", Float, comment="that this run took"),
)

job_runs = Table(
    "job_runs",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("key", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("asked_by", Text, nullable=False, comment="schedule, or who asked for it"),
    Column("started_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger, comment="empty while it is open"),
    Column("state", Text, nullable=False, comment="running, done, failed or cancelled"),
    Column("cursor", JSON, comment="where it goes on; only its kind understands it"),
    Column("done", BigInteger, nullable=False, server_default=text("0"), comment="how much of `total`"),
    Column("total", BigInteger, comment="empty where nobody can tell"),
    Column("result", JSON, nullable=False, comment="name -> count"),
    Column("error", Text, comment="why it failed: a code"),
    Column("holder", Text, comment="the process that is at it"),
    Column("lease_id", Text),
    Column("leased_until", BigInteger, nullable=False, comment="from then on anybody may take it over"),
    Column("attempts", Integer, nullable=False, comment="to go on with it, since it last got further"),
    Column("takeovers", Integer, nullable=False, comment="how often it was taken over from a process that died"),
    Index("ix_job_runs_key", "key", "id"),
    Index("ix_job_runs_age", "started_at"),
)
Index(
    "uq_job_runs_open",
    job_runs.c.key,
    unique=True,
    postgresql_where=text("ended_at IS NULL"),
    sqlite_where=text("ended_at IS NULL"),
)
