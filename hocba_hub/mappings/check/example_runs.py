"""The examples that a mapping carries: run as its tests, and counted as its coverage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from hocba_hub.mappings import finding_kinds as kinds
from hocba_hub.mappings.check.source_fields import Names, fields_of, is_read, of_sheets, shown, source_fields
from hocba_hub.mappings.compile.compiled_mapping import CompiledMapping, Translation, compile_mapping
from hocba_hub.mappings.compile.trace import Tracer
from hocba_hub.mappings.document.document import ROWS, XML, Document, Example, Source
from hocba_hub.mappings.document.field_rules import Value, walk
from hocba_hub.mappings.records.record import Record, XmlError, json_records, parse_xml, xml_records
from hocba_hub.mappings.records.rows import Sheet, row_records
from hocba_hub.mappings.records.sheet_head import SheetHead, sheet_head
from hocba_hub.mappings.schemas.targets import TargetField
from hocba_hub.mappings.tables.code_table import Table
from hocba_hub.mappings.values.value import JsonValue, as_text
from hocba_hub.model.findings import Finding

_MOST_DIFFERENCES = 10


@dataclass(frozen=True, slots=True)
class ExampleResult:
    """What one example brought."""

    example: Example
    translations: tuple[Translation, ...]
    problems: tuple[str, ...]
    """Where it differs from what it says; empty if it passed."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of the target, of the source and of the rules the mapping and its examples touch."""

    target_mapped: tuple[str, ...]
    target_unmapped: tuple[str, ...]
    source_read: tuple[str, ...]
    source_unread: tuple[str, ...]
    rules: int
    rules_untested: tuple[str, ...]
    """Targets of rules that gave no value in any example."""

    def share(self) -> str:
        """The three shares in a line."""
        target, source = len(self.target_mapped), len(self.source_read)
        return (
            f"target {target}/{target + len(self.target_unmapped)} · source {source}/{source + len(self.source_unread)}"
            f" · rules {self.rules - len(self.rules_untested)}/{self.rules}"
        )


def example_records(example: Example, source: Source) -> Iterator[Record | Finding]:
    """The records of an example's input: plain values, XML text, or rows by sheet name."""
    if source.format == XML:
        try:
            yield from xml_records(parse_xml(as_text(example.input)), source)
        except XmlError as error:
            yield Finding(kinds.NOT_XML, example.place, str(error))
    elif source.format == ROWS:
        sheets = example.input if isinstance(example.input, dict) else {}
        rows = {name: [row if isinstance(row, list) else [row] for row in grid or ()] for name, grid in sheets.items()}
        yield from row_records([Sheet(name, grid) for name, grid in rows.items()], source)
    else:
        yield from json_records(example.input, source)


def run_examples(mapping: CompiledMapping) -> list[ExampleResult]:
    """Every example of the mapping's document, with what came of it."""
    return [_run(mapping, example) for example in mapping.document.examples]


def _run(mapping: CompiledMapping, example: Example) -> ExampleResult:
    translations = []
    findings: list[Finding] = []
    for record in example_records(example, mapping.document.source):
        if isinstance(record, Finding):
            findings.append(record)
        else:
            translations.append(mapping.translate(record))
            findings.extend(translations[-1].findings)
    outputs = [translation.output for translation in translations]
    problems = list(_findings_problems(example.findings, findings))
    if example.output is not None:
        got = outputs if isinstance(example.output, list) else outputs[0] if len(outputs) == 1 else outputs
        problems += differences(example.output, got)
    if example.contains is not None:
        problems += differences(example.contains, outputs[0] if len(outputs) == 1 else outputs, partly=True)
    return ExampleResult(example, tuple(translations), tuple(problems[:_MOST_DIFFERENCES]))


def _findings_problems(expected: Sequence[Mapping[str, str]], found: list[Finding]) -> Iterator[str]:
    left = list(found)
    for wanted in expected:
        hit = next((one for one in left if _is_expected(wanted, one)), None)
        if hit is None:
            yield "missing finding " + " ".join(f"{key}={value}" for key, value in wanted.items())
        else:
            left.remove(hit)
    for extra in left:
        yield f"unexpected finding code={extra.kind.code} at={extra.pointer} target={extra.facts.get('target', '')}"


