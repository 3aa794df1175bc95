"""`hocba-hub mappings`: look at mappings, check and test them, run one on a file, compare two, review one as table."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hocba_hub.cli import versions
from hocba_hub.cli.session import severity_shown
from hocba_hub.cli.texts import language, text

if TYPE_CHECKING:
    from hocba_hub.mappings.document.document import Document
    from hocba_hub.mappings.library.library import Library
    from hocba_hub.mappings.records.record import Record
    from hocba_hub.mappings.tables.code_table import Table
    from hocba_hub.model.findings import Finding

_LANGUAGE = click.option("--lang", type=click.Choice(["vi", "en"]), default=language)


@click.group(help=text("mappings"))
def mappings() -> None:
    """MAPPING is a file, or the name of a mapping that comes with the hub, with or without its version: NAME@1.0.0."""


def _library() -> Library:
    from hocba_hub.mappings.library.library import shipped_library

    return shipped_library()


def _tables(folder: Path | None = None) -> dict[str, Table]:
    from hocba_hub.mappings.tables.table_files import load_tables, shipped_tables

    tables = shipped_tables()
    if folder is not None:
        more, wrong = load_tables(folder)
        for name, findings in wrong.items():
            _print_findings(name, findings, "en")
        if wrong:
            raise click.ClickException(f"{len(wrong)} code tables of {folder} cannot be used.")
        tables |= more
    return tables


def _document(name: str, lang: str | None = None) -> Document:
    """The mapping that a user names; ends the command, with the findings, if it cannot be read."""
    from hocba_hub.mappings.document.parse import read_document
    from hocba_hub.mappings.library.library import MappingNotFoundError

    path = Path(name)
    if path.suffix in (".yaml", ".yml") or path.is_file():
        try:
            text = path.read_bytes().decode("utf-8", "surrogateescape")
        except OSError as error:
            raise click.ClickException(f"{name}: {error.strerror}.") from error
        document, findings = read_document(text)
        if document is None:
            _print_findings(name, findings, lang or language())
            raise click.exceptions.Exit(1)
        return document
    bare, _, version = name.partition("@")
    parts = version.split(".")
    if version and not (len(parts) == 3 and all(part.isdigit() for part in parts)):  # noqa: PLR2004 - major, minor, patch
        raise click.ClickException(f"{version} is not a version such as 1.0.0.")
    numbers = (int(parts[0]), int(parts[1]), int(parts[2])) if version else None
    try:
        return _library().select(bare, version=numbers)
    except MappingNotFoundError as error:
        raise click.ClickException(f"{error} `hocba-hub mappings list` shows those there are.") from error


def _print_findings(name: str, findings: Sequence[Finding], lang: str) -> bool:
    """Show the findings; whether one is an error."""
    from hocba_hub.model.findings import Severity

    for finding in findings:
        shown = finding.as_json()
        place = f" [{finding.pointer}]" if finding.pointer else ""
        click.echo(f"{name}: {severity_shown(finding.kind)}: {shown['message_' + lang]} ({finding.kind.code}){place}")
    return any(finding.kind.severity is Severity.ERROR for finding in findings)


@mappings.command("list")
def list_() -> None:
    """The mappings that come with the hub."""
    library = _library()
    for document in library.documents:
        path = f"{document.source.format} → {document.target}"
        title = document.title.get(language()) or document.title.get("en", "")
        examples = text("mappings.examples", count=len(document.examples))
        click.echo(f"{document.label:40} {path:24} {examples}  {title}")
    for name, findings in library.wrong.items():
        _print_findings(name, findings, language())


@mappings.command()
@click.argument("mapping")
def show(mapping: str) -> None:
    """What a mapping says, rule by rule."""
    from hocba_hub.mappings.document.tabular import CELLS, as_table

    document = _document(mapping)
    click.echo(f"{document.label}: {document.source.format} → {document.target}")
    for spoken, title in document.title.items():
        click.echo(f"  {spoken}: {title}")
    for target, alternative, *cells in as_table(document)[1:]:
        rule = ", ".join(f"{key}: {cell}" for key, cell in zip(CELLS, cells, strict=False) if cell)
        click.echo(f"  {target}{f' ({alternative})' if alternative else ''} ← {rule}")


@mappings.command()
@click.argument("mapping", nargs=-1, required=True)
@click.option("--tables", type=click.Path(exists=True, file_okay=False, path_type=Path), help=text("option.tables"))
@click.option("--schema", type=click.Path(exists=True, dir_okay=False, path_type=Path), help=text("option.schema"))
@_LANGUAGE
def check(mapping: tuple[str, ...], tables: Path | None, schema: Path | None, lang: str) -> None:
    """Check mappings against their targets, tables and examples; ends with 1 if one has an error."""
    from hocba_hub.mappings.check.check import check as check_document
    from hocba_hub.mappings.schemas import SchemaUnknownError, load_schema, target_schema

    known, failed = _tables(tables), False
    for name in mapping:
        document = _document(name, lang)
        try:
            target = target_schema(document.target) if schema is None else load_schema(schema)
        except SchemaUnknownError as error:
            raise click.ClickException(str(error)) from error
        failed |= _print_findings(name, check_document(document, known, target), lang)
        click.echo(f"{name}: {document.label} checked")
    if failed:
        raise click.exceptions.Exit(1)


@mappings.command()
@click.argument("mapping", nargs=-1, required=True)
@click.option("--tables", type=click.Path(exists=True, file_okay=False, path_type=Path), help=text("option.tables"))
def test(mapping: tuple[str, ...], tables: Path | None) -> None:
    """Run the mappings' own examples and show their coverage; ends with 1 if one fails."""
    from hocba_hub.mappings.check.example_runs import coverage, run_examples
    from hocba_hub.mappings.compile.compiled_mapping import compile_mapping
    from hocba_hub.mappings.document.document import DocumentError
    from hocba_hub.mappings.schemas import target_schema

    known, failed = _tables(tables), False
    for name in mapping:
        document = _document(name)
        try:
            results = run_examples(compile_mapping(document, known))
        except DocumentError as error:
            failed |= _print_findings(name, error.findings, "en")
            continue
        for result in results:
            said = text("mappings.failed") if result.problems else text("mappings.passed")
            click.echo(f"{document.label}: {said}: {result.example.name}")
            for problem in result.problems:
                click.echo(f"    {problem}")
                failed = True
        covered = coverage(document, known, target_schema(document.target))
        click.echo(f"{document.label}: {covered.share()}")
        for title, fields in (
            (text("mappings.unmapped"), covered.target_unmapped),
            (text("mappings.unread"), covered.source_unread),
            (text("mappings.untested"), covered.rules_untested),
        ):
            if fields:
                click.echo(f"  {title}: {', '.join(fields)}")
    if failed:
        raise click.exceptions.Exit(1)


