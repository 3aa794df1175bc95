"""What a sample of a vendor's records holds: fields with some of their values, those above the records, lists."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from hocba_hub.mappings.document.paths import HEAD, TEXT, Scope, origin
from hocba_hub.mappings.records.record import Record
from hocba_hub.mappings.records.rows import BETWEEN
from hocba_hub.mappings.records.sheet_head import SheetHead
from hocba_hub.mappings.records.sheet_rows import ROW, SHEET
from hocba_hub.mappings.values.value import JsonValue, as_text, clean_text, without_accents

_MOST_VALUES = 300
"""Different values of one field that are looked at."""
_PLAIN_STEP = re.compile(r"[^/\[\]']+")
_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[A-Za-z])(?=[0-9])")


@dataclass(slots=True)
class SampleField:
    """A place of the source that holds single values."""

    names: tuple[str, ...]
    """From the record, or the item of a list, on; of what stands around records, `//` and those from the root on."""
    begin: str = ""
    """Of what stands around records: how a path to its object begins, `//` or `../`."""
    below: int = 0
    """How many of the names lead to that object."""
    varies: bool = False
    """Of a list's items: whether it is not the same in all items of some record."""
    values: dict[JsonValue, int] = field(default_factory=dict)
    """Different values → how often."""
    count: int = 0

    @property
    def path(self) -> str:
        """As a mapping writes it."""
        return self.begin + "/".join(map(_step, self.names[self.below :]))

    @property
    def words(self) -> list[tuple[str, ...]]:
        """The words of each name, from the outermost on, without accents: `hocSinh/hoTen` → (hoc, sinh), (ho, ten)."""
        names = self.names
        if self.begin:  # of the objects around a record only the one that the field stands in tells what it is
            names = names[self.below :] if len(names) > self.below + 1 else names[max(self.below - 1, 0) :]
        return [words_of(name) for name in names if name != HEAD]

    def add(self, value: JsonValue) -> None:
        """Count a value that is not blank."""
        plain = clean_text(value) if isinstance(value, str) else value
        if plain in (None, "") or isinstance(plain, dict | list):
            return
        self.count += 1
        if plain in self.values or len(self.values) < _MOST_VALUES:
            self.values[plain] = self.values.get(plain, 0) + 1

    def texts(self) -> list[str]:
        """Its different values as text."""
        return [as_text(value) for value in self.values]


@dataclass(slots=True)
class SampleList:
    """A list within each record."""

    names: tuple[str, ...]
    fields: dict[tuple[str, ...], SampleField] = field(default_factory=dict)
    is_plain: bool = False
    """Whether it holds plain values."""

    @property
    def path(self) -> str:
        """As a mapping writes it."""
        return "/".join(map(_step, self.names))


@dataclass(slots=True)
class Sample:
    """The records of a sample."""

    records: int = 0
    head: dict[tuple[str, ...], SampleField] = field(default_factory=dict)
    fields: dict[tuple[str, ...], SampleField] = field(default_factory=dict)
    lists: dict[tuple[str, ...], SampleList] = field(default_factory=dict)

    def add(self, record: Record) -> None:
        """Look at one more record."""
        self.records += 1
        self._around(record.around)
        self._node(record.node, (), self.fields)

    def settle(self) -> None:
        """What is a list in one record is one in all: single items of XML come as single values."""
        for names, one in self.lists.items():
            for place in [place for place in self.fields if place[: len(names)] == names]:
                moved = self.fields.pop(place)
                rest = place[len(names) :]
                known = one.fields.setdefault(rest, SampleField(rest))
                for value in moved.values:
                    known.add(value)

    def _around(self, scope: Scope | None) -> None:
        up = 0
        while scope is not None:
            node, up = scope[0], up + 1
            steps = tuple(step for step in origin(scope) if isinstance(step, str))
            before = set(self.head)
            if isinstance(node, SheetHead):
                for address, label in node.labels().items():
                    self._field(self.head, (HEAD, label)).add(node.get(label) if label != address else node[address])
            else:
                self._node(node, steps, self.head)
            for names in set(self.head) - before:
                self.head[names].begin = HEAD if scope[1] is None else "../" * up
                self.head[names].below = len(steps)
            scope = scope[1]

    def _node(self, node: JsonValue, above: tuple[str, ...], fields: dict[tuple[str, ...], SampleField]) -> None:
        if not isinstance(node, Mapping):
            self._field(fields, above).add(node)
            return
        for name, child in node.items():
            if name in (SHEET, ROW):
                continue
            at = (*above, name)
            if isinstance(child, list):
                if fields is self.fields:
                    self._list(at, child)
            elif isinstance(child, Mapping):
                self._node(child, above if name == TEXT else at, fields)
            else:
                self._field(fields, above if name == TEXT else at).add(child)

    def _list(self, at: tuple[str, ...], items: Iterable[JsonValue]) -> None:
        known = self.lists.setdefault(at, SampleList(at))
        seen: dict[str, JsonValue] = {}
        for item in items:
            for name, value in item.items() if isinstance(item, Mapping) else ():
                if (name,) in known.fields and seen.setdefault(name, value) != value:
                    known.fields[name,].varies = True
            if isinstance(item, Mapping):
                self._item(item, (), known)
            else:
                known.is_plain = True
                known.fields.setdefault((), SampleField(())).add(item)

    def _item(self, node: Mapping[str, JsonValue], above: tuple[str, ...], known: SampleList) -> None:
        for name, child in node.items():
            at = above if name == TEXT else (*above, name)
            if name in (SHEET, ROW):
                continue
            if isinstance(child, Mapping):
                self._item(child, at, known)
            elif not isinstance(child, list):
                known.fields.setdefault(at, SampleField(at)).add(child)

    def _field(self, fields: dict[tuple[str, ...], SampleField], at: tuple[str, ...]) -> SampleField:
        return fields.setdefault(at, SampleField(at))


def words_of(name: str) -> tuple[str, ...]:
    """The words of a source's name, however it joins them: `hb:hoTen`, `HO_TEN` and `Họ tên` → (ho, ten)."""
    bare = name.rpartition("}")[2]
    if BETWEEN not in bare:
        bare = bare.rpartition(":")[2] or bare
    return tuple(re.findall(r"[a-z0-9]+", without_accents(_CAPITAL.sub(" ", bare.lstrip("@")))))


def _step(name: str) -> str:
    return name if _PLAIN_STEP.fullmatch(name) and name == name.strip() else "'" + name.replace("'", "''") + "'"
