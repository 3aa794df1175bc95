"""From a vendor's record to the canonical card: by the mapping in force, every finding at the vendor's own place.

Pure but for what the mappings remember of compiling.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

import orjson

from hocba_hub.mappings import finding_kinds as kinds
from hocba_hub.mappings.compile.compiled_mapping import Translation, targets_of
from hocba_hub.mappings.document.document import JSON, ROWS, XML, Document, Source
from hocba_hub.mappings.library.library import MappingNotFoundError
from hocba_hub.mappings.library.mapping_set import MappingSet
from hocba_hub.mappings.records.record import JsonRecord, Record, json_records, xml_records
from hocba_hub.mappings.records.row_bytes import row_record
from hocba_hub.mappings.yaml_reading import finding
from hocba_hub.model import finding_kinds as catalogue
from hocba_hub.model.codes import UnmappedCode
from hocba_hub.model.findings import Finding, Severity
from hocba_hub.model.reading import Reading, read_card
from hocba_hub.model.safe_xml import UnsafeXmlError, XmlLimits, parse_xml
from hocba_hub.store.bodies import pack
from hocba_hub.store.unmapped_codes import VendorRecord

_LIMITS = XmlLimits(may_point_outside=False)
_NUMBER = re.compile(r"/[0-9]+(?=/|\Z)")
_FILLABLE = frozenset({kinds.CODE_UNKNOWN.code, kinds.CODE_OUT_OF_VALIDITY.code})
"""Findings that end when somebody says what a code means."""


@dataclass(frozen=True, slots=True)
class Translated:
    """What a vendor's record became."""

    canonical: bytes
    """JSON; of a record that could not be translated whole, as much as could; empty if nothing could be read."""
    findings: tuple[Finding, ...]
    """What the translation says, at the places of the vendor's record."""
    unmapped: tuple[UnmappedCode, ...] = ()
    _record: Record | None = None
    _document: Document | None = None
    _mappings: MappingSet | None = None

    @property
    def mapping(self) -> str:
        """The mapping in its version, as `name 1.2.3`; empty if there was none for the record."""
        return "" if self._document is None else self._document.label

    def at_source(self, said: Sequence[Finding]) -> list[Finding]:
        """Everything against the record: the translation's findings, and those that were `said` of the canonical card.

        These come with their places in the vendor's record, without those that only follow from what the translation
        said: that a field is missing because it could not be translated.
        """
        return [*self.findings, *self.moved(said)]

    def moved(self, said: Sequence[Finding]) -> Sequence[Finding]:
        """What was said of the canonical card, with its places in the vendor's record; see `at_source`."""
        if not said or self._record is None or self._document is None or self._mappings is None:
            return said
        places = self._mappings.tracer(self._document).places(self._record, _pointers(said))
        against = [(one.pointer, target) for one in self.findings if _is_error(one) for target in targets_of(one)]

        def moved(one: Finding) -> Finding:
            folded = tuple(moved(under) for under in one.folded)
            facts = {**one.facts, "target": _target(one)}
            return replace(one, pointer=_nearest(places, one.pointer), facts=facts, folded=folded)

        return [
            moved(one)
            for one in said
            if not any(_follows(_nearest(places, one.pointer), _target(one), *error) for error in against)
        ]

    def reading(self) -> Reading:
        """The canonical card with everything against the record, as if it had been read from the record itself."""
        if not self.canonical:
            return Reading(None, b"", list(self.findings), None, None, None)
        reading = read_card(self.canonical)
        found = self.at_source(reading.findings)
        wrong = any(_is_error(one) for one in found)
        return replace(reading, card=None if wrong else reading.card, findings=found)

    def sent(self, raw: bytes, findings: Sequence[Finding]) -> VendorRecord | None:
        """What is kept of a record that is rejected for these findings."""
        if self._document is None or self._mappings is None:
            return None
        only_codes = all(one.kind.code in _FILLABLE for one in findings if _is_error(one))
        waits = only_codes and bool(self.unmapped)
        return VendorRecord(self._document.name, pack(raw), self._mappings.revision, waits)


def translate(
    raw: bytes | Record, mappings: MappingSet, mapping: str, *, client: str | None = None, on: date | None = None
) -> Translated:
    """Translate one record of a client that comes in on a day; never raises for what the record holds.

    The record comes as its bytes, or as the reader of a file made it. The version is the one for the card's school
    year, which only the record itself tells.

    Raises:
        MappingNotFoundError: no version of the mapping counts for this client on this day.
    """
    document = mappings.select(mapping, client=client, on=on)
    record, made = _made(raw, mappings, document)
    school_year = made.output.get("school_year")
    if isinstance(school_year, str):
        try:
            for_year = mappings.select(mapping, client=client, school_year=school_year, on=on)
        except MappingNotFoundError:
            return Translated(b"", (finding(kinds.NO_VERSION, "", mapping),))
        if for_year is not document:
            return translate_by(raw, mappings, for_year)
    return _translated(record, made, mappings, document)


def translate_by(raw: bytes | Record, mappings: MappingSet, document: Document) -> Translated:
    """Translate one record by this very version; never raises for what the record holds."""
    return _translated(*_made(raw, mappings, document), mappings, document)


def _translated(record: Record | None, made: Translation, mappings: MappingSet, document: Document) -> Translated:
    if record is None:
        return Translated(b"", made.findings, _document=document, _mappings=mappings)
    return Translated(orjson.dumps(made.output), made.findings, made.unmapped, record, document, mappings)


def _made(raw: bytes | Record, mappings: MappingSet, document: Document) -> tuple[Record | None, Translation]:
    record = record_of(raw, document.source) if isinstance(raw, bytes) else raw
    if isinstance(record, Finding):
        return None, Translation({}, (record,))
    return record, mappings.compiled(document).translate(record)


def record_of(raw: bytes, source: Source) -> Record | Finding:
    """One record as mappings read it, or why it cannot be read."""
    try:
        if source.format == JSON:
            document = orjson.loads(raw)
            found = next(json_records(document, source)) if isinstance(document, dict) else None
            # A record that stood alone, or with nothing around it, is kept without the way to it.
            return JsonRecord(document) if found is None or isinstance(found, Finding) else found
        if source.format == XML:
            return next(xml_records(parse_xml(raw, _LIMITS), source))
        if source.format == ROWS:
            return row_record(raw, {})  # its columns' letters are known only where its file is
    except orjson.JSONDecodeError as error:
        return Finding(catalogue.MALFORMED, "", facts={"line": error.lineno, "column": error.colno})
    except UnsafeXmlError as error:
        return Finding(catalogue.XML_UNSAFE, "", facts={"vi": error.message_vi, "en": error.message_en})
    return finding(kinds.NOT_A_RECORD, "", f"format: {source.format}")


def _pointers(said: Sequence[Finding]) -> Iterator[str]:
    for one in said:
        yield one.pointer
        yield from _pointers(one.folded)


def _is_error(one: Finding) -> bool:
    return one.kind.severity is Severity.ERROR


def _target(one: Finding) -> str:
    """The field of the canonical card that a finding is about."""
    return _NUMBER.sub("[]", one.pointer).removeprefix("/")


def _nearest(places: dict[str, str], pointer: str) -> str:
    while pointer and pointer not in places:
        pointer = pointer.rpartition("/")[0]
    return places.get(pointer, "")


def _follows(place: str, target: str, wrong_place: str, wrong_target: str) -> bool:
    """Whether a finding about a target field follows from a translation's error."""
    same = place == wrong_place and target == wrong_target
    return same or wrong_target.startswith((f"{target}/", f"{target}[]"))
