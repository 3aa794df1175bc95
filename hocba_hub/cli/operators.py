"""`hocba-hub operators`: people in the education department, their roles and keys."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from hocba_hub.cli import owners
from hocba_hub.cli.session import now, opened_store, report_errors
from hocba_hub.cli.texts import text

if TYPE_CHECKING:
    from hocba_hub.store.access import Scope

_ROLES = ("viewer", "operator", "approver", "administrator")


_COMMUNES = click.option("--commune", "communes", multiple=True, metavar="CODE", help=text("option.operators.commune"))
_SCHOOLS = click.option("--school", "schools", multiple=True, metavar="CODE", help=text("option.operators.school"))


@click.group(help=text("operators"))
def operators() -> None:
    """Operators."""


@operators.command(help=text("operators.add"))
@click.argument("name")
@click.option("--role", required=True, type=click.Choice(_ROLES), help=text("option.role"))
@click.option("--sees-bodies", is_flag=True, help=text("option.sees-bodies"))
@click.option("--password", "with_password", is_flag=True, help=text("option.operators.password"))
@_COMMUNES
@_SCHOOLS
@report_errors
def add(
    name: str,
    role: str,
    communes: tuple[str, ...],
    schools: tuple[str, ...],
    *,
    sees_bodies: bool,
    with_password: bool,
) -> None:
    """Add an operator with a first key, and a password for the console if wanted."""
    from hocba_hub.store.access import Role, add_operator
    from hocba_hub.store.sessions import set_password

    scope = _scope(communes, schools)
    kept = _asked_password(name) if with_password else None
    with opened_store() as store, store.write() as connection:
        made = add_operator(connection, name, Role(role), now=now(), sees_bodies=sees_bodies, scope=scope)
        owners.note(
            connection, "operator.add", name, {"role": role, "key": made.id, "sees_bodies": sees_bodies} | _told(scope)
        )
        if kept is not None:
            set_password(connection, name, kept, must_change=False, now=now())
            owners.note(connection, "operator.password", name, {})
    owners.print_key(name, made)


def _asked_password(name: str) -> str:
    """The hash of a password that is typed twice, or comes as a line of standard input.

    Raises:
        click.UsageError: it is too easy.
    """
    from hocba_hub.model.sign_in import FEWEST_CHARACTERS, hash_password, is_weak

    if sys.stdin.isatty():
        typed = click.prompt(text("operators.new-password"), hide_input=True, confirmation_prompt=True)
    else:
        typed = sys.stdin.readline().rstrip("\r\n")
    if is_weak(typed, name):
        raise click.UsageError(text("operators.weak", fewest=FEWEST_CHARACTERS))
    return hash_password(typed)


@operators.command(help=text("operators.password"))
@click.argument("name")
@click.option("--forget-second-factor", is_flag=True, help=text("option.operators.forget"))
@report_errors
def password(name: str, *, forget_second_factor: bool) -> None:
    """Give an operator a password for the console; a lock ends, and so does every session."""
    from hocba_hub.store.sessions import set_password, set_second_factor

    kept = _asked_password(name)
    with opened_store() as store, store.write() as connection:
        operator_id = set_password(connection, name, kept, must_change=False, now=now())
        if forget_second_factor:
            set_second_factor(connection, operator_id, None)
        detail = {"second_factor": "forgotten"} if forget_second_factor else {}
        owners.note(connection, "operator.password", name, detail)
    click.echo(text("operators.password-set", name=name))


def _scope(communes: tuple[str, ...], schools: tuple[str, ...]) -> Scope | None:
    from hocba_hub.store.access import Scope

    return Scope(frozenset(communes), frozenset(schools)) if communes or schools else None


def _told(scope: Scope | None) -> dict[str, object]:
    return {} if scope is None else {"scope": scope.as_json()}


@operators.command(help=text("operators.scope"))
@click.argument("name")
@_COMMUNES
@_SCHOOLS
@report_errors
def scope(name: str, communes: tuple[str, ...], schools: tuple[str, ...]) -> None:
    """Say for which part of the province an operator is; without a part, for all of it."""
    from hocba_hub.store.access import set_scope

    meant = _scope(communes, schools)
    with opened_store() as store, store.write() as connection:
        set_scope(connection, name, meant)
        owners.note(connection, "operator.scope", name, _told(meant))
    part = ", ".join((*communes, *schools)) or text("operators.whole")
    click.echo(text("operators.scoped", name=name, part=part))


@operators.command(help=text("operators.bodies"))
@click.argument("name")
@click.option("--allow/--deny", "allowed", required=True, help=text("option.operators.allow"))
@report_errors
def bodies(name: str, *, allowed: bool) -> None:
    """Let an operator see what cards and calls hold of people, or no more."""
    from hocba_hub.store.access import set_sees_bodies

    with opened_store() as store, store.write() as connection:
        set_sees_bodies(connection, name, sees_bodies=allowed)
        owners.note(connection, "operator.bodies", name, {"sees_bodies": allowed})
    click.echo(text("operators.bodies-allowed", name=name) if allowed else text("operators.bodies-denied", name=name))


@operators.command("list", help=text("operators.list"))
@report_errors
def list_() -> None:
    """Show all operators."""
    from hocba_hub.store.access import Owner

    owners.print_owners(Owner.OPERATOR)


@operators.command(help=text("operators.revoke"))
@click.argument("name")
@click.option("--key", "key_id", metavar="ID", help=text("option.key"))
@report_errors
def revoke(name: str, key_id: str | None) -> None:
    """End an operator, or one key."""
    from hocba_hub.store.access import Owner

    owners.revoke(Owner.OPERATOR, name, key_id)


@operators.command(help=text("operators.rotate"))
@click.argument("name")
@report_errors
def rotate(name: str) -> None:
    """Give an operator one more key."""
    from hocba_hub.store.access import Owner

    owners.rotate(Owner.OPERATOR, name)
