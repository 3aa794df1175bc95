"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('attempts',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('destination', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False, comment='send, lookup or poll'),
    sa.Column('holder', sa.Text(), nullable=False, comment='the worker whose lease it is'),
    sa.Column('leased_at', sa.BigInteger(), nullable=False),
    sa.Column('expires_at', sa.BigInteger(), nullable=False, comment='end of the lease unless renewed'),
    sa.Column('sent_at', sa.BigInteger(), nullable=True, comment='set before the first byte goes out'),
    sa.Column('ended_at', sa.BigInteger(), nullable=True, comment='empty while the lease is held'),
    sa.Column('records', sa.Integer(), nullable=False),
    sa.Column('outcome', sa.Text(), nullable=True, comment='the gravest meaning among its records'),
    sa.Column('http_status', sa.SmallInteger(), nullable=True),
    sa.Column('request_sha256', sa.Text(), nullable=True),
    sa.Column('response_sha256', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('ix_attempts_open', 'attempts', ['destination', 'expires_at'], unique=False, postgresql_where=sa.text('ended_at IS NULL'), sqlite_where=sa.text('ended_at IS NULL'))
    op.create_table('audit',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.Column('actor', sa.Text(), nullable=False),
    sa.Column('action', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('detail', sa.JSON(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_table('clients',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('schools', sa.JSON(), nullable=False, comment='school codes it may speak for; ["*"] for all'),
    sa.Column('profile', sa.Text(), nullable=True, comment='mapping of what it sends, unless a call says otherwise'),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('revoked_at', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('name')
    )
    op.create_table('deliveries',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('destination', sa.Text(), nullable=False),
    sa.Column('school_year', sa.Text(), nullable=False),
    sa.Column('card_id', sa.Text(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('event', sa.Text(), nullable=False, comment='as this destination must see it'),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('accepted_at', sa.BigInteger(), nullable=False),
    sa.Column('next_attempt_at', sa.BigInteger(), nullable=False, comment='the timer of a state that waits'),
    sa.Column('lease_id', sa.BigInteger(), nullable=True, comment='the open attempt that holds it'),
    sa.Column('attempts', sa.Integer(), server_default=sa.text('0'), nullable=False, comment='that count against the window'),
    sa.Column('asked', sa.Integer(), server_default=sa.text('0'), nullable=False, comment='look-ups or polls since it was sent'),
    sa.Column('first_attempt_at', sa.BigInteger(), nullable=True, comment='start of the retry window'),
    sa.Column('reference', sa.Text(), nullable=True, comment="the destination's name of the batch it decides later"),
    sa.Column('code', sa.Text(), nullable=True, comment='of the last outcome'),
    sa.Column('settled_at', sa.BigInteger(), nullable=True, comment='when the last outcome was written'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('school_year', 'card_id', 'version', 'destination', name='uq_deliveries_version')
    )
    op.create_index('ix_deliveries_lookup', 'deliveries', ['destination', 'next_attempt_at'], unique=False, postgresql_where=sa.text("state IN ('in_doubt') AND lease_id IS NULL"), sqlite_where=sa.text("state IN ('in_doubt') AND lease_id IS NULL"))
    op.create_index('ix_deliveries_poll', 'deliveries', ['destination', 'next_attempt_at'], unique=False, postgresql_where=sa.text("state IN ('awaiting_ack') AND lease_id IS NULL"), sqlite_where=sa.text("state IN ('awaiting_ack') AND lease_id IS NULL"))
    op.create_index('ix_deliveries_due', 'deliveries', ['destination', 'next_attempt_at', 'id'], unique=False, postgresql_where=sa.text("state IN ('queued','held') AND lease_id IS NULL"), sqlite_where=sa.text("state IN ('queued','held') AND lease_id IS NULL"))
    op.create_index('ix_deliveries_failed', 'deliveries', ['destination', 'state', 'code', 'settled_at', 'id'], unique=False, postgresql_where=sa.text("state IN ('refused','parked','held','cancelled')"), sqlite_where=sa.text("state IN ('refused','parked','held','cancelled')"))
    op.create_index('ix_deliveries_lease', 'deliveries', ['lease_id'], unique=False, postgresql_where=sa.text('lease_id IS NOT NULL'), sqlite_where=sa.text('lease_id IS NOT NULL'))
    op.create_index('ix_deliveries_reference', 'deliveries', ['destination', 'reference'], unique=False, postgresql_where=sa.text("state IN ('awaiting_ack')"), sqlite_where=sa.text("state IN ('awaiting_ack')"))
    op.create_table('delivery_attempts',
    sa.Column('delivery_id', sa.BigInteger(), nullable=False),
    sa.Column('attempt_id', sa.BigInteger(), nullable=False),
    sa.Column('meaning', sa.Text(), nullable=False),
    sa.Column('code', sa.Text(), nullable=False),
    sa.Column('detail', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('delivery_id', 'attempt_id')
    )
    op.create_table('destinations',
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('paused_at', sa.BigInteger(), nullable=True),
    sa.Column('pause_reason', sa.Text(), nullable=True),
    sa.Column('failures', sa.Integer(), server_default=sa.text('0'), nullable=False, comment='failed calls in a row'),
    sa.Column('open_until', sa.BigInteger(), nullable=True, comment='the breaker is open until then, then one probe'),
    sa.Column('cap', sa.Integer(), nullable=True, comment='concurrency adapted down; empty means as configured'),
    sa.Column('good_calls', sa.Integer(), server_default=sa.text('0'), nullable=False, comment='in a row since the cap moved'),
    sa.Column('rate_allowance', sa.Float(), nullable=True, comment='records that may go out now'),
    sa.Column('rate_at', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('name')
    )
    op.create_table('idempotency_keys',
    sa.Column('client_id', sa.BigInteger(), nullable=False),
    sa.Column('route', sa.Text(), nullable=False),
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('body_sha256', sa.Text(), nullable=True, comment='empty while the first call runs'),
    sa.Column('started_at', sa.BigInteger(), nullable=False),
    sa.Column('locked_until', sa.BigInteger(), nullable=False, comment='then a call that died may be taken over'),
    sa.Column('status', sa.SmallInteger(), nullable=True, comment='of the stored answer'),
    sa.Column('answer', sa.LargeBinary(), nullable=True, comment="the stored answer's headers and body, zstd"),
    sa.PrimaryKeyConstraint('client_id', 'route', 'key')
    )
    op.create_index('ix_idempotency_keys_age', 'idempotency_keys', ['started_at'], unique=False)
    op.create_table('keys',
    sa.Column('id', sa.Text(), nullable=False, comment='public part of the key'),
    sa.Column('owner_kind', sa.Text(), nullable=False, comment='client or operator'),
    sa.Column('owner_id', sa.BigInteger(), nullable=False),
    sa.Column('secret_sha256', sa.LargeBinary(length=32), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('revoked_at', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_table('open_findings',
    sa.Column('school_code', sa.Text(), nullable=False),
    sa.Column('school_year', sa.Text(), nullable=False),
    sa.Column('card_id', sa.Text(), nullable=False),
    sa.Column('client_id', sa.BigInteger(), nullable=False),
    sa.Column('since', sa.BigInteger(), nullable=False),
    sa.Column('last_at', sa.BigInteger(), nullable=False),
    sa.Column('times', sa.Integer(), nullable=False),
    sa.Column('submission_id', sa.Text(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('findings', sa.LargeBinary(), nullable=False, comment='JSON list, zstd'),
    sa.PrimaryKeyConstraint('school_code', 'school_year', 'card_id', 'client_id')
    )
    op.create_index('ix_open_findings_card', 'open_findings', ['school_year', 'card_id'], unique=False)
    op.create_table('operators',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('role', sa.Text(), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('revoked_at', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('name')
    )
    op.create_table('records',
    sa.Column('submission_id', sa.Text(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False, comment='from 0, as in the body'),
    sa.Column('status', sa.Text(), nullable=False, comment='accepted, unchanged or rejected'),
    sa.Column('sha256', sa.LargeBinary(length=32), nullable=False, comment="of the record's bytes as sent"),
    sa.Column('school_year', sa.Text(), nullable=True),
    sa.Column('card_id', sa.Text(), nullable=True),
    sa.Column('school_code', sa.Text(), nullable=True),
    sa.Column('version', sa.Integer(), nullable=True),
    sa.Column('findings', sa.LargeBinary(), nullable=True, comment='JSON list, zstd'),
    sa.PrimaryKeyConstraint('submission_id', 'position')
    )
    op.create_table('report_cards',
    sa.Column('school_year', sa.Text(), nullable=False),
    sa.Column('card_id', sa.Text(), nullable=False),
    sa.Column('school_code', sa.Text(), nullable=False),
    sa.Column('client_id', sa.BigInteger(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False, comment='the newest'),
    sa.Column('content_sha256', sa.LargeBinary(length=32), nullable=False, comment="of the newest version's canonical JSON"),
    sa.Column('recalled', sa.Boolean(), nullable=False),
    sa.Column('changed_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('school_year', 'card_id')
    )
    op.create_index('ix_report_cards_school', 'report_cards', ['school_code', 'school_year', 'card_id'], unique=False)
    op.create_table('submissions',
    sa.Column('id', sa.Text(), nullable=False, comment='UUIDv7'),
    sa.Column('client_id', sa.BigInteger(), nullable=False),
    sa.Column('received_at', sa.BigInteger(), nullable=False),
    sa.Column('media_type', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False, comment='receiving, accepted, partial, rejected'),
    sa.Column('bytes', sa.BigInteger(), nullable=False),
    sa.Column('sha256', sa.Text(), nullable=True, comment='of the body as sent, after any content coding was undone'),
    sa.Column('accepted', sa.Integer(), nullable=False),
    sa.Column('rejected', sa.Integer(), nullable=False),
    sa.Column('atomic', sa.Boolean(), nullable=False),
    sa.Column('trace_parent', sa.Text(), nullable=True, comment='W3C Trace Context of the call'),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('ix_submissions_client', 'submissions', ['client_id', 'id'], unique=False)
    op.create_table('tallies',
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('labels', sa.Text(), nullable=False, comment="label values joined by a space, in the metric's order"),
    sa.Column('shard', sa.SmallInteger(), nullable=False, comment='writers use different shards so as not to wait'),
    sa.Column('value', sa.Float(), nullable=False),
    sa.PrimaryKeyConstraint('name', 'labels', 'shard')
    )
    op.create_table('versions',
    sa.Column('school_year', sa.Text(), nullable=False),
    sa.Column('card_id', sa.Text(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('event', sa.Text(), nullable=False),
    sa.Column('accepted_at', sa.BigInteger(), nullable=False),
    sa.Column('submission_id', sa.Text(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('school_code', sa.Text(), nullable=False),
    sa.Column('content_sha256', sa.LargeBinary(length=32), nullable=False),
    sa.Column('original_sha256', sa.LargeBinary(length=32), nullable=False),
    sa.Column('original_type', sa.Text(), nullable=False),
    sa.Column('original_bytes', sa.Integer(), nullable=False),
    sa.Column('canonical', sa.LargeBinary(), nullable=False, comment='canonical JSON, zstd'),
    sa.Column('original', sa.LargeBinary(), nullable=True, comment='bytes as sent, zstd; empty where they equal the canonical JSON'),
    sa.PrimaryKeyConstraint('school_year', 'card_id', 'version')
    )
    op.create_table('mapping_versions',
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('version', sa.Text(), nullable=False),
    sa.Column('document', sa.LargeBinary(), nullable=False, comment='YAML as it came, zstd'),
    sa.Column('sha256', sa.Text(), nullable=False, comment='of the YAML, hex'),
    sa.Column('added_at', sa.BigInteger(), nullable=False),
    sa.Column('added_by', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('name', 'version')
    )
    op.create_table('mapping_activations',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('version', sa.Text(), nullable=False),
    sa.Column('client', sa.Text(), nullable=True, comment='for this client only'),
    sa.Column('school_year', sa.Text(), nullable=True, comment='for cards of this school year only'),
    sa.Column('valid_from', sa.Text(), nullable=True, comment='first day, ISO 8601'),
    sa.Column('valid_to', sa.Text(), nullable=True, comment='last day, ISO 8601'),
    sa.Column('activated_at', sa.BigInteger(), nullable=False),
    sa.Column('activated_by', sa.Text(), nullable=False),
    sa.Column('ended_at', sa.BigInteger(), nullable=True),
    sa.Column('ended_by', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_table('configuration',
    sa.Column('part', sa.Text(), nullable=False),
    sa.Column('revision', sa.BigInteger(), nullable=False, comment='moves with every change; what processes look at'),
    sa.PrimaryKeyConstraint('part')
    )
    op.create_table('code_fills',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('code_table', sa.Text(), nullable=False, comment='name of a table, or mapping/table for one of its own'),
    sa.Column('system', sa.Text(), nullable=False, comment='code system that the value is of'),
    sa.Column('conditions', sa.Text(), nullable=False, comment='JSON: which rows the look-up takes'),
    sa.Column('value', sa.Text(), nullable=False),
    sa.Column('result_system', sa.Text(), nullable=False),
    sa.Column('result', sa.Text(), nullable=False),
    sa.Column('is_new', sa.Boolean(), nullable=False, comment='no row of the table had this result'),
    sa.Column('valid_from', sa.Text(), nullable=True),
    sa.Column('valid_to', sa.Text(), nullable=True),
    sa.Column('source', sa.Text(), nullable=False, comment='where the answer comes from'),
    sa.Column('filled_at', sa.BigInteger(), nullable=False),
    sa.Column('filled_by', sa.Text(), nullable=False),
    sa.Column('ended_at', sa.BigInteger(), nullable=True),
    sa.Column('ended_by', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_table('unmapped_codes',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('code_table', sa.Text(), nullable=False),
    sa.Column('system', sa.Text(), nullable=False),
    sa.Column('conditions', sa.Text(), nullable=False),
    sa.Column('value', sa.Text(), nullable=False),
    sa.Column('result_system', sa.Text(), nullable=False, comment='into which code system it was looked up'),
    sa.Column('times', sa.BigInteger(), nullable=False),
    sa.Column('first_at', sa.BigInteger(), nullable=False),
    sa.Column('last_at', sa.BigInteger(), nullable=False),
    sa.Column('fill_id', sa.BigInteger(), nullable=True, comment='empty while nobody has said what it means'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('code_table', 'system', 'conditions', 'value', name='uq_unmapped_codes_value')
    )
    op.create_table('unmapped_code_sources',
    sa.Column('code_id', sa.BigInteger(), nullable=False),
    sa.Column('client_id', sa.BigInteger(), nullable=False),
    sa.Column('school_code', sa.Text(), nullable=False, comment='empty where it could not be read'),
    sa.Column('times', sa.BigInteger(), nullable=False),
    sa.Column('last_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('code_id', 'client_id', 'school_code')
    )
    op.create_table('waiting_records',
    sa.Column('school_year', sa.Text(), nullable=False),
    sa.Column('card_id', sa.Text(), nullable=False),
    sa.Column('client_id', sa.BigInteger(), nullable=False),
    sa.Column('submission_id', sa.Text(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('mapping', sa.Text(), nullable=False),
    sa.Column('original', sa.LargeBinary(), nullable=False, comment='bytes as sent, zstd'),
    sa.Column('revision', sa.BigInteger(), nullable=False, comment='of the configuration that it was last read with'),
    sa.PrimaryKeyConstraint('school_year', 'card_id', 'client_id')
    )
    op.create_table('waiting_codes',
    sa.Column('code_id', sa.BigInteger(), nullable=False),
    sa.Column('school_year', sa.Text(), nullable=False),
    sa.Column('card_id', sa.Text(), nullable=False),
    sa.Column('client_id', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('code_id', 'school_year', 'card_id', 'client_id')
    )
    op.create_index('ix_waiting_codes_card', 'waiting_codes', ['school_year', 'card_id', 'client_id'], unique=False)
    op.create_table('client_certificates',
    sa.Column('identity', sa.Text(), nullable=False, comment='sha256:<hex of the certificate> or subject:<name>'),
    sa.Column('client_id', sa.BigInteger(), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('identity')
    )
    op.create_table('used_nonces',
    sa.Column('digest', sa.LargeBinary(length=32), nullable=False, comment='SHA-256 of client and nonce'),
    sa.Column('expires_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('digest')
    )
    op.create_table('files',
    sa.Column('id', sa.Text(), nullable=False, comment='UUIDv7; also that of the submission that its records make'),
    sa.Column('client_id', sa.BigInteger(), nullable=False),
    sa.Column('upload_key', sa.Text(), nullable=True, comment="the client's own name of the upload: sending it again goes on"),
    sa.Column('name', sa.Text(), nullable=False, comment='as the sender calls it; never a path'),
    sa.Column('form', sa.Text(), nullable=False, comment='xlsx, csv, xml, ndjson or zip'),
    sa.Column('profile', sa.Text(), nullable=False, comment='mapping of what is in it; report-card for canonical cards'),
    sa.Column('state', sa.Text(), nullable=False, comment='receiving, waiting, done or failed'),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('changed_at', sa.BigInteger(), nullable=False),
    sa.Column('bytes', sa.BigInteger(), nullable=True, comment='whole size, where it is known'),
    sa.Column('received', sa.BigInteger(), nullable=False, comment='bytes that are on the disk for certain'),
    sa.Column('sha256', sa.Text(), nullable=True, comment='hex, of the whole file'),
    sa.Column('total', sa.Integer(), nullable=True, comment='records; known once the file was cut'),
    sa.Column('position', sa.Integer(), nullable=False, comment='records that were imported: the cursor'),
    sa.Column('code', sa.Text(), nullable=True, comment='why it failed: a problem code'),
    sa.Column('findings', sa.LargeBinary(), nullable=True, comment='about the file itself: JSON list, zstd'),
    sa.Column('trace_parent', sa.Text(), nullable=True, comment='W3C Trace Context of the call'),
    sa.Column('lease_id', sa.Text(), nullable=True),
    sa.Column('holder', sa.Text(), nullable=True),
    sa.Column('leased_until', sa.BigInteger(), nullable=False, comment='from then on anybody may take the import over'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('client_id', 'upload_key', name='uq_files_key')
    )
    op.create_index('ix_files_client', 'files', ['client_id', 'id'], unique=False)
    op.create_index('ix_files_state', 'files', ['state', 'leased_until'], unique=False)
    op.create_table('file_parts',
    sa.Column('file_id', sa.Text(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False, comment='of its first record'),
    sa.Column('name', sa.Text(), nullable=False, comment='of the entry of a zip; never a path'),
    sa.PrimaryKeyConstraint('file_id', 'position')
    )

    if op.get_bind().dialect.name == "postgresql":
        # The bodies are compressed already: PostgreSQL shall not try to do it again.
        for table, column in (("versions", "canonical"), ("versions", "original"), ("records", "findings"), ("waiting_records", "original")):
            op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET STORAGE EXTERNAL")
