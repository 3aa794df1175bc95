"""What a sample file is: its format, where its records are, how its tables begin. For a first draft of its mapping."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, pairwise
from pathlib import Path

import orjson
from lxml import etree

from hocba_hub.adapters.workbook.delimited import csv_sheet
from hocba_hub.adapters.workbook.file_records import CSV_ENDINGS
from hocba_hub.adapters.workbook.workbook import open_workbook
from hocba_hub.intake.trial import file_records
from hocba_hub.mappings.document.document import JSON, ROWS, XML, Document
from hocba_hub.mappings.document.parse import load_document
from hocba_hub.mappings.records.record import (
    Record,
    XmlError,
    element_names,
    element_node,
    json_records,
    parse_xml,
    xml_records,
)
from hocba_hub.mappings.records.rows import Sheet, SourceError, header_names
from hocba_hub.mappings.start.names import names_of
from hocba_hub.mappings.start.sample import Sample, words_of
from hocba_hub.mappings.values.value import MERGED, JsonValue, as_text, without_accents
from hocba_hub.model.errors import HubError
from hocba_hub.model.findings import Finding

MOST_BYTES = 20_000_000
"""Of a JSON or XML sample."""
_MOST_RECORDS = 500
_MOST_ROWS = 60
_MOST_HEADER = 3
_LEAST_COLUMNS = 3


class SampleError(HubError):
    """A file cannot be taken for a sample; the message says why."""


def sample_of(path: Path, record_bytes: int) -> tuple[dict[str, JsonValue], Sample]:
    """The `source` of a mapping that reads the file, and what its first records hold.

    Raises:
        SampleError: it is not JSON, XML, CSV or a workbook, or no records are found in it.
        OSError: it cannot be read.
    """
    source, node = _source(path)
    given = {
        "mapping": "sample",
        "version": "0.1.0",
        "source": source,
        "target": "report-card",
        "fields": {"kind": "x"},
    }
    document = load_document(json.dumps(given))
    sample, problem = Sample(), ""
    for record in _read(path, document, node, record_bytes):
        if isinstance(record, Finding):
            problem = problem or record.kind.code
            continue
        sample.add(record)
        if sample.records == _MOST_RECORDS:
            break
    if not sample.records:
        raise SampleError(problem or "records")
    sample.settle()
    return source, sample


def _read(path: Path, document: Document, node: JsonValue, record_bytes: int) -> Iterator[Record | Finding]:
    """The records; of a document that was read whole, with all that stands around them, before and behind."""
    if document.source.format == XML:
        return xml_records(node, document.source)
    return file_records(path, document, record_bytes) if node is None else json_records(node, document.source)


def _source(path: Path) -> tuple[dict[str, JsonValue], JsonValue]:
    """The source, and the document where it was read whole."""
    ending = path.suffix.lower()
    if ending == ".xlsx" or ending in CSV_ENDINGS:
        return {"format": ROWS, "sheets": _sheets(path)}, None
    if path.stat().st_size > MOST_BYTES:
        raise SampleError("size")
    raw = path.read_bytes()
    if ending in {".ndjson", ".jsonl"}:
        return {"format": JSON}, None
    if raw.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<":
        try:
            root = parse_xml(raw.decode("utf-8-sig"))
        except (XmlError, UnicodeDecodeError) as error:
            raise SampleError("format") from error
        namespaces = _namespaces(root)
        node, whole = element_node(root, element_names(namespaces)), root
        source: dict[str, JsonValue] = {"format": XML, **({"namespaces": namespaces} if namespaces else {})}
    else:
        try:
            node = whole = orjson.loads(raw)
            source = {"format": JSON}
        except orjson.JSONDecodeError as error:
            raise SampleError("format") from error
    names = _records(node)
    if not names and not _likeness(Counter(set(_leaves(node[0] if isinstance(node, list) and node else node)))):
        raise SampleError("records")
    return {**source, **({"records": "/".join(names)} if names else {})}, whole


def _namespaces(root: etree._Element) -> dict[str, str]:
    """Prefix → namespace, of all elements; the names without prefix have that of `""`."""
    found: dict[str, str] = {}
    for element in root.iter(etree.Element):
        for prefix, uri in element.nsmap.items():
            name, number = prefix or "", 1
            while found.get(name, uri) != uri:
                number += 1
                name = f"{prefix or 'ns'}{number}"
            if uri not in found.values():
                found[name] = uri
    return found


def _records(node: JsonValue) -> list[str]:
    """The way to the list whose items look most like pupils; empty if the document is the record, or a list of them."""
    if isinstance(node, list):
        return []
    counted: Counter[tuple[str, ...]] = Counter()
    keys: dict[tuple[str, ...], Counter[str]] = {}
    for names, item in _items(node, ()):
        counted[names] += 1
        keys.setdefault(names, Counter()).update(set(_leaves(item)))
    best = max(keys, key=lambda names: (_likeness(keys[names]), counted[names], -len(names)), default=())
    return list(best) if best and _likeness(keys[best]) > _likeness(Counter(set(_leaves(node, own=True)))) else []


def _items(node: JsonValue, above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Mapping[str, JsonValue]]]:
    """Every object below, with the names that lead to it through objects and lists."""
    if isinstance(node, list):
        for one in node:
            if isinstance(one, Mapping):
                if above:
                    yield above, one
                yield from _items(one, above)
    elif isinstance(node, Mapping):
        for name, child in node.items():
            if isinstance(child, Mapping):
                yield (*above, name), child
            yield from _items(child, (*above, name))


def _leaves(node: JsonValue, *, own: bool = False) -> Iterator[str]:
    """The names of an object and of the objects in it, lists left out: what is told of one thing."""
    if isinstance(node, Mapping):
        for name, child in node.items():
            if isinstance(child, Mapping):
                if not own:
                    yield from _leaves(child)
            elif not isinstance(child, list):
                yield "".join(words_of(name))


def _likeness(names: Counter[str]) -> int:
    """How many names of a pupil are among these."""
    known = names_of("record")
    pupil = {name for target, spoken in known.items() if target.startswith("pupil/") for name in spoken}
    return sum(name in pupil for name in names)


# Tables.
def _sheets(path: Path) -> list[JsonValue]:
    with path.open("rb") as file:
        if path.suffix.lower() in CSV_ENDINGS:
            return _tables([_looked_at(csv_sheet(file, "*"))])
        try:
            with open_workbook(file) as workbook:
                return _tables([_looked_at(sheet) for sheet in workbook.sheets])
        except SourceError as error:
            raise SampleError(error.finding.kind.code) from error


def _looked_at(sheet: Sheet) -> tuple[str, list[Sequence[JsonValue]]]:
    return sheet.name, [list(row) for row in islice(sheet.rows, _MOST_ROWS)]


def _tables(sheets: Sequence[tuple[str, list[Sequence[JsonValue]]]]) -> list[JsonValue]:
    """The cards' sheet first: the one whose columns look most like a pupil's; then those with the same key."""
    found = []
    for name, rows in sheets:
        header = _header(rows)
        if header is not None:
            columns = header_names(rows[header[0] - 1 : header[1]])
            found.append((name, header, columns, rows[header[1] :]))
    if not found:
        raise SampleError("table")
    found.sort(key=lambda one: -_likeness(Counter("".join(words_of(column)) for column in one[2] if column)))
    key = _key(found[0][2], [columns for _, _, columns, _ in found[1:]])
    described: list[JsonValue] = []
    for name, header, columns, rows in found:
        is_first = not described
        if not is_first and (not key or key not in columns):
            continue
        one: dict[str, JsonValue] = {"sheet": name if len(sheets) > 1 else "*"}
        if header != (1, 1):
            one["header"] = header[0] if header[0] == header[1] else list(header)
        if key:
            one["key"] = key
        if not is_first:
            one["as"] = name
        elif key and _repeats(columns.index(key), rows):
            one["as"] = "dong"
        described.append(one)
    return described


def _header(rows: Sequence[Sequence[JsonValue]]) -> tuple[int, int] | None:
    """The first and last row of the header: the rows of names above the first row of data."""
    for number, row in enumerate(rows):
        filled = [cell for cell in row if cell not in (None, "", MERGED)]
        if len(filled) < _LEAST_COLUMNS or not all(isinstance(cell, str) and ":" not in cell for cell in filled):
            continue
        if any(as_text(cell).strip().isdigit() for cell in filled):
            continue
        last = number
        while last + 1 < len(rows) and last - number + 1 < _MOST_HEADER and _is_header(rows[last], rows[last + 1]):
            last += 1
        return number + 1, last + 1
    return None


def _is_header(above: Sequence[JsonValue], row: Sequence[JsonValue]) -> bool:
    """Whether a row goes on with the header above it: it names what merged cells above leave open."""
    filled = [(column, cell) for column, cell in enumerate(row) if cell not in (None, "", MERGED)]
    if not filled or not all(isinstance(cell, str) and not cell.strip().isdigit() for _, cell in filled):
        return False
    opened = [column for column, cell in enumerate(above) if cell in (None, "", MERGED)]
    under = sum(column in opened or column >= len(above) for column, _ in filled)
    return under * 2 >= len(filled) or MERGED in row


def _key(columns: Sequence[str], others: Sequence[Sequence[str]]) -> str:
    """The column that tells pupils apart: one that other sheets have, too."""
    names = {*names_of("record")["pupil/pupil_code"], *names_of("record")["card_id"]}
    known = [column for column in columns if column and "".join(words_of(column)) in names]
    return max(known, key=lambda column: sum(column in other for other in others), default="")


def _repeats(column: int, rows: Sequence[Sequence[JsonValue]]) -> bool:
    keys = [as_text(row[column]) for row in rows if len(row) > column and row[column] not in (None, "", MERGED)]
    return any(first == second for first, second in pairwise(keys))


def folded_name(path: Path) -> str:
    """A mapping's name made of a file's: `Sổ điểm 6A.xlsx` → so-diem-6a."""
    name = "-".join(word for word in "".join(c if c.isalnum() else " " for c in without_accents(path.stem)).split())
    return (name if name[:1].isalpha() else f"mapping-{name}").strip("-")[:60]
