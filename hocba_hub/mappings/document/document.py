"""What a mapping document is: how one outside format becomes another. `parse.py` reads one from YAML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from hocba_hub.mappings.document.conditions import Condition
from hocba_hub.mappings.document.field_rules import Fields, Object, Rule, Value
from hocba_hub.mappings.document.paths import Path
from hocba_hub.mappings.schemas.targets import TargetField
from hocba_hub.mappings.tables.code_table import Table
from hocba_hub.mappings.values.value import JsonValue
from hocba_hub.mappings.yaml_reading import nearest_line
from hocba_hub.model.errors import HubError
from hocba_hub.model.findings import Finding

JSON, XML, ROWS = "json", "xml", "rows"
FORMATS = (JSON, XML, ROWS)


@dataclass(frozen=True, slots=True)
class SheetSpec:
    """One kind of sheet of a workbook."""

    sheet: str
    """Its name; `*` stands for any text, so that a pattern means several sheets."""
    header: tuple[int, int] = (1, 1)
    """First and last header row, from 1."""
    key: tuple[str, ...] = ()
    """Columns whose values say which card a row belongs to; none if every row is a card, or belongs to every card."""
    part: str = ""
    """Under which name the card has the rows of this sheet; empty for the sheet whose rows are the cards."""
    of: tuple[str, ...] = ()
    """Columns of the card's row that name one row of this sheet by its key: the pupil's, the class's. The card has that
    row as an object then, not as a list; several cards may name the same."""


@dataclass(frozen=True, slots=True)
class Source:
    """What the mapping reads."""

    format: str = JSON
    schema: str = ""
    """Name of the source's own schema, if it has been checked against one: then its values are taken as they are."""
    records: Path | None = None
    """Where the records are in a document; None if the document is the record (or a list of records)."""
    namespaces: Mapping[str, str] = field(default_factory=dict)
    """Prefix → namespace, for XML."""
    sheets: tuple[SheetSpec, ...] = ()
    """For rows; the first one holds the cards."""
    unread: tuple[Path, ...] = ()
    """Parts of a record that are left unread on purpose, such as a signature."""


@dataclass(frozen=True, slots=True)
class Applies:
    """Where this version is the right one; nothing given means everywhere."""

    school_years: frozenset[str] = frozenset()
    clients: frozenset[str] = frozenset()
    first_day: date | None = None
    last_day: date | None = None


@dataclass(frozen=True, slots=True)
class Example:
    """A test that the document carries."""

    name: str
    place: str
    input: JsonValue
    output: JsonValue = None
    """The whole expected output: of the one record, or a list for several."""
    contains: JsonValue = None
    """A part of the expected output of the one record."""
    findings: tuple[Mapping[str, str], ...] = ()
    """Every expected finding: `code`, and if said its `at` (place) and `target`."""


@dataclass(frozen=True)
class Document:
    """A mapping document."""

    name: str
    version: tuple[int, int, int]
    title: Mapping[str, str]
    note: str
    applies: Applies
    source: Source
    target: str
    """Name of the target schema."""
    tables: Mapping[str, Table]
    """The document's own tables."""
    fields: Fields
    examples: tuple[Example, ...]
    lines: Mapping[str, int] = field(repr=False, compare=False)
    given: Mapping[str, JsonValue] = field(repr=False, compare=False)
    """The document as it was written."""
    text: str = field(default="", repr=False, compare=False)
    """Its YAML."""

    @property
    def number(self) -> str:
        """The version as people write it: `1.2.3`."""
        return ".".join(map(str, self.version))

    @property
    def label(self) -> str:
        """`name 1.2.3`, for people."""
        return f"{self.name} {self.number}"

    def kinds(self, target: TargetField) -> list[tuple[Fields, TargetField]]:
        """The kinds of target object that this mapping makes, each with the rules that can count for it.

        A mapping says its kind by a constant; one that makes several kinds says when it makes which.
        """
        rules = self.fields.get(target.variant_by, ())
        said = [rule for rule in rules if isinstance(rule, Value) and rule.constant is not None]
        return [
            (_countable(self.fields, rule.when) if rule.when else self.fields, target.variant(rule.constant))
            for rule in said
        ] or [(self.fields, target)]

    def line(self, pointer: str) -> int:
        """Line of a place of the document."""
        return nearest_line(self.lines, pointer)


def _countable(fields: Fields, when: Condition) -> Fields:
    """The rules that can count where a condition on the record holds."""
    return {
        name: left
        for name, rules in fields.items()
        if (left := tuple(_within(rule, when) for rule in rules if rule.when is None or not when.excludes(rule.when)))
    }


def _within(rule: Rule, when: Condition) -> Rule:
    return replace(rule, fields=_countable(rule.fields, when)) if isinstance(rule, Object) and not rule.at else rule


class DocumentError(HubError):
    """A mapping document cannot be used; its findings say why."""

    def __init__(self, findings: list[Finding]) -> None:
        self.findings = findings
        super().__init__("; ".join(f"{f.pointer or '/'}: {f.as_json()['message_en']}" for f in findings[:20]))