def _is_expected(wanted: Mapping[str, str], finding: Finding) -> bool:
    code = wanted["code"]
    return (
        finding.kind.code in (code, f"mapping.{code}")
        and wanted.get("at", finding.pointer) == finding.pointer
        and wanted.get("target", finding.facts.get("target")) == finding.facts.get("target")
    )


def differences(wanted: JsonValue, got: JsonValue, at: str = "", *, partly: bool = False) -> list[str]:
    """Where two trees differ, as `path: expected …, got …`; with `partly`, what only `got` has does not count."""
    if isinstance(wanted, dict) and isinstance(got, dict):
        keys = list(wanted) if partly else list(dict.fromkeys((*wanted, *got)))
        return [
            line for key in keys for line in differences(wanted.get(key), got.get(key), f"{at}/{key}", partly=partly)
        ]
    if isinstance(wanted, list) and isinstance(got, list) and len(wanted) == len(got):
        pairs = enumerate(zip(wanted, got, strict=True))
        return [line for n, (a, b) in pairs for line in differences(a, b, f"{at}/{n}", partly=partly)]
    same = wanted == got and isinstance(wanted, bool) == isinstance(got, bool)
    return [] if same else [f"{at or '/'}: expected {_shown(wanted)}, got {_shown(got)}"]


def _shown(value: JsonValue) -> str:
    text = "nothing" if value is None else f"a list of {len(value)}" if isinstance(value, list) else repr(value)
    return text if len(text) < 80 else text[:77] + "…"  # noqa: PLR2004 - a line of a terminal


def coverage(document: Document, tables: Mapping[str, Table], target: TargetField | None) -> Coverage:
    """What the document touches of its target, and what its examples touch of it."""
    every = walk(document.fields, None, lambda *_: None)
    rules = {rule.place: rule.target for _, rule, _ in every if isinstance(rule, Value)}
    seen: list[Names] = []
    heads: list[SheetHead] = []
    used: set[str] = set()
    tracer = Tracer(document, tables)
    for example in document.examples:
        for record in example_records(example, document.source):
            if isinstance(record, Finding):
                continue
            seen.extend(fields_of(record, document.source))
            heads += [head] if (head := sheet_head(record)) else []
            used.update(rule.place for _, rule, scope in tracer.walk(record) if tracer.gives(rule, scope))
    mapped = {path.removesuffix("[]") for path in rules.values()}
    made = [one for _, one in document.kinds(target)] if target else []
    known = list(dict.fromkeys(path for one in made for path, field in one.walk() if not field.below()))
    read = of_sheets(source_fields(document.fields, document.source), heads, document.source)
    names = list(Counter(seen))
    return Coverage(
        tuple(path for path in known if path in mapped) if target else tuple(sorted(mapped)),
        tuple(path for path in known if path not in mapped),
        tuple(shown(leaf) for leaf in names if is_read(leaf, read)),
        tuple(shown(leaf) for leaf in names if not is_read(leaf, read)),
        len(rules),
        tuple(path for place, path in rules.items() if place not in used),
    )


def example_values(document: Document, tables: Mapping[str, Table]) -> dict[str, JsonValue]:
    """Target → a value that the examples give it, for those who read the mapping as a table."""
    values: dict[str, JsonValue] = {}
    for result in run_examples(compile_mapping(document, tables)):
        for translation in result.translations:
            for path, value in _values(translation.output, ""):
                values.setdefault(path, value)
    return values


def _values(node: JsonValue, above: str) -> Iterator[tuple[str, JsonValue]]:
    if isinstance(node, dict):
        for key, child in node.items():
            yield from _values(child, f"{above}/{key}" if above else key)
    elif isinstance(node, list):
        for child in node:
            yield from _values(child, above + "[]")
    else:
        yield above, node
