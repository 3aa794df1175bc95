"""What a draft mapping would do to records that came before: which fields change, which cards start or stop passing.

Only names, codes and counts, never a value: the records are real ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from hocba_hub.mappings.document.diff import ChangeKind
from hocba_hub.mappings.values.value import JsonValue
from hocba_hub.model.codes import UnmappedCode
from hocba_hub.model.findings import Finding, Severity


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one record becomes."""

    output: Mapping[str, JsonValue]
    findings: Sequence[Finding]
    """The translation's, the model's and the rules'."""
    unmapped: Sequence[UnmappedCode] = ()


@dataclass(slots=True)
class Preview:
    """The effect of a draft on a set of records."""

    records: int = 0
    changed: int = 0
    """Records whose output is not the same."""
    fields: Counter[tuple[str, ChangeKind]] = field(default_factory=Counter)
    """Target field (lists as `[]`) and what happens to it → in how many places."""
    start_failing: list[int] = field(default_factory=list)
    """Numbers of the records, from 0, that pass now and would not."""
    start_passing: list[int] = field(default_factory=list)
    findings_more: Counter[str] = field(default_factory=Counter)
    """Finding code → how many more there would be."""
    findings_fewer: Counter[str] = field(default_factory=Counter)
    unmapped: Counter[str] = field(default_factory=Counter)
    """Code table → values that it does not know, under the draft."""


def preview(outcomes: Iterable[tuple[Outcome | None, Outcome]]) -> Preview:
    """The effect of a draft: of each record what it becomes now (None: nothing translates it), and what it would."""
    effect = Preview()
    for number, (before, after) in enumerate(outcomes):
        effect.records += 1
        changes = Counter(_changes(before.output if before else {}, after.output, ""))
        effect.fields.update(changes)
        effect.changed += bool(changes)
        effect.unmapped.update(entry.table for entry in after.unmapped)
        new, old = (Counter(one.kind.code for one in (some.findings if some else ())) for some in (after, before))
        effect.findings_more.update(new - old)
        effect.findings_fewer.update(old - new)
        passes, passed = _passes(after.findings), before is not None and _passes(before.findings)
        if passed and not passes:
            effect.start_failing.append(number)
        elif passes and not passed:
            effect.start_passing.append(number)
    return effect


def _passes(findings: Sequence[Finding]) -> bool:
    return all(finding.kind.severity is not Severity.ERROR for finding in findings)


def _changes(before: JsonValue, after: JsonValue, path: str) -> Iterator[tuple[str, ChangeKind]]:
    if isinstance(before, dict | None) and isinstance(after, dict | None) and (before or after):
        old, new = before or {}, after or {}
        for key in dict.fromkeys((*old, *new)):
            yield from _changes(old.get(key), new.get(key), f"{path}/{key}" if path else key)
    elif isinstance(before, list | None) and isinstance(after, list | None) and (before or after):
        for n in range(max(len(before or ()), len(after or ()))):
            pair = [side[n] if side and n < len(side) else None for side in (before, after)]
            yield from _changes(pair[0], pair[1], path + "[]")
    elif before != after or type(before) is not type(after):
        kind = ChangeKind.ADDED if before is None else ChangeKind.REMOVED if after is None else ChangeKind.CHANGED
        yield path, kind
