"""`hocba-hub mappings check|test|try|run`: what can be said of a mapping, and what becomes of records that it reads."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hocba_hub.cli.mapping_files import code_tables, message, named_document, print_findings, table_folder
from hocba_hub.cli.session import print_table, report_errors, settings_in_force, severity_shown
from hocba_hub.cli.texts import language_option, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hocba_hub.intake.trial import Judged, Summary, Trial
    from hocba_hub.mappings.document.document import Document
    from hocba_hub.mappings.records.record import Record
    from hocba_hub.mappings.tables.code_table import Table
    from hocba_hub.model.findings import Finding

_MOST_VALUES = 30
_MOST_RECORDS = 500
"""Of a sample; more tell nothing new of its fields."""


def _trial(document: Document, tables: Mapping[str, Table]) -> Trial:
    from hocba_hub.bootstrap import trial

    return trial(settings_in_force(), document, tables)


@click.command(help=text("mappings.check"))
@click.argument("mapping", nargs=-1, required=True)
@table_folder
@click.option("--schema", type=click.Path(exists=True, dir_okay=False, path_type=Path), help=text("option.schema"))
@click.option("--sample", type=click.Path(exists=True, dir_okay=False, path_type=Path), help=text("option.sample"))
@language_option
@report_errors
def check(mapping: tuple[str, ...], tables: Path | None, schema: Path | None, sample: Path | None) -> None:
    """Ends with 1 if one has an error."""
    from hocba_hub.mappings.check.check import check as check_document
    from hocba_hub.mappings.schemas import load_schema, target_schema
    from hocba_hub.model.findings import Severity

    known, failed = code_tables(tables), False
    for name in mapping:
        document = named_document(name)
        target = target_schema(document.target) if schema is None else load_schema(schema)
        records = list(islice(_records(sample, document), _MOST_RECORDS)) if sample is not None else []
        findings = check_document(document, known, target, sample=records)
        if all(one.kind.severity is not Severity.ERROR for one in findings):
            findings += _trial(document, known).against_examples()
        failed |= print_findings(name, findings)
        click.echo(f"{name}: {text('mappings.checked', label=document.label)}")
    if failed:
        raise click.exceptions.Exit(1)


def _records(sample: Path, document: Document) -> Iterator[Record]:
    from hocba_hub.intake.trial import file_records
    from hocba_hub.model.findings import Finding

    for record in file_records(sample, document, settings_in_force().record_bytes):
        if isinstance(record, Finding):
            click.echo(_line(record), err=True)
        else:
            yield record


@click.command(help=text("mappings.test"))
@click.argument("mapping", nargs=-1, required=True)
@table_folder
@language_option
@report_errors
def test(mapping: tuple[str, ...], tables: Path | None) -> None:
    """Ends with 1 if an example fails, or none gives a card that would be accepted."""
    from hocba_hub.mappings.check.example_runs import coverage
    from hocba_hub.mappings.document.document import DocumentError
    from hocba_hub.mappings.schemas import target_schema

    known, failed = code_tables(tables), False
    for name in mapping:
        document = named_document(name)
        try:
            failed |= _tested(document, known)
        except DocumentError as error:
            failed |= print_findings(name, error.findings)
            continue
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


def _tested(document: Document, known: Mapping[str, Table]) -> bool:
    """Run the examples and judge their cards; whether something is wrong."""
    from hocba_hub.mappings.check.example_runs import run_examples
    from hocba_hub.mappings.compile.compiled_mapping import compile_mapping

    failed = False
    tried = _trial(document, known)
    for result in run_examples(compile_mapping(document, known)):
        said = text("mappings.failed") if result.problems else text("mappings.passed")
        click.echo(f"{document.label}: {said}: {result.example.name}")
        for problem in result.problems:
            click.echo(f"    {problem}")
            failed = True
        if tried.expects_cards(result.example):
            for judged in tried.of_example(result.example):
                click.echo(f"    {text('try.accepted') if judged.accepted else text('try.rejected')}")
                for finding in judged.findings:
                    click.echo(f"      {_line(finding)}")
    return failed | print_findings(document.label, tried.against_examples(briefly=True))


def _line(finding: Finding) -> str:
    return f"{finding.pointer or '/'}: {severity_shown(finding.kind)}: {message(finding)} ({finding.kind.code})"


@click.command("try", help=text("mappings.try"))
@click.argument("mapping")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--lines", type=click.IntRange(0, 100_000), default=20, show_default=True, help=text("option.lines"))
@table_folder
@language_option
@report_errors
def try_(mapping: str, file: Path, lines: int, tables: Path | None) -> None:
    """Ends with 1 if a record would be rejected, or the file cannot be read to its end."""
    from hocba_hub.intake.trial import Summary
    from hocba_hub.mappings.document.document import DocumentError
    from hocba_hub.mappings.schemas import REPORT_CARD

    document = named_document(mapping)
    if document.target != REPORT_CARD:
        raise click.ClickException(text("try.target", target=document.target))
    summary = Summary(document)
    found: list[Judged] = []
    try:
        for judged in _trial(document, code_tables(tables)).of_file(file):
            summary.add(judged)
            found += [judged] if judged.findings and len(found) < lines else []
    except DocumentError as error:
        print_findings(mapping, error.findings)
        raise click.exceptions.Exit(1) from error
    _print_summary(summary)
    _print_cards(found, lines)
    rejected = summary.records - summary.accepted
    facts = {"records": summary.records, "accepted": summary.accepted, "rejected": rejected}
    click.echo(text("try.summary", **facts))
    if not summary.records and not summary.unreadable:
        click.echo(text("try.no-records"))
    if rejected or summary.unreadable or not summary.records:
        raise click.exceptions.Exit(1)
    click.echo(text("try.next", name=mapping, label=f"{document.name}@{document.number}"))


def _print_summary(summary: Summary) -> None:
    """First what stops most cards."""
    causes = summary.by_weight()
    if causes:
        click.echo(text("try.causes"))
        print_table(
            ("records", "severity", "field", "position", "place", "said"),
            [
                (
                    cause.records,
                    severity_shown(cause.finding.kind),
                    cause.finding.facts.get("target", ""),
                    cause.position if cause.position >= 0 else "",
                    cause.finding.pointer,
                    f"{message(cause.finding)} ({cause.finding.kind.code})",
                )
                for cause in causes
            ],
            numbers=("records",),
        )
    if summary.unmapped:
        click.echo(text("try.unmapped"))
        values = [(table, value, times) for (table, value), times in summary.unmapped.most_common(_MOST_VALUES)]
        print_table(("table", "value", "times"), values, numbers=("times",))
    if unread := summary.unread():
        more = f" … (+{len(unread) - _MOST_VALUES})" if len(unread) > _MOST_VALUES else ""
        click.echo(text("try.unread", fields=", ".join(unread[:_MOST_VALUES]) + more))


def _print_cards(found: list[Judged], lines: int) -> None:
    rows = ((one.position, finding) for one in found for finding in one.findings)
    shown = [
        (position if position >= 0 else "", severity_shown(finding.kind), finding.pointer, message(finding))
        for position, finding in islice(rows, lines)
    ]
    if shown:
        click.echo(text("try.cards", lines=len(shown)))
        print_table(("position", "severity", "place", "said"), shown)


@click.command(help=text("mappings.run"))
@click.argument("mapping")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@table_folder
@language_option
@report_errors
def run(mapping: str, file: Path, tables: Path | None) -> None:
    """Ends with 1 if a record could not be translated whole."""
    import orjson

    from hocba_hub.intake.trial import file_records
    from hocba_hub.mappings.compile.compiled_mapping import compile_mapping
    from hocba_hub.mappings.document.document import DocumentError
    from hocba_hub.model.findings import Finding, Severity

    document = named_document(mapping)
    try:
        compiled = compile_mapping(document, code_tables(tables))
    except DocumentError as error:
        print_findings(mapping, error.findings)
        raise click.exceptions.Exit(1) from error
    failed, position = False, -1
    for record in file_records(file, document, settings_in_force().record_bytes):
        if isinstance(record, Finding):
            failed |= record.kind.severity is Severity.ERROR
            click.echo(_line(record), err=True)
            continue
        position += 1
        translation = compiled.translate(record)
        click.echo(orjson.dumps(translation.output))
        failed |= not translation.complete
        for finding in translation.findings:
            click.echo(f"{text('mappings.record', position=position)} {_line(finding)}", err=True)
    if failed:
        raise click.exceptions.Exit(1)


@click.command(help=text("mappings.start"))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--name", help=text("option.mapping-name"))
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help=text("option.draft-out"))
@language_option
@report_errors
def start(file: Path, name: str | None, out: Path | None) -> None:
    """Prints the draft, or writes it where nothing is yet."""
    from hocba_hub.intake.sampling import SampleError, folded_name, sample_of
    from hocba_hub.mappings.schemas import REPORT_CARD, target_schema
    from hocba_hub.mappings.start.guess import Guesser
    from hocba_hub.mappings.start.written import PHRASES, written

    try:
        source, sample = sample_of(file, settings_in_force().record_bytes)
    except SampleError as error:
        raise click.ClickException(text("start.unreadable", path=file.name, reason=str(error))) from error
    card = target_schema(REPORT_CARD)
    draft = Guesser(sample, card, code_tables()).draft()
    phrases = {phrase: text(f"draft.{phrase}", file=file.name, records=sample.records) for phrase in PHRASES}
    made = written(name or folded_name(file), source, draft, card, phrases)
    if out is None:
        click.echo(made, nl=False)
        return
    try:
        with out.open("x", encoding="utf-8") as stream:
            stream.write(made)
    except OSError as error:
        raise click.ClickException(text("error.unwritable", path=out, reason=error.strerror)) from error
    questions = sum("# ?" in line for line in made.splitlines() if not line.startswith("#"))
    click.echo(text("start.written", path=out, guesses=len(draft.guesses), questions=questions, file=file))


COMMANDS = (start, check, test, try_, run)
"""Those that are added to `hocba-hub mappings`."""
