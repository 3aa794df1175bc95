"""How much of the data dictionary the shipped destination mappings write: every field, or why not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from hocba_hub.mappings.document.document import Document
from hocba_hub.mappings.document.field_rules import Fields, Items, Object, Value, walk
from hocba_hub.mappings.schemas import RECORDS, field_rows, sent_rows, table_of

MAPPINGS = ("ndc-primary", "ndc-secondary", "ndc-learning-results")
NOT_HELD: Mapping[tuple[str, str], str] = {
    ("ketquahoctapththcsthpttx", "songaynghi"): (
        "The table counts days, a card counts sessions (buổi); a session is not a day."
    ),
}
"""Fields of the dictionary that no mapping writes → why."""


class Held(NamedTuple):
    """One field of the dictionary or of ours, and where its value comes from."""

    table: str
    field: str
    label_vi: str
    length: str
    required: bool
    source: str
    """Source paths and constants; empty if no rule writes it."""
    remark: str
    """Why it is not written, or what the stand-in contract says otherwise than the dictionary."""


def held(document: Document) -> Iterator[Held]:
    """Every field of the table behind a mapping's target."""
    name = document.target
    file, root = table_of(name)
    rows = {(row["table"], row["field"]): row for row in field_rows(name)}
    sent = {(row["table"], row["field"]): row for row in sent_rows(file, root)}
    sources: dict[tuple[str, str], list[str]] = {}
    for table, field, source in _written(document.fields, root):
        known = sources.setdefault((table, field), [])
        if source not in known:
            known.append(source)
    keys = dict.fromkeys((*rows, *sent))
    tables = list(dict.fromkeys(table for table, _ in keys))
    for key in sorted(keys, key=lambda key: tables.index(key[0])):
        row = rows.get(key, sent[key])
        remark = NOT_HELD.get(key, "") or (sent[key]["condition"] if sent[key] != rows.get(key) else "")
        source = " · ".join(sources.get(key, ()))
        yield Held(*key, row["label_vi"], row["max_length"], row["required"] == "Y", source, remark or row["condition"])


def _written(fields: Fields, root: str) -> Iterator[tuple[str, str, str]]:
    for name, rule, table in walk(fields, root, _table):
        if isinstance(rule, Value):
            constant = "" if rule.constant is None else f"“{rule.constant}”"
            yield table, name, " + ".join(path.text for path in rule.sources) or constant


def _table(name: str, rule: Object | Items, table: str) -> str:
    """A list is a table of its own, but for that of the records themselves."""
    return name if isinstance(rule, Items) and name != RECORDS else table