@mappings.command()
@click.argument("mapping")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--tables", type=click.Path(exists=True, file_okay=False, path_type=Path), help=text("option.tables"))
@_LANGUAGE
def run(mapping: str, file: Path, tables: Path | None, lang: str) -> None:
    """Translate the records of a FILE (JSON, NDJSON, XML, XLSX or CSV) to lines of JSON; findings go to standard error.

    Ends with 1 if a record could not be translated whole.
    """
    import orjson

    from hocba_hub.mappings.compile.compiled_mapping import compile_mapping
    from hocba_hub.mappings.document.document import DocumentError
    from hocba_hub.model.findings import Finding, Severity

    document = _document(mapping)
    try:
        compiled = compile_mapping(document, _tables(tables))
    except DocumentError as error:
        _print_findings(mapping, error.findings, lang)
        raise click.exceptions.Exit(1) from error
    failed, position = False, -1
    for record in _records(file, document):
        findings: Sequence[Finding] = [record] if isinstance(record, Finding) else ()
        if not isinstance(record, Finding):
            position += 1
            translation = compiled.translate(record)
            findings = translation.findings
            click.echo(orjson.dumps(translation.output))
            failed |= not translation.complete
        else:
            failed |= record.kind.severity is Severity.ERROR
        for finding in findings:
            shown = finding.as_json()
            of = "" if record is finding else text("mappings.record", position=position) + " "
            click.echo(f"{of}{finding.pointer}: {shown['message_' + lang]} ({finding.kind.code})", err=True)
    if failed:
        raise click.exceptions.Exit(1)


