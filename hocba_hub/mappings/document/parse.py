"""Read a mapping document from YAML, with every mistake and its line.

mapping: vendor-flat-json
version: 1.0.0
title: {vi: …, en: …}
source: {format: json, records: danhSach}
target: report-card
tables: {mon-hoc: {TOAN: Toán}}
fields: {…}                       # see fields.py
examples: [{name: …, input: …, output: …}]
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date

from hocba_hub.mappings import finding_kinds as kinds
from hocba_hub.mappings.document.document import (
    FORMATS,
    JSON,
    ROWS,
    XML,
    Applies,
    Document,
    DocumentError,
    Example,
    SheetSpec,
    Source,
)
from hocba_hub.mappings.document.field_rules import FieldReader
from hocba_hub.mappings.document.paths import Path, PathError, parse_path
from hocba_hub.mappings.tables.code_table import Table
from hocba_hub.mappings.tables.table_files import inline_table
from hocba_hub.mappings.values.value import JsonValue, as_text
from hocba_hub.mappings.yaml_reading import Reading, pointer_to, read_yaml
from hocba_hub.model.findings import Finding

KEYS = ("mapping", "version", "title", "note", "applies", "source", "target", "tables", "fields", "examples")
_SOURCE_KEYS = ("format", "schema", "records", "namespaces", "sheets", "unread")
_SHEET_KEYS = ("sheet", "header", "key", "as", "of")
_TARGET_KEYS = ("schema",)
_APPLIES_KEYS = ("school-years", "from", "to", "clients")
_EXAMPLE_KEYS = ("name", "input", "output", "contains", "findings")
_NAME = re.compile(r"[a-z][a-z0-9-]{0,60}")
_VERSION = re.compile(r"(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})")


def load_document(text: str) -> Document:
    """The document of a text.

    Raises:
        DocumentError: it is not one; with every finding.
    """
    document, findings = read_document(text)
    if document is None:
        raise DocumentError(findings)
    return document


def read_document(text: str) -> tuple[Document | None, list[Finding]]:
    """The document of a text, or None with every finding that stands against it; never raises."""
    reading = read_yaml(text)
    given = reading.value
    if reading.findings and given is None:
        return None, reading.findings
    if not isinstance(given, dict):
        reading.report_form("", given, "a mapping document")
        return None, reading.findings
    parts = _Parts(reading)
    parts.keys("", given, KEYS)
    for key in ("mapping", "version", "source", "target", "fields"):
        if key not in given:
            reading.report(kinds.KEY_ABSENT, "", key)
    name, version = given.get("mapping", "x"), str(given.get("version", "1.0.0"))
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        reading.report_form("/mapping", name, "a name of a-z, 0-9 and -")
    if not _VERSION.fullmatch(version):
        reading.report_form("/version", given["version"], "a semantic version such as 1.0.0")
    document = Document(
        str(name),
        (0, 0, 0) if not _VERSION.fullmatch(version) else _version(version),
        parts.texts("/title", given.get("title", {})),
        str(given.get("note") or ""),
        parts.applies(given.get("applies", {})),
        parts.source(given.get("source", {"format": JSON})),
        parts.target(given.get("target", "x")),
        parts.tables(given.get("tables", {})),
        FieldReader(reading).fields("/fields", given["fields"], "") if "fields" in given else {},
        parts.examples(given.get("examples", [])),
        reading.lines,
        given,
        text,
    )
    return (None, reading.findings) if reading.findings else (document, [])


def _version(text: str) -> tuple[int, int, int]:
    major, minor, patch = (int(part) for part in text.split("."))
    return major, minor, patch


class _Parts:
    """The parts of a document besides its fields."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading

    def keys(self, place: str, given: Mapping[str, JsonValue], allowed: tuple[str, ...]) -> None:
        for key in given:
            if key not in allowed:
                self.reading.report(kinds.KEY_UNKNOWN, place + pointer_to(key), ", ".join(allowed), given=key)

    def object(self, place: str, given: JsonValue, allowed: tuple[str, ...]) -> dict[str, JsonValue]:
        if not isinstance(given, dict):
            self.reading.report_form(place, given, "an object with: " + ", ".join(allowed))
            return {}
        self.keys(place, given, allowed)
        return given

    def choice(self, place: str, given: JsonValue, allowed: tuple[str, ...]) -> str:
        if given not in allowed:
            self.reading.report_form(place, given, " · ".join(allowed))
            return allowed[0]
        return str(given)

    def texts(self, place: str, given: JsonValue) -> Mapping[str, str]:
        if isinstance(given, dict) and all(isinstance(text, str) for text in given.values()):
            return given
        self.reading.report_form(place, given, "texts, as {name: text}")
        return {}

    def words(self, place: str, given: JsonValue) -> frozenset[str]:
        values = given if isinstance(given, list) else [given]
        if any(isinstance(value, dict | list) or value is None for value in values):
            self.reading.report_form(place, given, "a text or a list of texts")
            return frozenset()
        return frozenset(as_text(value) for value in values)

    def day(self, place: str, given: JsonValue) -> date | None:
        try:
            return None if given is None else date.fromisoformat(str(given))
        except ValueError:
            self.reading.report_form(place, given, "a date such as 2025-09-01")
            return None

    def applies(self, given: JsonValue) -> Applies:
        given = self.object("/applies", given, _APPLIES_KEYS)
        return Applies(
            self.words("/applies/school-years", given.get("school-years", [])),
            self.words("/applies/clients", given.get("clients", [])),
            self.day("/applies/from", given.get("from")),
            self.day("/applies/to", given.get("to")),
        )

    def source(self, given: JsonValue) -> Source:
        given = self.object("/source", given, _SOURCE_KEYS)
        form = self.choice("/source/format", given.get("format"), FORMATS)
        for key, wanted in (("namespaces", XML), ("sheets", ROWS)):
            if key in given and form != wanted:
                self.reading.report(kinds.KEY_UNKNOWN, f"/source/{key}", f"format: {wanted}", given=key)
        if form == ROWS and not given.get("sheets"):
            self.reading.report(kinds.KEY_ABSENT, "/source", "sheets")
        records: Path | None = None
        if "records" in given and form == ROWS:
            self.reading.report(kinds.KEY_UNKNOWN, "/source/records", "sheets", given="records")
        elif "records" in given:
            records = self.path("/source/records", given["records"])
            if records is not None and (records.keys is None or records.up):
                self.reading.report_form(
                    "/source/records", given["records"], "names that lead down, such as lop/hocSinh"
                )
                records = None
        listed = given.get("unread", [])
        unread = [self.path("/source/unread", one) for one in (listed if isinstance(listed, list) else [listed])]
        namespaces = self.texts("/source/namespaces", given.get("namespaces", {}))
        schema = self.texts("/source", {"schema": given.get("schema", "")}).get("schema", "")
        sheets = self.sheets(given.get("sheets", []))
        return Source(form, schema, records, namespaces, sheets, tuple(path for path in unread if path))

    def path(self, place: str, given: JsonValue) -> Path | None:
        try:
            return parse_path(given)
        except PathError as error:
            self.reading.report(kinds.PATH_WRONG, place, str(error))
            return None

    def sheets(self, given: JsonValue) -> tuple[SheetSpec, ...]:
        if not isinstance(given, list):
            self.reading.report_form("/source/sheets", given, "a list of sheets")
            return ()
        return tuple(self.sheet(f"/source/sheets/{n}", one, n) for n, one in enumerate(given))

    def sheet(self, place: str, given: JsonValue, number: int) -> SheetSpec:
        given = self.object(place, given, _SHEET_KEYS)
        if not given.get("sheet"):
            self.reading.report(kinds.KEY_ABSENT, place, "sheet")
        header = given.get("header", 1)
        first, last = header if isinstance(header, list) and len(header) == 2 else (header, header)  # noqa: PLR2004 - a pair
        if not (type(first) is int and type(last) is int and 1 <= first <= last <= first + 9):
            self.reading.report_form(f"{place}/header", header, "the header row, or [first, last] of at most ten")
            first = last = 1
        part = given.get("as", "")
        if number and not part:
            self.reading.report(kinds.KEY_ABSENT, place, "as")
        key, of = (self.columns(given.get(name, [])) for name in ("key", "of"))
        if of and (not number or len(of) != len(key)):
            self.reading.report_form(f"{place}/of", given["of"], "columns of the first sheet, one for each of key")
        return SheetSpec(as_text(given.get("sheet") or ""), (first, last), key, as_text(part), of)

    def columns(self, given: JsonValue) -> tuple[str, ...]:
        return tuple(as_text(one) for one in (given if isinstance(given, list) else [given]))

    def target(self, given: JsonValue) -> str:
        if isinstance(given, str):
            return given
        given = self.object("/target", given, _TARGET_KEYS)
        if not given.get("schema"):
            self.reading.report(kinds.KEY_ABSENT, "/target", "schema")
        return self.texts("/target", {"schema": given.get("schema", "")}).get("schema", "")

    def tables(self, given: JsonValue) -> Mapping[str, Table]:
        tables: dict[str, Table] = {}
        for name, pairs in self.object("/tables", given, tuple(given) if isinstance(given, dict) else ()).items():
            place = "/tables" + pointer_to(name)
            is_loose = isinstance(pairs, dict) and pairs.get("match") == "loose" and set(pairs) == {"match", "pairs"}
            own = pairs["pairs"] if is_loose else pairs
            if not isinstance(own, dict) or any(isinstance(value, dict | list) for value in own.values()):
                self.reading.report_form(
                    place, own, "pairs, as {code of the source: meaning}, or {match: loose, pairs: {…}}"
                )
            else:
                tables[name] = inline_table(name, own, loose=is_loose)
        return tables

    def examples(self, given: JsonValue) -> tuple[Example, ...]:
        if not isinstance(given, list):
            self.reading.report_form("/examples", given, "a list of examples")
            return ()
        return tuple(self.example(f"/examples/{number}", one, number) for number, one in enumerate(given))

    def example(self, place: str, given: JsonValue, number: int) -> Example:
        given = self.object(place, given, _EXAMPLE_KEYS)
        if given.get("input") is None:
            self.reading.report(kinds.KEY_ABSENT, place, "input")
        if not any(key in given for key in ("output", "contains", "findings")):
            self.reading.report(kinds.KEY_ABSENT, place, "one of: output, contains, findings")
        listed = given.get("findings", [])
        findings: list[Mapping[str, str]] = []
        for at, one in enumerate(listed if isinstance(listed, list) else [listed]):
            finding = {"code": one} if isinstance(one, str) else one
            if isinstance(finding, dict) and "code" in finding and set(finding) <= {"code", "at", "target"}:
                findings.append({key: as_text(value) for key, value in finding.items()})
            else:
                self.reading.report_form(f"{place}/findings/{at}", one, "{code: …, at: …, target: …}")
        name = as_text(given.get("name") or f"example {number + 1}")
        return Example(name, place, given.get("input"), given.get("output"), given.get("contains"), tuple(findings))
