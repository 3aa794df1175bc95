"""Code tables as files: a YAML head with names, sources and code systems, its rows inside or in a CSV beside it.

    table: ethnic-groups
    version: 1.0.0
    title: {vi: Dân tộc, en: Ethnic groups}
    source: QĐ 121-TCTK/PPCĐ and the census list of the GSO
    columns:
      name: {about: the group's name, match: loose}
      qd121: code of QĐ 121-TCTK/PPCĐ
    default: {from: name, to: qd121}
    file: ethnic_groups.csv           # or rows: [{name: Kinh, qd121: "01"}, …]

`valid_from` and `valid_to` are columns of every table. A cell may hold several values parted by `|`: the first is
written, all are read. `extends` names a table whose rows this one adds to.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date
from importlib.resources import files
from importlib.resources.abc import Traversable

from hocba_hub.mappings import finding_kinds as kinds
from hocba_hub.mappings.tables.code_table import Column, Row, Table
from hocba_hub.mappings.values.value import JsonValue, as_text, clean_text
from hocba_hub.mappings.yaml_reading import Reading, pointer_to, read_yaml
from hocba_hub.model.findings import Finding

KEYS = ("table", "version", "title", "source", "columns", "default", "file", "rows", "extends")
_VALIDITY = ("valid_from", "valid_to")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,60}")
_CSV_NAME = re.compile(r"[a-z0-9_-]{1,60}\.csv")
SEPARATOR = "|"


def inline_table(name: str, pairs: Mapping[str, JsonValue], *, loose: bool = False) -> Table:
    """A table of a mapping's own: from its keys to its values; `loose` as for the columns of a table."""
    columns = {"key": Column("key", "the source's own code", loose), "value": Column("value", "what it means")}
    rows = [
        Row({"key": (clean_text(key),), "value": (as_text(value),)})
        for key, value in pairs.items()
        if value is not None
    ]
    return Table(name, "", {}, "", columns, rows, "key", "value")


def read_table(text: str, read_file: Callable[[str], str]) -> tuple[Table | None, str | None, list[Finding]]:
    """One table, the name of the one it extends, and what is wrong with it; never raises for what the text says.

    `read_file` returns the text of a file beside it, or raises OSError.
    """
    reading = read_yaml(text)
    head = reading.value
    if reading.value is None and reading.findings:
        return None, None, reading.findings
    if not isinstance(head, dict):
        reading.report_form("", head, "a code table")
        return None, None, reading.findings
    for key in head:
        if key not in KEYS:
            reading.report(kinds.KEY_UNKNOWN, pointer_to(key), ", ".join(KEYS), given=key)
    for key in ("table", "version", "title", "source"):
        if not head.get(key):
            reading.report(kinds.KEY_ABSENT, "", key)
    name = head.get("table")
    if name and not (isinstance(name, str) and _NAME.fullmatch(name)):
        reading.report_form("/table", name, "a name of a-z, 0-9 and -")
    title = head.get("title")
    if title and not (isinstance(title, dict) and all(isinstance(t, str) for t in title.values())):
        reading.report_form("/title", title, "{vi: …, en: …}")
    columns = _columns(reading, head.get("columns"))
    rows = _rows(reading, head, columns, read_file)
    default = head.get("default") or {}
    if not isinstance(default, dict) or any(default.get(end) not in columns for end in default):
        reading.report_form("/default", default, "{from: …, to: …}")
        default = {}
    if reading.findings:
        return None, None, reading.findings
    table = Table(
        str(name),
        as_text(head["version"]),
        title or {},
        str(head["source"]),
        columns,
        rows,
        default.get("from"),
        default.get("to"),
    )
    return table, head.get("extends"), []


def _columns(reading: Reading, given: JsonValue) -> dict[str, Column]:
    columns: dict[str, Column] = {}
    if not isinstance(given, dict) or not given:
        reading.report_form("/columns", given, "the code systems, as {name: description}")
        return columns
    for name, about in given.items():
        if isinstance(about, str):
            columns[name] = Column(name, about)
        elif (
            isinstance(about, dict)
            and set(about) <= {"about", "match"}
            and about.get("match", "exact") in ("exact", "loose")
        ):
            columns[name] = Column(name, str(about.get("about", "")), about.get("match") == "loose")
        else:
            reading.report_form("/columns" + pointer_to(name), about, "a description, or {about: …, match: loose}")
    return columns


