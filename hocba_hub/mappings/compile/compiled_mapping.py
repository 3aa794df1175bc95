"""Compile a mapping document once, and translate records with it: the way in for intake and for delivery."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple

from hocba_hub.mappings import finding_kinds as kinds
from hocba_hub.mappings.compile.compile_fields import Builder
from hocba_hub.mappings.compile.compile_values import ANYTHING
from hocba_hub.mappings.compile.generated_fill import Fill, Note
from hocba_hub.mappings.document.document import Document, DocumentError
from hocba_hub.mappings.document.field_rules import Items, Object, TableUse, Value
from hocba_hub.mappings.document.paths import Path, Scope, Steps, locate, origin
from hocba_hub.mappings.records.record import Record
from hocba_hub.mappings.schemas.targets import TargetField
from hocba_hub.mappings.tables.code_table import Table
from hocba_hub.mappings.values.value import JsonValue, value_class
from hocba_hub.mappings.yaml_reading import finding
from hocba_hub.model.codes import UnmappedCode
from hocba_hub.model.findings import Finding, Severity


class Translation(NamedTuple):
    """What a record became; the output lacks what a finding of severity error is about."""

    output: dict[str, JsonValue]
    findings: tuple[Finding, ...] = ()
    unmapped: tuple[UnmappedCode, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether nothing went wrong; warnings may be there."""
        return all(finding.kind.severity is not Severity.ERROR for finding in self.findings)


class CompiledMapping:
    """A mapping that is ready to run; may be used by several threads at once."""

    def __init__(self, document: Document, fill: Fill, tables: Mapping[str, Table]) -> None:
        self.document = document
        self._fill = fill
        self._tables = tables

    def translate(self, record: Record) -> Translation:
        """What a record becomes, with every problem at its place; never raises for what the record holds."""
        node = record.node
        if type(node) is not dict:
            return Translation({}, (finding(kinds.NOT_A_RECORD, record.place(()), "an object", value_class(node)),))
        notes: list[Note] = []
        output = self._fill((node, record.around, (), 1), notes)
        if not notes:
            return Translation(output)
        findings = _by_cause(_finding(record, note) for note in notes)
        unmapped = (self._unmapped(note[0], *note[2].unmapped) for note in notes if note[2].unmapped)
        return Translation(output, findings, tuple(dict.fromkeys(unmapped)))

    def _unmapped(self, rule: Value | Object | Items, name: str, value: str) -> UnmappedCode:
        table = self._tables[name]
        use = next(use for use in rule.tables if use.name == name) if isinstance(rule, Value) else TableUse(name)
        return UnmappedCode(
            f"{self.document.name}/{name}" if name in self.document.tables else name,
            use.source or table.default_from or "",
            value,
            use.target or table.default_to or "",
            tuple(sorted(use.where.items())),
        )


def _finding(record: Record, note: Note) -> Finding:
    rule, scope, error = note
    facts = {"target": rule.target, **error.facts}
    value_kind = str(facts.pop("value_class", ""))
    return finding(error.kind, record.place(source_steps(rule, scope)), error.expected, value_kind, **facts)


def _by_cause(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings, one for each cause: a value that two fields are made of is found wrong once.

    The first field stands as the target, the others in the fact `also`.
    """
    found: dict[tuple[str, str, str], Finding] = {}
    for one in findings:
        cause = one.kind.code, one.pointer, one.expected
        first = found.setdefault(cause, one)
        target = str(one.facts.get("target", ""))
        if first is not one and target != first.facts.get("target"):
            also = dict.fromkeys([*str(first.facts.get("also", "")).split(), target])
            found[cause] = replace(first, facts={**first.facts, "also": " ".join(also)})
    return tuple(found.values())


def targets_of(found: Finding) -> list[str]:
    """Every target field that a finding of a translation is about."""
    return [str(found.facts.get("target", "")), *str(found.facts.get("also", "")).split()]


def source_steps(rule: Value | Object | Items, scope: Scope) -> Steps:
    """Steps to what a rule reads; to the object it stands in, if it reads no single place."""
    path: Path | None = None
    match rule:
        case Value():
            path = rule.sources[0] if rule.sources else None
        case Object():
            path = rule.at
        case Items():
            path = rule.each
    return origin(scope) if path is None else locate(path, scope)


def compile_mapping(
    document: Document, tables: Mapping[str, Table], target: TargetField | None = None
) -> CompiledMapping:
    """The mapping as functions.

    With a `target`, values are checked against it as they are made, so that what a destination cannot hold is found
    with its place in the source. Without one, the output is as the rules make it.

    Raises:
        DocumentError: a table or code system is not there, or an expression is not JSONata.
    """
    builder = Builder(document, tables)
    fill = builder.fields(document.fields, target or ANYTHING)
    if builder.reading.findings:
        raise DocumentError(builder.reading.findings)
    return CompiledMapping(document, fill, builder.tables)
