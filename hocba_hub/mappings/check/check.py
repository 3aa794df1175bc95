"""Check a mapping before it meets a record: against its target, its source, its tables and its own examples."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from itertools import chain

from hocba_hub.mappings import finding_kinds as kinds
from hocba_hub.mappings.check.example_runs import example_records, run_examples
from hocba_hub.mappings.check.source_fields import (
    ABOVE,
    Names,
    Reads,
    fields_of,
    is_read,
    is_seen,
    objects_around,
    of_sheets,
    shown,
    source_fields,
)
from hocba_hub.mappings.check.source_shapes import Shapes
from hocba_hub.mappings.compile.compiled_mapping import compile_mapping
from hocba_hub.mappings.document.document import Document, DocumentError
from hocba_hub.mappings.document.field_rules import Fields, Items, Object, Rule, Value, inner_fields
from hocba_hub.mappings.document.paths import HEAD
from hocba_hub.mappings.messages import in_vietnamese
from hocba_hub.mappings.records.record import Record
from hocba_hub.mappings.records.sheet_head import SheetHead, sheet_head
from hocba_hub.mappings.schemas import NAMES, target_schema
from hocba_hub.mappings.schemas.targets import LIST, OBJECT, TargetField
from hocba_hub.mappings.tables.code_table import Table
from hocba_hub.mappings.values.value import as_text
from hocba_hub.mappings.values.value_shapes import ANY, NUMBER, WHOLE, Shape
from hocba_hub.mappings.yaml_reading import finding
from hocba_hub.model.findings import Finding, FindingKind

_MOST_SHOWN = 5


def check(
    document: Document,
    tables: Mapping[str, Table],
    target: TargetField | None = None,
    source: TargetField | None = None,
    sample: Sequence[Record] = (),
) -> list[Finding]:
    """Everything that can be said against a mapping; errors make it unusable, warnings deserve a look.

    `target` is the schema that it writes. `source`, where there is one (canonical → destination), is the schema that
    it reads, by default the one that the document names: then types and lengths are followed from the source to the
    target, and what the target has no place for is no mistake of the mapping. `sample` are records besides those of the
    examples in which source fields are looked for.
    """
    try:
        mapping = compile_mapping(document, tables)
    except DocumentError as error:
        return error.findings
    if source is None and document.source.schema in NAMES:
        source = target_schema(document.source.schema)
    found = list(_Check(document, {**tables, **document.tables}, source, sample).findings(target))
    for result in run_examples(mapping):
        if result.problems:
            place, name = result.example.place, result.example.name
            facts: dict[str, str | int] = {"line": document.line(place), "given": name}
            found.append(Finding(kinds.EXAMPLE_FAILED, place, "; ".join(result.problems), facts=facts))
    return found


class _Check:
    def __init__(
        self, document: Document, tables: Mapping[str, Table], source: TargetField | None, sample: Sequence[Record]
    ) -> None:
        self.document, self.sample = document, sample
        self.source = source
        self.read = source_fields(document.fields, document.source)
        self.shapes = Shapes(document, tables, source)

    def findings(self, target: TargetField | None) -> Iterator[Finding]:
        of_kinds = self.document.kinds(target) if target is not None else ()
        yield from _at_once(chain.from_iterable(self.object(fields, kind, "") for fields, kind in of_kinds))
        yield from self.unreachable(self.document.fields)
        yield from self.sources()

    def finding(self, kind: FindingKind, place: str, expected: str = "", **facts: str | int) -> Finding:
        return finding(kind, place, expected, "", line=self.document.line(place), **facts)

    def object(self, fields: Fields, target: TargetField, path: str) -> Iterator[Finding]:
        below = target.below()
        for name, rules in fields.items():
            child = below.get(name)
            inner: list[Finding] = []
            for rule in rules:
                if child is not None:
                    inner += self.rule(rule, child)
                elif not target.open:
                    near = get_close_matches(name, below, 1)
                    hint = f" ({near[0]}?)" if near else ""
                    yield self.finding(kinds.TARGET_UNKNOWN, rule.place, target=rule.target, hint=hint)
            yield from inner
            # An object is empty because what is in it is.
            told = any(one.kind is kinds.TARGET_NOT_REQUIRED for one in inner)
            if child is not None and child.required and not told and not any(map(_always, rules)):
                yield self.finding(kinds.TARGET_NOT_REQUIRED, rules[0].place, target=rules[0].target)
        for name, child in below.items():
            if (child.required or child.needed) and name not in fields:
                for one, demanded in child.demanded(f"{path}/{name}" if path else name):
                    label = f" ({demanded.label})" if demanded.label else ""
                    yield Finding(kinds.TARGET_UNMAPPED, "", facts={"target": one, "label": label})

    def rule(self, rule: Rule, target: TargetField) -> Iterator[Finding]:
        match rule:
            case Value():
                yield from self.fitting(rule, self.shapes.of(rule), target)
            case Object():
                if target.type in (OBJECT, ANY):
                    yield from self.object(rule.fields, target, rule.target)
                else:
                    yield self.conflict(rule, OBJECT, target)
            case Items():
                if target.type not in (LIST, ANY):
                    yield self.conflict(rule, LIST, target)
                for entry in rule.entries if target.item else ():
                    yield from self.entry(entry, target, rule.target + "[]")

    def entry(self, entry: Fields, target: TargetField, path: str) -> Iterator[Finding]:
        if "." in entry and target.item:
            for rule in entry["."]:
                yield from self.rule(rule, target.item)
        else:
            yield from self.object(entry, target, path)

    def conflict(self, rule: Rule, given: str, target: TargetField) -> Finding:
        facts = {"target": rule.target, "given": given, "given_vi": in_vietnamese(given)}
        return self.finding(kinds.TYPE_CONFLICT, rule.place, target.type, **facts)

    def fitting(self, rule: Value, shape: Shape, target: TargetField) -> Iterator[Finding]:
        """What the target cannot hold of what the rule gives, or of its default."""
        shapes = [shape] if rule.default is None else [shape, Shape.of(rule.default)]
        for one in shapes:
            if target.type in (OBJECT, LIST) or not _fits(one.type, target.type):
                yield self.conflict(rule, "a single value" if one.type == ANY else one.type, target)
                continue
            wrong = sorted(as_text(v) for v in one.values or () if not _allowed(v, target))
            if wrong:
                allowed = target.pattern if target.allowed is None else " · ".join(sorted(map(as_text, target.allowed)))
                given = " · ".join(wrong[:_MOST_SHOWN])
                yield self.finding(kinds.VALUE_CONFLICT, rule.place, allowed, target=rule.target, given=given)
            if target.longest is not None and one.longest is not None and one.longest > target.longest:
                limit = str(target.longest)
                # A text of the source that may be too long is found on the card itself (`deliverability.py`).
                possible = self.source is not None and bool(rule.sources) and one is shape
                kind = kinds.LENGTH_POSSIBLE if possible else kinds.LENGTH_CONFLICT
                yield self.finding(kind, rule.place, limit, target=rule.target, given=one.longest)

    def unreachable(self, fields: Fields) -> Iterator[Finding]:
        for rules in fields.values():
            ended = ""
            conditions = []
            for rule in rules:
                reason = ended or (rule.when.impossible() if rule.when else "")
                if rule.when in conditions:
                    reason = reason or "a rule before it has the same condition and always gives a value"
                if reason:
                    yield self.finding(kinds.UNREACHABLE, rule.place, reason, target=rule.target)
                if _gives_always(rule) and rule.when is None:
                    ended = ended or "a rule before it always gives a value"
                elif _gives_always(rule):
                    conditions.append(rule.when)
                for inner in inner_fields(rule):
                    yield from self.unreachable(inner)

    def sources(self) -> Iterator[Finding]:
        """Source fields that are read but not there, or there but not read."""
        for one in self.read:
            if one.names[:2] == ABOVE:
                around = objects_around(self.document.source)
                reason = (
                    "nothing is above the document's root" if around else "this source has nothing above its records"
                )
                yield self.finding(kinds.PATH_WRONG, one.place, reason)
        if self.source is not None:
            yield from self.against_schema(self.source)
        if not self.document.examples:
            yield Finding(kinds.NO_EXAMPLES, "/examples")
            if not self.sample:
                return
        seen: dict[Names, None] = {}
        heads: list[SheetHead] = []
        examples = (example_records(example, self.document.source) for example in self.document.examples)
        for record in (*chain.from_iterable(examples), *self.sample):
            if not isinstance(record, Finding):
                seen.update(dict.fromkeys(fields_of(record, self.document.source)))
                heads += [head] if (head := sheet_head(record)) else []
        read = of_sheets(self.read, heads, self.document.source)
        for leaf in seen:
            if self.source is None and not is_read(leaf, read):
                yield Finding(kinds.SOURCE_UNREAD, "", facts={"given": shown(leaf)})
        reported: set[Names] = set()
        for one in read:
            if one.names not in reported and _is_named(one) and not is_seen(one.names, seen):
                reported.add(one.names)
                yield self.unknown(kinds.SOURCE_UNSEEN, one.place, one.names, map(shown, seen))

    def against_schema(self, source: TargetField) -> Iterator[Finding]:
        known = {path.replace("[]", ""): None for path, _ in source.walk()}
        for one in self.read:
            if _is_named(one) and "/".join(one.names) not in known:
                yield self.unknown(kinds.SOURCE_UNKNOWN, one.place, one.names, known)

    def unknown(self, kind: FindingKind, place: str, names: Names, known: Iterable[str]) -> Finding:
        path = shown(names)
        near = get_close_matches(path, list(known), 1, 0.8)
        return self.finding(kind, place, given=path, hint=f" ({near[0]}?)" if near else "")


def _at_once(found: Iterable[Finding]) -> list[Finding]:
    """Each finding once, and those that several entries of a list have in common as one, with the line of each."""
    said: dict[tuple[FindingKind, str | int], Finding] = {}
    rest: list[Finding] = []
    for one in found:
        key = (one.kind, one.facts.get("target", ""))
        if one.kind is not kinds.TARGET_NOT_REQUIRED:
            rest += [one] if one not in rest else []
        elif key not in said:
            said[key] = one
        else:
            lines = dict.fromkeys([*str(said[key].facts["line"]).split(", "), str(one.facts["line"])])
            said[key] = replace(said[key], facts={**said[key].facts, "line": ", ".join(lines)})
    return [*rest, *said.values()]


def _is_named(one: Reads) -> bool:
    """Whether a field is read that can be looked for."""
    return one.names not in ((), (HEAD,)) and one.names[:2] != ABOVE and not one.guessed


def _gives_always(rule: Rule) -> bool:
    return isinstance(rule, Value) and (rule.constant is not None or rule.default is not None)


def _always(rule: Rule) -> bool:
    """Whether a required target is surely filled, or its lack reported."""
    if rule.required or _gives_always(rule) or (isinstance(rule, Object) and rule.always):
        return True
    return (
        isinstance(rule, Object)
        and rule.at is None
        and any(map(_always, (r for rs in rule.fields.values() for r in rs)))
    )


def _fits(given: str, wanted: str) -> bool:
    return ANY in (given, wanted) or given == wanted or (given == WHOLE and wanted == NUMBER)


def _allowed(value: object, target: TargetField) -> bool:
    if target.allowed is not None:
        return value in target.allowed
    return not (target.pattern and isinstance(value, str)) or re.search(target.pattern, value) is not None