def _rows(
    reading: Reading, head: dict[str, JsonValue], columns: Mapping[str, Column], read_file: Callable[[str], str]
) -> list[Row]:
    if "file" in head:
        try:
            text = read_file(head["file"]) if _CSV_NAME.fullmatch(str(head["file"])) else None
        except (OSError, UnicodeError):
            text = None
        if text is None:
            reading.report_form("/file", head["file"], "a CSV file beside the table")
            return []
        lines = csv.DictReader(io.StringIO(text))
        pairs: Iterable[tuple[str, JsonValue]] = ((f"/file/{number}", line) for number, line in enumerate(lines, 2))
    else:
        given = head.get("rows", [] if head.get("extends") else None)
        if not isinstance(given, list):
            reading.report_form("/rows", given, "a list of rows, or file: name.csv")
            return []
        pairs = ((f"/rows/{number}", line) for number, line in enumerate(given))
    return [row for place, line in pairs if (row := _row(reading, place, line, columns)) is not None]


def _row(reading: Reading, place: str, line: JsonValue, columns: Mapping[str, Column]) -> Row | None:
    if not isinstance(line, dict):
        reading.report_form(place, line, "a row, as {column: value}")
        return None
    values: dict[str, tuple[str, ...]] = {}
    period: dict[str, date | None] = dict.fromkeys(_VALIDITY)
    for name, cell in line.items():
        texts = tuple(
            filter(None, (clean_text(part) for part in as_text("" if cell is None else cell).split(SEPARATOR)))
        )
        if name in _VALIDITY:
            try:
                period[name] = date.fromisoformat(texts[0]) if texts else None
            except ValueError:
                reading.report_form(f"{place}/{name}", cell, "a date such as 2025-09-01")
        elif name in columns:
            values[name] = texts
        else:
            reading.report(kinds.KEY_UNKNOWN, place, ", ".join((*columns, *_VALIDITY)), given=str(name))
    return Row(values, period["valid_from"], period["valid_to"])


def load_tables(folder: Traversable) -> tuple[dict[str, Table], dict[str, list[Finding]]]:
    """Every table of a folder by name, and the findings of each file that has any."""
    tables: dict[str, Table] = {}
    parents: dict[str, str] = {}
    wrong: dict[str, list[Finding]] = {}
    for path in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if not path.name.endswith(".yaml"):
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            text = chr(0) + str(error.start)
        table, parent, findings = read_table(text, lambda name: folder.joinpath(name).read_text(encoding="utf-8-sig"))
        if table is not None and table.name in tables:
            findings = [Finding(kinds.KEY_TWICE, "/table", table.name, facts={"line": 1})]
        elif table is not None:
            tables[table.name] = table
            if parent:
                parents[table.name] = parent
        if findings:
            wrong[path.name] = findings
    return extended(tables, parents, wrong), wrong


def extended(tables: dict[str, Table], parents: Mapping[str, str], wrong: dict[str, list[Finding]]) -> dict[str, Table]:
    """The tables, each joined to the one it extends; a circle or an unknown one becomes a finding."""

    def joined(name: str, on_the_way: tuple[str, ...]) -> Table | None:
        parent = parents.get(name)
        if parent is None:
            return tables[name]
        if parent in on_the_way:
            circle = " → ".join((*on_the_way[on_the_way.index(parent) :], parent))
            wrong.setdefault(name, []).append(Finding(kinds.TABLE_CYCLIC, "/extends", circle, facts={"table": name}))
            return None
        if parent not in tables:
            known = ", ".join(sorted(tables))
            finding = Finding(kinds.TABLE_UNKNOWN, "/extends", known, facts={"line": 1, "given": parent})
            wrong.setdefault(name, []).append(finding)
            return None
        above = joined(parent, (*on_the_way, parent))
        return above and replace(tables[name], parent=above)

    found = {name: joined(name, (name,)) for name in tables}
    return {name: table for name, table in found.items() if table is not None}


def shipped_tables() -> dict[str, Table]:
    """The tables that come with the hub.

    Raises:
        ValueError: one of them is not right, which the tests rule out.
    """
    tables, wrong = load_tables(files(__package__ or "hocba_hub.mappings.tables"))
    if wrong:
        raise ValueError(", ".join(wrong))
    return tables
