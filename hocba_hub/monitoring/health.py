"""Health: whether this process lives, and whether it can take cards now.

Destinations and Redis are no part of it: cards can be taken, and are safe, while both are away.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import text

from hocba_hub.store.engine import Store, StoreError
from hocba_hub.store.schema import newest_revision, revision


def readiness(store: Store) -> Mapping[str, bool]:
    """What must be right before cards can be taken, each by name."""
    found = {"store": False, "schema": False}
    try:
        with store.write() as connection:
            read_only = not store.is_sqlite and bool(connection.execute(text("SELECT pg_is_in_recovery()")).scalar())
            found["store"] = not read_only
            found["schema"] = revision(connection) == newest_revision()
    except StoreError:
        pass
    return found