def _records(file: Path, document: Document) -> Iterator[Record | Finding]:
    import orjson

    from hocba_hub.adapters.workbook.file_records import file_records
    from hocba_hub.mappings.document.document import ROWS, XML
    from hocba_hub.mappings.records.record import JsonRecord, XmlError, json_records, parse_xml, xml_records

    source = document.source
    if source.format == ROWS:
        with file.open("rb") as stream:
            yield from file_records(stream, file.name, source)
        return
    try:
        text = file.read_text(encoding="utf-8-sig")
        if source.format == XML:
            yield from xml_records(parse_xml(text), source)
        elif file.suffix in (".ndjson", ".jsonl"):
            for line in filter(None, map(str.strip, text.splitlines())):
                yield JsonRecord(orjson.loads(line))
        else:
            yield from json_records(orjson.loads(text), source)
    except (UnicodeDecodeError, orjson.JSONDecodeError, XmlError) as error:
        reason = str(error) if isinstance(error, XmlError) else type(error).__name__
        raise click.ClickException(f"{file.name} is not readable as {source.format} ({reason}).") from error


@mappings.command()
@click.argument("before")
@click.argument("after")
def diff(before: str, after: str) -> None:
    """What is different between two mappings."""
    from hocba_hub.mappings.document.diff import diff as compare

    changes = compare(_document(before), _document(after))
    for change in changes:
        click.echo(f"{change.kind:8} {change.part} {change.name}")
        for sign, line in (("-", change.before), ("+", change.after)):
            if line:
                click.echo(f"    {sign} {line}")
    click.echo(f"{len(changes)} differences")


@mappings.command()
@click.argument("mapping")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help=text("option.table-out"))
def export(mapping: str, out: Path) -> None:
    """Write a mapping's rules as a table for review in a spreadsheet: a workbook (.xlsx), or CSV."""
    from hocba_hub.adapters.workbook.review import write_review
    from hocba_hub.mappings.check.example_runs import example_values
    from hocba_hub.mappings.document.tabular import TITLES_VI, as_table

    document = _document(mapping)
    with out.open("wb") as file:
        write_review(file, out.name, as_table(document, example_values(document, _tables())), TITLES_VI)
    click.echo(f"{out.name}: {document.label}")


@mappings.command("import")
@click.argument("mapping")
@click.argument("table", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_LANGUAGE
def import_(mapping: str, table: Path, lang: str) -> None:
    """Print MAPPING with the rules of a reviewed TABLE (.xlsx or CSV) in the place of its own."""
    from hocba_hub.adapters.workbook.review import read_review
    from hocba_hub.mappings.document.document import DocumentError
    from hocba_hub.mappings.document.tabular import TableFormError, from_table
    from hocba_hub.mappings.records.rows import SourceError

    document = _document(mapping, lang)
    findings: Sequence[Finding]
    try:
        with table.open("rb") as file:
            text = from_table(document, read_review(file, table.name))
    except (DocumentError, SourceError) as error:
        findings = error.findings if isinstance(error, DocumentError) else [error.finding]
        _print_findings(table.name, findings, lang)
        raise click.exceptions.Exit(1) from error
    except TableFormError as error:
        raise click.ClickException(f"{table.name}: {error}") from error
    sys.stdout.write(text)


for _command in versions.COMMANDS:
    mappings.add_command(_command)
