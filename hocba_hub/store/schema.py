"""The store's schema: brought to the newest by Alembic, and compared with the tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from hocba_hub.store.engine import Store, StoreError

if TYPE_CHECKING:
    from alembic.config import Config

_MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 0x40CBA


def upgrade(store: Store, to: str = "head") -> None:
    """Create the schema or bring it to a revision, the newest unless said; safe to run by several processes at once."""
    from alembic import command  # noqa: PLC0415 - costs a third of a second, and only this needs it

    config = _config()
    with store.write() as connection:
        if not store.is_sqlite:  # SQLite's write lock is held already
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        config.attributes["connection"] = connection
        command.upgrade(config, to)


def revision(connection: Connection) -> str | None:
    """The revision that the store is at; None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one())


def newest_revision() -> str:
    """The revision that this version of the hub needs."""
    files = sorted(path.stem for path in (_MIGRATIONS / "versions").glob("[0-9]*.py"))
    return files[-1].partition("_")[0]


def check_revision(store: Store) -> None:
    """Do nothing if the store's schema is the one this version needs.

    Raises:
        StoreError: it is not; says which command mends it.
    """
    with store.read() as connection:
        found = revision(connection)
    if found != newest_revision():
        raise StoreError(
            f"The store's schema is at revision {found}, this version needs {newest_revision()}; "
            "run `hocba-hub database upgrade`."
        )


def _config() -> Config:
    from alembic.config import Config  # noqa: PLC0415 - as above

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    return config
