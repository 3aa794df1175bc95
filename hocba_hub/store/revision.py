"""The configuration's revision: one number that moves with every change, so that a process sees cheaply what is new."""

from __future__ import annotations

from sqlalchemy import Connection, select

from hocba_hub.store.bulk import upsert
from hocba_hub.store.tables import configuration

_PART = "mappings"


def revision(connection: Connection) -> int:
    """The newest; 0 if nothing was ever changed."""
    query = select(configuration.c.revision).where(configuration.c.part == _PART)
    return connection.execute(query).scalar_one_or_none() or 0


def move(connection: Connection) -> int:
    """The next revision; whoever else changes the configuration waits until this transaction ends."""
    statement = upsert(connection, configuration).values(part=_PART, revision=1)
    statement = statement.on_conflict_do_update(
        index_elements=["part"], set_={"revision": configuration.c.revision + 1}
    )
    return int(connection.execute(statement.returning(configuration.c.revision)).scalar_one())
