"""What the database user of the processes needs on PostgreSQL: all but changing the audit trail and the schema."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hocba_hub.model.errors import HubError
from hocba_hub.store.engine import Store
from hocba_hub.store.tables import audit, audit_cards, metadata

_ROLE = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_ADDED_ONLY = frozenset({audit.name, audit_cards.name})
"""Tables of which rows are never changed or removed."""


class RoleNameError(HubError):
    """This is no name of a role that can be written as it is."""


def grants(role: str) -> Iterator[str]:
    """The statements that let a role run the hub's processes; the owner of the schema runs the upgrades.

    Raises:
        RoleNameError: lower-case letters, digits and `_` only.
    """
    if not _ROLE.fullmatch(role):
        raise RoleNameError(f"Not a name for a role: {role}")
    for name in sorted(metadata.tables):
        rights = "SELECT, INSERT" if name in _ADDED_ONLY else "SELECT, INSERT, UPDATE, DELETE"
        yield f"REVOKE ALL ON {name} FROM {role};"
        yield f"GRANT {rights} ON {name} TO {role};"
    yield f"GRANT SELECT ON alembic_version TO {role};"
    yield f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role};"


def grant(store: Store, role: str) -> None:
    """Give a role these rights, and no others, as the owner of the schema; nothing on SQLite, which has no users.

    Raises:
        RoleNameError: as above.
    """
    statements = list(grants(role))
    if not store.is_sqlite:
        with store.write() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)
