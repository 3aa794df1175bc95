"""What `clients` and `operators` have in common: their keys, lists and revocations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from hocba_hub.cli.session import actor, now, opened_store, print_table, settings_in_force, shown
from hocba_hub.cli.texts import text

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from hocba_hub.store.access import NewKey, Owner, OwnerEntry

_MOST_SCHOOLS_SHOWN = 3


def note(connection: Connection, action: str, name: str, detail: Mapping[str, Any]) -> None:
    """Write what was done into the audit trail, in its own transaction."""
    from hocba_hub.store import audit

    audit.write(connection, at=now(), actor=actor(), action=action, reason="", detail={"name": name, **detail})


def print_key(name: str, made: NewKey) -> None:
    """Show a new key: alone on standard output, so that it can be piped into a vault."""
    click.echo(text("key.once", name=name), err=True)
    click.echo(made.key)


def rotate(owner: Owner, name: str) -> None:
    """Give an owner one more key and show it."""
    from hocba_hub.store.access import add_key

    with opened_store() as store, store.write() as connection:
        made = add_key(connection, owner, name, now=now(), most=settings_in_force().keys_per_client)
        note(connection, f"{owner}.rotate", name, {"key": made.id})
    print_key(name, made)


def revoke(owner: Owner, name: str, key_id: str | None) -> None:
    """Revoke an owner with all its keys, or one key."""
    from hocba_hub.store.access import revoke_key, revoke_owner

    with opened_store() as store, store.write() as connection:
        if key_id is None:
            revoke_owner(connection, owner, name, now=now())
            note(connection, f"{owner}.revoke", name, {})
        else:
            revoke_key(connection, owner, name, key_id, now=now())
            note(connection, f"{owner}.revoke", name, {"key": key_id})
    click.echo(text("revoked", name=name) if key_id is None else text("revoked.key", name=name, key=key_id))


def print_owners(owner: Owner) -> None:
    """Show all owners of a kind with their keys."""
    from hocba_hub.store.access import owners

    with opened_store() as store, store.read() as connection:
        found = owners(connection, owner)
    rows = [
        (entry.name, _scope(entry), shown(entry.created_at), shown(entry.revoked_at), _keys(entry)) for entry in found
    ]
    print_table(("name", f"scope.{owner}", "created", "revoked", "keys"), rows)


def _scope(entry: OwnerEntry) -> str:
    first = ", ".join(entry.scope[:_MOST_SCHOOLS_SHOWN])
    if len(entry.scope) <= _MOST_SCHOOLS_SHOWN:
        return first
    return text("schools.more", first=first, count=len(entry.scope))


def _keys(entry: OwnerEntry) -> str:
    """The keys in force: the others are history."""
    return ", ".join(key.id for key in entry.keys if key.revoked_at is None and (key.ends_at or now()) >= now())
