"""`hocba-hub mappings`: look at mappings, compare two, review one as a table; with `trials.py` and `versions.py`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hocba_hub.cli import trials, versions
from hocba_hub.cli.mapping_files import code_tables, library, named_document, print_findings
from hocba_hub.cli.texts import language, language_option, text

if TYPE_CHECKING:
    from hocba_hub.model.findings import Finding


@click.group(help=text("mappings"))
def mappings() -> None:
    """MAPPING is a file, or the name of a mapping that comes with the hub, with or without its version: NAME@1.0.0."""


@mappings.command("list", help=text("mappings.list"))
@language_option
def list_() -> None:
    """The mappings that come with the hub."""
    known = library()
    for document in known.documents:
        path = f"{document.source.format} → {document.target}"
        title = document.title.get(language()) or document.title.get("en", "")
        examples = text("mappings.examples", count=len(document.examples))
        click.echo(f"{document.label:40} {path:24} {examples}  {title}")
    for name, findings in known.wrong.items():
        print_findings(name, findings)


@mappings.command(help=text("mappings.show"))
@click.argument("mapping")
@language_option
def show(mapping: str) -> None:
    """What a mapping says, rule by rule."""
    from hocba_hub.mappings.document.tabular import CELLS, as_table

    document = named_document(mapping)
    click.echo(f"{document.label}: {document.source.format} → {document.target}")
    for spoken, title in document.title.items():
        click.echo(f"  {spoken}: {title}")
    for target, alternative, *cells in as_table(document)[1:]:
        rule = ", ".join(f"{key}: {cell}" for key, cell in zip(CELLS, cells, strict=False) if cell)
        click.echo(f"  {target}{f' ({alternative})' if alternative else ''} ← {rule}")
    for table in document.tables.values():
        match = text("mappings.loosely") if table.columns["key"].loose else text("mappings.exactly")
        click.echo(f"  {text('column.table')} {table.name} ({match})")
        for row in table.rows:
            click.echo(f"    {row.values['key'][0]} → {row.values['value'][0]}")


@mappings.command(help=text("mappings.diff"))
@click.argument("before")
@click.argument("after")
@language_option
def diff(before: str, after: str) -> None:
    """What is different between two mappings."""
    from hocba_hub.mappings.document.diff import diff as compare

    changes = compare(named_document(before), named_document(after))
    for change in changes:
        click.echo(f"{text(f'change.{change.kind}'):8} {change.part} {change.name}")
        for sign, line in (("-", change.before), ("+", change.after)):
            if line:
                click.echo(f"    {sign} {line}")
    click.echo(text("mappings.differences", count=len(changes)))


@mappings.command(help=text("mappings.export"))
@click.argument("mapping")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help=text("option.table-out"))
def export(mapping: str, out: Path) -> None:
    """Write a mapping's rules as a table for review in a spreadsheet: a workbook (.xlsx), or CSV."""
    from hocba_hub.adapters.workbook.review import write_review
    from hocba_hub.mappings.check.example_runs import example_values
    from hocba_hub.mappings.document.tabular import TITLES_VI, as_table

    document = named_document(mapping)
    with out.open("wb") as file:
        write_review(file, out.name, as_table(document, example_values(document, code_tables())), TITLES_VI)
    click.echo(f"{out.name}: {document.label}")


@mappings.command("import", help=text("mappings.import"))
@click.argument("mapping")
@click.argument("table", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@language_option
def import_(mapping: str, table: Path) -> None:
    """Print MAPPING with the rules of a reviewed TABLE (.xlsx or CSV) in the place of its own."""
    from hocba_hub.adapters.workbook.review import read_review
    from hocba_hub.mappings.document.document import DocumentError
    from hocba_hub.mappings.document.tabular import TableFormError, from_table
    from hocba_hub.mappings.records.rows import SourceError

    document = named_document(mapping)
    findings: Sequence[Finding]
    try:
        with table.open("rb") as file:
            text = from_table(document, read_review(file, table.name))
    except (DocumentError, SourceError) as error:
        findings = error.findings if isinstance(error, DocumentError) else [error.finding]
        print_findings(table.name, findings)
        raise click.exceptions.Exit(1) from error
    except TableFormError as error:
        raise click.ClickException(f"{table.name}: {error}") from error
    sys.stdout.write(text)


for _command in (*trials.COMMANDS, *versions.COMMANDS):
    mappings.add_command(_command)
