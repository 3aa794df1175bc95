"""A mapping's rules as a flat table, for people who review in a spreadsheet; and back from the reviewed table.

One line for each rule, with its cells written as in the document. What is not a rule (source, tables, examples)
stays with the document, so the table is always read back into the document that it came from.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import yaml

from hocba_hub.mappings.document.document import Document
from hocba_hub.mappings.document.parse import load_document
from hocba_hub.mappings.values.value import JsonValue, as_text
from hocba_hub.mappings.yaml_reading import read_yaml
from hocba_hub.model.errors import HubError

CELLS = (
    *("from", "apply", "table", "default", "required", "value", "when", "join", "expression"),
    *("each", "where", "at", "always", "note"),
)
"""Keys of a rule, one column each."""
HEADER = ("target", "alternative", *CELLS, "example")
TITLES_VI = {
    "target": "Trường đích",
    "alternative": "Phương án",
    "from": "Trường nguồn",
    "apply": "Phép biến đổi",
    "table": "Bảng mã",
    "default": "Giá trị mặc định",
    "required": "Bắt buộc",
    "value": "Giá trị cố định",
    "when": "Điều kiện",
    "join": "Ký tự nối",
    "expression": "Biểu thức JSONata",
    "each": "Danh sách nguồn",
    "where": "Lọc danh sách",
    "at": "Vị trí nguồn",
    "always": "Luôn có",
    "note": "Ghi chú",
    "example": "Ví dụ",
}
"""Column → what an official reads above it."""
_TITLE_LINES = 5
"""Lines in which the names of the columns are looked for."""
_ENTRY = re.compile(r"(.*)\[(\d+)\]\Z")


class TableFormError(HubError):
    """A reviewed table cannot be read back; the message names its line."""


def as_table(document: Document, examples: Mapping[str, JsonValue] | None = None) -> list[list[str]]:
    """The rules as lines of text under `HEADER`; `examples` are values by target, for the last column."""
    shown = examples or {}
    lines = [list(HEADER)]
    for target, alternative, rule in _rules(document.given["fields"], ""):
        cells = [_written(rule.get(key)) for key in CELLS]
        lines.append([target, alternative, *cells, as_text(shown.get(target, "")) if target in shown else ""])
    return lines


def _rules(fields: Mapping[str, JsonValue], above: str) -> Iterator[tuple[str, str, Mapping[str, JsonValue]]]:
    for name, given in fields.items():
        target = f"{above}/{name}" if above else name
        rules = given if isinstance(given, list) else [given]
        for number, one in enumerate(rules, 1):
            rule: Mapping[str, JsonValue] = {"from": one} if isinstance(one, str) else one
            yield target, str(number) if isinstance(given, list) else "", rule
            below = target if "each" not in rule else target + "[]"
            yield from _rules(rule.get("fields", {}), below)
            for place, entry in enumerate(rule.get("items", ())):
                yield from _rules(entry, f"{target}[{place}]")


def _written(value: JsonValue) -> str:
    """A cell: plain text as it is, anything else as YAML on one line."""
    if value is None:
        return ""
    if isinstance(value, str) and read_yaml(value).value == value and value[:1] not in "'\"":
        return value
    text = yaml.safe_dump(value, allow_unicode=True, default_flow_style=True, width=10**6, sort_keys=False)
    return text.removesuffix("\n").removesuffix("\n...")


def from_table(document: Document, lines: Sequence[Sequence[str]]) -> str:
    """The document's text with the rules of the table instead of its own.

    Raises:
        TableFormError: no line has the names of `HEADER`, or a cell is not readable.
        DocumentError: the result is not a mapping document; with findings that name the targets.
    """
    tops = (number for number, line in enumerate(lines[:_TITLE_LINES], 1) if tuple(line[: len(HEADER)]) == HEADER)
    top = next(tops, None)
    if top is None:
        raise TableFormError("line 1: expected the columns " + ", ".join(HEADER))
    fields: dict[str, JsonValue] = {}
    for number, line in enumerate(lines[top:], top + 1):
        cells = [as_text("" if cell is None else cell).strip() for cell in line] + [""] * len(HEADER)
        if not cells[0]:
            continue
        rule: dict[str, JsonValue] = {}
        for key, cell in zip(CELLS, cells[2:], strict=False):
            if cell:
                reading = read_yaml(cell)
                if reading.findings:
                    raise TableFormError(f"line {number}: the cell {key} is not readable")
                rule[key] = reading.value
        _put(fields, cells[0], cells[1], rule, number)
    given = {**document.given, "fields": fields}
    text = yaml.safe_dump(given, allow_unicode=True, sort_keys=False, width=110)
    load_document(text)
    return text


def _put(fields: dict[str, JsonValue], target: str, alternative: str, rule: dict[str, JsonValue], line: int) -> None:
    """Put a rule where its target says: below the objects and lists whose lines came before."""
    here, key = fields, ""
    *above, last = target.split("/")
    for name in above:
        entry = _ENTRY.fullmatch(name)
        key = f"{key}/{name}" if key else name
        found = here.get(key.removesuffix("[]") if entry is None else key.rpartition("[")[0])
        if isinstance(found, list) and found:
            # Of several alternatives, the one whose line came last.
            found = found[-1]
        if isinstance(found, dict) and entry is not None:
            entries = found.setdefault("items", [])
            entries.extend({} for _ in range(int(entry[2]) + 1 - len(entries)))
            here, key = entries[int(entry[2])], ""
        elif isinstance(found, dict):
            here, key = found.setdefault("fields", {}), ""
        elif entry is not None or name.endswith("[]"):
            raise TableFormError(f"line {line}: {target} stands before the line of its list")
    key = f"{key}/{last}" if key else last
    if alternative:
        here.setdefault(key, []).append(rule)
    else:
        here[key] = rule
