"""A mapping tried all the way: what would become of each record of a file, or of its own examples, if it were sent.

The same steps as for what is sent: split, translated, read as a card, checked by the rules and by what destinations
hold. Nothing is stored; what only the store knows (earlier versions, the rest of the class) is not judged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from hocba_hub.intake import finding_kinds as kinds
from hocba_hub.intake.check import RecordChecker
from hocba_hub.intake.errors import SubmissionError
from hocba_hub.intake.split.rows import Columns, split_rows
from hocba_hub.intake.split.splitter import split, splitter_for
from hocba_hub.intake.translate import Translated, record_of, translate_by
from hocba_hub.mappings.check.example_runs import example_records
from hocba_hub.mappings.check.source_fields import (
    Names,
    fields_of,
    head_names,
    is_read,
    of_sheets,
    shown,
    source_fields,
)
from hocba_hub.mappings.document.document import ROWS, XML, Document, Example
from hocba_hub.mappings.library.mapping_set import MappingSet
from hocba_hub.mappings.records.record import Record
from hocba_hub.mappings.records.row_bytes import row_record
from hocba_hub.mappings.records.sheet_head import SheetHead, sheet_head
from hocba_hub.mappings.schemas import REPORT_CARD
from hocba_hub.mappings.yaml_reading import finding
from hocba_hub.model.findings import Finding, Severity
from hocba_hub.model.problems import finding_from_problem

_CHUNK = 1 << 18
_MOST_SAID = 10
_LINES = frozenset({".ndjson", ".jsonl"})


@dataclass(frozen=True, slots=True)
class Judged:
    """What would become of one record."""

    position: int
    """From 0, as a receipt has it; -1 for what is found of the file itself."""
    findings: tuple[Finding, ...]
    """Everything against it, at the sender's own places."""
    translated: Translated | None = None
    record: Record | None = None

    @property
    def accepted(self) -> bool:
        """Whether it would be accepted."""
        return all(one.kind.severity is not Severity.ERROR for one in self.findings)


@dataclass(slots=True)
class Cause:
    """One thing that was found, over all records."""

    finding: Finding
    """The first of its kind."""
    position: int
    """Of the record that had it first."""
    records: int = 0


@dataclass(slots=True)
class Summary:
    """What was found in all records."""

    document: Document
    records: int = 0
    accepted: int = 0
    unreadable: int = 0
    """Findings of the file itself."""
    causes: dict[tuple[str, str], Cause] = field(default_factory=dict)
    """By code and target field, or place where no field is meant."""
    unmapped: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Code table and value that it does not know → how often."""
    _seen: dict[Names, None] = field(default_factory=dict)
    _heads: list[SheetHead] = field(default_factory=list)

    def add(self, judged: Judged) -> None:
        """Count a record, or what was found of the file."""
        is_record = judged.position >= 0
        self.records += is_record
        self.accepted += is_record and judged.accepted
        self.unreadable += not is_record
        if judged.record is not None:
            self._seen.update(dict.fromkeys(fields_of(judged.record, self.document.source)))
            head = sheet_head(judged.record)
            self._heads += [head] if head is not None and head not in self._heads[-1:] else []
        if judged.translated is not None:
            self.unmapped.update((code.table, code.value) for code in judged.translated.unmapped)
        seen = set()
        for one in judged.findings:
            key = one.kind.code, str(one.facts.get("target") or one.pointer)
            cause = self.causes.setdefault(key, Cause(one, judged.position))
            cause.records += key not in seen
            seen.add(key)

    def unread(self) -> list[str]:
        """Paths of source fields that no rule reads: each is lost, unless the hub does not need it."""
        source = self.document.source
        read = of_sheets(source_fields(self.document.fields, source), self._heads, source)
        return [shown(names) for names in self._seen if not is_read(names, read)]

    def by_weight(self) -> list[Cause]:
        """First what stops most records, then what stops none."""
        return sorted(
            self.causes.values(), key=lambda cause: (cause.finding.kind.severity is not Severity.ERROR, -cause.records)
        )


@dataclass(frozen=True, slots=True)
class Trial:
    """Tries one mapping to the report card.

    Raises:
        DocumentError: (each method) the mapping cannot be compiled.
    """

    document: Document
    mappings: MappingSet
    checker: RecordChecker
    record_bytes: int = 1_000_000

    def of_file(self, path: Path) -> Iterator[Judged]:
        """The records of a JSON, NDJSON, XML, XLSX or CSV file, in their order."""
        return self._judged(file_records(path, self.document, self.record_bytes))

    def of_example(self, example: Example) -> Iterator[Judged]:
        """The records of an example."""
        return self._judged(example_records(example, self.document.source))

    def expects_cards(self, example: Example) -> bool:
        """Whether an example says that its records are right ones."""
        return self.document.target == REPORT_CARD and not example.findings

    def against_examples(self, *, briefly: bool = False) -> list[Finding]:
        """What stands against accepting the cards of the examples that should be right; `briefly` only if all are."""
        examples = [example for example in self.document.examples if self.expects_cards(example)]
        judged = [(example, one) for example in examples for one in self.of_example(example)]
        wrong = [(example, one) for example, one in judged if not one.accepted]
        none = bool(examples) and len(wrong) == len(judged)
        found = [finding(kinds.NONE_ACCEPTED, "/examples")] if none else []
        return found + ([] if briefly else [self._refused(*one) for one in wrong])

    def _refused(self, example: Example, judged: Judged) -> Finding:
        errors = [one for one in judged.findings if one.kind.severity is Severity.ERROR]
        said = "; ".join(f"{one.kind.code} {one.pointer}".rstrip() for one in errors[:_MOST_SAID])
        more = f"; + {len(errors) - _MOST_SAID}" if len(errors) > _MOST_SAID else ""
        facts: dict[str, str | int] = {"line": self.document.line(example.place), "given": example.name}
        return Finding(kinds.EXAMPLE_REFUSED, example.place, said + more, facts=facts)

    def judge(self, position: int, record: Record) -> Judged:
        """One record."""
        translated = translate_by(record, self.mappings, self.document)
        reading = translated.reading()
        found = reading.findings
        if reading.card is not None:
            found = translated.at_source(self.checker.findings(reading.card, reading.canonical, self.mappings))
        return Judged(position, tuple(found), translated, record)

    def _judged(self, records: Iterable[Record | Finding]) -> Iterator[Judged]:
        position = 0
        for record in records:
            if isinstance(record, Finding):
                yield Judged(-1, (record,))
            else:
                yield self.judge(position, record)
                position += 1


def file_records(path: Path, document: Document, record_bytes: int) -> Iterator[Record | Finding]:
    """The records of a file as they would be read if it were sent, and what is found of the file.

    Raises:
        OSError: the file cannot be read.
    """
    source, ending = document.source, path.suffix.lower()
    with path.open("rb") as file:
        if source.format == ROWS:
            letters = {}
            for found in split_rows(file, ending, source, record_bytes):
                if isinstance(found, Columns):
                    letters = dict(found.letters)
                else:
                    yield found if isinstance(found, Finding) else row_record(found, letters)
            return
        splitter = splitter_for(
            source,
            record_bytes,
            is_xml=source.format == XML,
            has_lines=ending in _LINES,
            names=head_names(document.fields, source),
        )
        try:
            for raw in split(iter(lambda: file.read(_CHUNK), b""), splitter, record_bytes):
                yield record_of(raw, source)
        except SubmissionError as error:
            yield finding_from_problem(error.kind)
