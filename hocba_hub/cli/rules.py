"""`hocba-hub rules`: list the rules, show one, check a file of report cards."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hocba_hub.cli.session import severity_shown
from hocba_hub.cli.texts import language, text

if TYPE_CHECKING:
    from hocba_hub.model.findings import Finding
    from hocba_hub.rules.configuration import Configuration


@click.group(help=text("rules"))
def rules() -> None:
    """The rules that report cards are checked by."""


@rules.command("list", help=text("rules.list"))
def list_() -> None:
    """Every rule: code, row, severity, source."""
    from hocba_hub.rules.catalogue import CATALOGUE

    for rule in CATALOGUE.values():
        click.echo(f"{rule.code:32} {rule.row:4} {rule.severity:8} {rule.reference}")


@rules.command(help=text("rules.show"))
@click.argument("code")
def show(code: str) -> None:
    """One rule, in the terminal's language."""
    from hocba_hub.model.finding_kinds import KINDS
    from hocba_hub.rules.catalogue import CATALOGUE

    rule = CATALOGUE.get(code)
    if rule is None and code in KINDS:
        kind = KINDS[code]
        click.echo(f"{kind.code}: {text('rule.of-form')}")
        click.echo(kind.message_vi if language() == "vi" else kind.message_en)
        return
    if rule is None:
        raise click.ClickException(text("error.rule", code=code))
    click.echo(f"{rule.code}  {rule.row}".rstrip())
    click.echo(rule.vi if language() == "vi" else rule.en)
    until = f"{rule.until}-{rule.until + 1}" if rule.until else ""
    for name, value in (
        ("severity", rule.severity.value),
        ("source", "; ".join(dict.fromkeys((rule.reference, *rule.references.values())))),
        ("kinds", ", ".join(sorted(rule.kinds))),
        ("grades", f"{rule.grades.start}-{rule.grades.stop - 1}"),
        ("years", f"{rule.since}-{rule.since + 1} → {until}".rstrip() if rule.since else "*"),
        ("follows", ", ".join(rule.follows) or "-"),
    ):
        click.echo(f"  {text(f'rule.{name}')}: {value}")


@rules.command(help=text("rules.check"))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--configuration", type=click.Path(exists=True, dir_okay=False, path_type=Path), help=text("option.rules")
)
@click.option("--all", "everything", is_flag=True, help=text("option.rules.all"))
def check(file: Path, configuration: Path | None, *, everything: bool) -> None:
    """Every finding of every card; exit code 1 if one is an error."""
    from hocba_hub.model.compared_card import ComparedCard, compared_card
    from hocba_hub.model.findings import Severity
    from hocba_hub.model.keys import CardKey
    from hocba_hub.model.reading import read_card
    from hocba_hub.rules.between import ClassFigures
    from hocba_hub.rules.checking import rules_for
    from hocba_hub.rules.comparing import CardComparison

    configured = _configuration(configuration)
    comparison = CardComparison(configured)
    pupils: defaultdict[int, dict[CardKey, ComparedCard]] = defaultdict(dict)
    classes: Counter[tuple[object, ...]] = Counter()
    cards = wrong = 0
    for number, raw in _records(file):
        cards += 1
        reading = read_card(raw)
        findings = reading.findings
        if reading.card is not None:
            findings = rules_for(reading.card, configured).check(reading.card)
            one = compared_card(reading.card)
            others = pupils[one.pupil]
            is_new = others.get(one.key) is None and not one.recalled
            whole = one.school, one.key.school_year, one.class_
            traits = (whole, (*whole, "results", one.results), (*whole, "teacher", one.teacher))
            classes.update(traits if is_new else ())
            findings += comparison.between(one, [other for key, other in others.items() if key != one.key])
            size, results, teacher = (classes[trait] for trait in traits)
            figures = ClassFigures(size, results, teacher if one.teacher else 0)
            findings += comparison.of_class(one.circular, figures)
            others[one.key] = one
        wrong += any(finding.kind.severity is Severity.ERROR for finding in findings)
        for finding in findings:
            if everything or finding.kind.severity is not Severity.NOT_CHECKABLE:
                _print(number, finding)
    click.echo(text("rules.checked", cards=cards, wrong=wrong))
    if wrong:
        raise click.exceptions.Exit(1)


def _records(file: Path) -> Iterator[tuple[int, bytes]]:
    """The records of a file with the line on which each stands: NDJSON, or one JSON document."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise click.ClickException(text("error.unreadable", path=file.name, reason=error.strerror)) from error
    if file.suffix == ".json":
        yield 1, content
        return
    for number, line in enumerate(content.split(b"\n"), start=1):
        if line.strip():
            yield number, line


def _configuration(file: Path | None) -> Configuration:
    import yaml

    from hocba_hub.rules.configuration import DEFAULT, RuleConfigurationError, configured

    if file is None:
        return DEFAULT
    try:
        return configured(yaml.safe_load(file.read_bytes()))
    except OSError as error:
        raise click.ClickException(text("error.unreadable", path=file.name, reason=error.strerror)) from error
    except yaml.YAMLError as error:
        raise click.ClickException(text("error.unreadable", path=file.name, reason="YAML")) from error
    except RuleConfigurationError as error:
        raise click.ClickException(
            text("error.rules", path=file.name, where=error.where, expected=error.expected)
        ) from error


def _print(line: int, finding: Finding, indent: str = "") -> None:
    said = finding.as_json()[f"message_{language()}"]
    click.echo(f"{line}: {indent}{severity_shown(finding.kind)}: {said} ({finding.kind.code}) [{finding.pointer}]")
    for folded in finding.folded:
        _print(line, folded, f"{indent}  ")
