"""Alembic's entry: runs the migrations on the connection that `upgrade` hands over."""

from alembic import context

from hocba_hub.store.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
