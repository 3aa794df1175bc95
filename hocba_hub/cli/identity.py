"""`hocba-hub identity`: what the check of pupils' personal numbers came to."""

from __future__ import annotations

import click

from hocba_hub.cli.destinations import known_destination
from hocba_hub.cli.session import SchoolYear, opened_store, print_table, report_errors, shown
from hocba_hub.cli.texts import text
from hocba_hub.model.identity import IdentityResult

_RESULTS = tuple(map(str, IdentityResult))
_DESTINATION = click.argument("destination", default="ministry")
_COMMUNE = click.option("--commune", metavar="CODE", help=text("option.commune"))
_SCHOOL = click.option("--school", metavar="CODE", help=text("option.school"))


@click.group(help=text("identity"))
def identity() -> None:
    """Identity results."""


@identity.command(help=text("identity.show"))
@_DESTINATION
@click.option(
    "--by", type=click.Choice(["all", "commune", "school"]), default="commune", show_default=True,
    help=text("option.reconcile.by"),
)  # fmt: skip
@click.option("--year", "school_year", type=SchoolYear(), help=text("option.year"))
@_COMMUNE
@_SCHOOL
@report_errors
def show(destination: str, by: str, school_year: str | None, commune: str | None, school: str | None) -> None:
    """Show how many cards have which result, with the names of the communes."""
    from hocba_hub.store import identity as stored

    name = known_destination(destination)
    with opened_store() as store, store.read() as connection:
        found = stored.counts(connection, name, by=by, school_year=school_year, commune=commune, school=school)
    columns = {"all": (), "commune": ("commune",), "school": ("commune", "school")}[by]
    names = _commune_names() if by != "all" else {}
    rows = []
    for place, counts in found.items():
        at = {
            "commune": f"{place.commune_code} {names.get(place.commune_code, '')}".strip(),
            "school": place.school_code,
        }
        numbers = [counts.get(result, 0) for result in _RESULTS]
        rows.append((*(at[column] for column in columns), *numbers))
    heads = [f"identity-{result}" for result in _RESULTS]
    print_table([*columns, *heads], rows, numbers=heads)


@identity.command(help=text("identity.cards"))
@_DESTINATION
@click.option(
    "--result", type=click.Choice(_RESULTS), default="mismatch", show_default=True, help=text("option.identity.result")
)
@_COMMUNE
@_SCHOOL
@click.option("--limit", type=click.IntRange(1, 100_000), default=100, show_default=True, help=text("option.limit"))
@report_errors
def cards(destination: str, result: str, commune: str | None, school: str | None, limit: int) -> None:
    """Show the cards with one result, by school."""
    from hocba_hub.store import identity as stored

    name = known_destination(destination)
    with opened_store() as store, store.read() as connection:
        found = stored.cards_with(
            connection, name, IdentityResult(result), commune=commune, school=school, limit=limit
        )  # fmt: skip
    rows = [
        (one.commune_code, one.school_code, f"{one.school_year}/{one.card_id}", one.version, shown(one.told_at))
        for one in found
    ]
    print_table(("commune", "school", "card", "version", "told"), rows)


def _commune_names() -> dict[str, str]:
    """Code -> name of the communes since 1/7/2025."""
    from hocba_hub.mappings.tables.table_files import shipped_tables

    rows = shipped_tables()["communes"].rows
    return {row.values["code"][0]: row.values["name"][0] for row in rows if "code" in row.values}
