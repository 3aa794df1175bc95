"""Whether destinations can hold a card: found when the card comes in, not when it goes out.

Nearly everything that a destination asks for is sure before any card is seen, because the canonical model is as
strict: those rules are left out, and only what a card could still get wrong is looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from hocba_hub.mappings import finding_kinds as kinds
from hocba_hub.mappings.check.source_shapes import Shapes
from hocba_hub.mappings.compile.compile_values import is_plain_constant
from hocba_hub.mappings.compile.compiled_mapping import CompiledMapping, compile_mapping
from hocba_hub.mappings.document.document import Document
from hocba_hub.mappings.document.field_rules import Fields, Items, Object, Rule, Value
from hocba_hub.mappings.records.record import JsonRecord
from hocba_hub.mappings.schemas import target_schema
from hocba_hub.mappings.schemas.targets import LIST, TargetField
from hocba_hub.mappings.tables.code_table import Table
from hocba_hub.mappings.values.value import JsonValue
from hocba_hub.mappings.values.value_shapes import ANY, NUMBER, WHOLE
from hocba_hub.mappings.yaml_reading import finding
from hocba_hub.model.findings import Finding, Severity

_KEEPING = frozenset({"text", "trim", "nfc", "collapse-spaces", "upper", "lower", "level", "number", "integer"})
"""Transforms that always make something of something."""
_OF_NUMBERS = frozenset({"text", "number", "integer", "decimal"})
"""Transforms that leave a number the number that it is."""
_FACTS = "delivery"


@dataclass(frozen=True, slots=True)
class DeliverabilityCheck:
    """What one destination could find wrong with a card of one kind."""

    destination: str
    mapping: CompiledMapping | None
    """The rules that are not sure; None if all are."""


def deliverability_check(
    destination: str, document: Document, tables: Mapping[str, Table], target: TargetField | None = None
) -> DeliverabilityCheck:
    """The check of a destination's mapping; `target` is its schema, by default the one that the mapping names.

    Raises:
        DocumentError: the mapping cannot be compiled.
        SchemaUnknownError: the mapping names a schema that is not there.
    """
    target = target or target_schema(document.target)
    shapes = Shapes(document, {**tables, **document.tables}, target_schema(document.source.schema))
    open_rules = _Residue(shapes).fields(document.fields, target)
    if not open_rules:
        return DeliverabilityCheck(destination, None)
    return DeliverabilityCheck(destination, compile_mapping(replace(document, fields=open_rules), tables, target))


def undeliverable(card: Mapping[str, JsonValue], checks: Iterable[DeliverabilityCheck]) -> list[Finding]:
    """What stands against delivering a canonical card (parsed JSON): one finding a place, field and destination."""
    found: dict[tuple[str, str, str, str], Finding] = {}
    for check in checks:
        if check.mapping is None:
            continue
        for one in check.mapping.translate(JsonRecord(dict(card))).findings:
            if one.kind.severity is Severity.ERROR:
                made = _held(check.destination, one)
                found.setdefault((made.kind.code, made.pointer, check.destination, str(made.facts["field"])), made)
    return list(found.values())


def _held(destination: str, one: Finding) -> Finding:
    kind = {kinds.TOO_LONG: kinds.HELD_TOO_LONG, kinds.MISSING: kinds.HELD_MISSING}.get(one.kind, kinds.HELD_NOT)
    field = str(one.facts.get("target", "")).rpartition("/")[2]
    return finding(kind, one.pointer, one.expected, one.value_class, destination=destination, field=field)


class _Residue:
    """The rules of a mapping that a card of its source could still get wrong."""

    def __init__(self, shapes: Shapes) -> None:
        self.shapes = shapes

    def fields(self, fields: Fields, target: TargetField) -> Fields:
        below = target.below()
        kept: dict[str, tuple[Rule, ...]] = {}
        for name, rules in fields.items():
            here = below.get(name)
            left = self.rules(rules, here) if here is not None else ()
            if left:
                kept[name] = left
        return kept

    def rules(self, rules: tuple[Rule, ...], target: TargetField) -> tuple[Rule, ...]:
        if len(rules) > 1:
            sure = all(isinstance(rule, Value) and self.fits(rule, target) for rule in rules)
            last = rules[-1]
            filled = isinstance(last, Value) and last.when is None and self.fills(last)
            return () if sure and (filled or not (target.required or any(r.required for r in rules))) else rules
        match rules[0]:
            case Value() as rule:
                demanded = (rule.required or target.required) and not (rule.when is None and self.fills(rule))
                return (rule,) if demanded or not self.fits(rule, target) else ()
            case Object() as rule:
                inner = self.fields(rule.fields, target)
                return (replace(rule, fields=inner, required=False),) if inner else ()
            case Items() as rule:
                return self.items(rule, target)

    def items(self, rule: Items, target: TargetField) -> tuple[Rule, ...]:
        item = target.item or TargetField(open=True)
        inner = tuple(self.fields(entry, item) for entry in rule.entries)
        kept = tuple(entry for entry in inner if entry)
        return (replace(rule, entries=kept, required=False),) if kept else ()

    def fills(self, rule: Value) -> bool:
        """Whether a rule surely gives something."""
        if is_plain_constant(rule) or rule.default is not None or self.is_ours(rule):
            return True
        sure = all(applied.name in _KEEPING for applied in rule.apply)
        return sure and rule.expression is None and self.shapes.is_given(rule)

    def fits(self, rule: Value, target: TargetField) -> bool:
        """Whether whatever a rule gives surely has the type, length, form and range that the target wants."""
        if self.is_ours(rule) or is_plain_constant(rule):
            return True
        shape = self.shapes.of(rule)
        return (
            target.type != LIST
            and (target.type in (ANY, shape.type) or (shape.type, target.type) == (WHOLE, NUMBER))
            and (target.longest is None or (shape.longest is not None and shape.longest <= target.longest))
            and (target.allowed is None or (shape.values is not None and shape.values <= target.allowed))
            and target.pattern in ("", shape.form)
            and _in_range(rule, self.shapes.given(rule), target)
        )

    def is_ours(self, rule: Value) -> bool:
        """Whether a rule reads only what the hub itself says of a delivery, and positions."""
        names = self.shapes.names(rule)
        return names[:1] == (_FACTS,) or bool(
            rule.sources and all(p.special or p.names[:1] == (_FACTS,) for p in rule.sources)
        )


def _in_range(rule: Value, given: TargetField | None, target: TargetField) -> bool:
    if target.least is None and target.most is None:
        return True
    if given is None or given.least is None or given.most is None or rule.tables or rule.gather is not None:
        return False
    least, applied = given.least, {one.name: one.argument for one in rule.apply}
    if given.type == WHOLE and least == 0 and applied.pop("empty", None) == 0:
        least = 1
    if not _OF_NUMBERS.issuperset(applied):
        return False
    return (target.least is None or least >= target.least) and (target.most is None or given.most <= target.most)
