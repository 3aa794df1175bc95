"""Read the YAML of a mapping or a code table: small, safe, and with the line of everything.

Narrower than YAML 1.1 on purpose, because officials write codes: `01`, `NO`, `on` and `2025-07-01` stay text; only
`null`, `true`, `false`, whole numbers without a leading zero and decimal numbers are anything else. Tags are
refused, a key given twice is a finding, anchors may be used but not to blow a document up.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import yaml

from hocba_hub.mappings import finding_kinds as kinds
from hocba_hub.mappings.messages import class_in_vietnamese, in_vietnamese
from hocba_hub.mappings.values.value import JsonValue, value_class
from hocba_hub.model.findings import Finding, FindingKind

LARGEST_TEXT = 4_000_000
"""Characters of a document."""
LARGEST_TREE = 400_000
"""Values of a document, with every use of an anchor counted."""
DEEPEST = 64
"""Levels of nesting."""

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,17})\Z")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,14})\.[0-9]{1,15}\Z")
_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}


def pointer_to(*steps: str | int) -> str:
    """JSON Pointer (RFC 6901) of these steps."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


def finding(kind: FindingKind, pointer: str, expected: str = "", value_kind: str = "", **facts: str | int) -> Finding:
    """A finding of this room: what is expected, and what was there, also in Vietnamese."""
    vietnamese = {"expected_vi": in_vietnamese(expected), "value_class_vi": class_in_vietnamese(value_kind)}
    return Finding(kind, pointer, expected, value_kind, {**facts, **vietnamese})


def nearest_line(lines: Mapping[str, int], pointer: str) -> int:
    """Line of a place, or of the nearest place around it."""
    while pointer not in lines and pointer:
        pointer = pointer.rpartition("/")[0]
    return lines.get(pointer, 1)


@dataclass(slots=True)
class Reading:
    """A document as plain values, the line of each place, and what is wrong with it."""

    value: JsonValue = None
    lines: dict[str, int] = field(default_factory=dict)
    """Line, from 1, of the value at a JSON Pointer."""
    findings: list[Finding] = field(default_factory=list)

    def line(self, pointer: str) -> int:
        """Line of a place, or of the nearest place around it."""
        return nearest_line(self.lines, pointer)

    def report(self, kind: FindingKind, pointer: str, expected: str = "", **facts: str | int) -> None:
        """Add a finding at a place of the document."""
        self.findings.append(
            finding(kind, pointer, expected, str(facts.pop("value_class", "")), line=self.line(pointer), **facts)
        )

    def report_form(self, pointer: str, value: object, expected: str) -> None:
        """Add the finding that the value at a place should be something else."""
        self.report(kinds.FORM, pointer, expected, value_class=value_class(value))


class _Stop(Exception):  # noqa: N818 - ends the reading, the finding is already there
    pass


@dataclass(slots=True)
class _Open:
    """A mapping or sequence whose end has not come yet."""

    content: dict[str, JsonValue] | list[JsonValue]
    pointer: str
    anchor: str | None
    size: int = 1
    key: str | None = None
    merged: list[dict[str, JsonValue]] = field(default_factory=list)


class _Builder:
    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.stack: list[_Open] = []
        self.anchors: dict[str, tuple[JsonValue, int]] = {}
        self.unfinished: set[str] = set()
        self.size = 0

    def place(self) -> str:
        if not self.stack:
            return ""
        top = self.stack[-1]
        step = len(top.content) if isinstance(top.content, list) else (top.key if top.key is not None else "")
        return top.pointer + pointer_to(step)

    def key_is_due(self) -> bool:
        return bool(self.stack) and isinstance(self.stack[-1].content, dict) and self.stack[-1].key is None

    def take(self, event: yaml.Event) -> None:
        line = event.start_mark.line + 1 if event.start_mark else 1
        match event:
            case yaml.ScalarEvent() if self.key_is_due():
                self.key(event, line)
            case yaml.ScalarEvent():
                self.add(self.scalar(event, line), 1, line, event.anchor)
            case yaml.AliasEvent():
                self.alias(event.anchor or "", line)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self.open({} if isinstance(event, yaml.MappingStartEvent) else [], event, line)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self.close()
            case yaml.DocumentStartEvent() if self.reading.lines:
                self.fail(kinds.TEXT_UNREADABLE, line, "one document in one file")

    def fail(self, kind: FindingKind, line: int, expected: str) -> None:
        self.reading.lines[""] = line
        self.reading.findings.append(finding(kind, self.place(), expected, line=line))
        raise _Stop

    def scalar(self, event: yaml.ScalarEvent, line: int) -> object:
        if event.tag is not None and event.tag != "!":
            self.fail(kinds.TEXT_UNREADABLE, line, "no tags")
        text = event.value
        if not event.implicit[0]:
            return text
        if text in _WORDS:
            return _WORDS[text]
        if _WHOLE.match(text):
            return int(text)
        return float(text) if _DECIMAL.match(text) else text

    def alias(self, name: str, line: int) -> None:
        if name in self.unfinished:
            self.fail(kinds.TEXT_CYCLIC, line, name)
        if name not in self.anchors:
            self.fail(kinds.TEXT_UNREADABLE, line, f"the anchor: {name}")
        value, size = self.anchors[name]
        self.add(value, size, line, None)

    def open(self, content: dict[str, JsonValue] | list[JsonValue], event: JsonValue, line: int) -> None:
        if event.tag is not None and event.tag != "!":
            self.fail(kinds.TEXT_UNREADABLE, line, "no tags")
        if len(self.stack) >= DEEPEST:
            self.fail(kinds.TEXT_TOO_LARGE, line, f"at most this many levels: {DEEPEST}")
        if self.key_is_due():
            self.fail(kinds.TEXT_UNREADABLE, line, "text as a key")
        pointer = self.place()
        self.reading.lines.setdefault(pointer, line)
        self.stack.append(_Open(content, pointer, event.anchor))
        if event.anchor:
            self.unfinished.add(event.anchor)

    def close(self) -> None:
        ended = self.stack.pop()
        if isinstance(ended.content, dict):
            for lower in ended.merged:
                for key, value in lower.items():
                    ended.content.setdefault(key, value)
        if ended.anchor:
            self.unfinished.discard(ended.anchor)
        # The opening counted as one; what it holds was counted as it came.
        self.put(ended.content, ended.size, ended.anchor)

    def add(self, value: object, size: int, line: int, anchor: str | None) -> None:
        self.size += size
        if self.size > LARGEST_TREE:
            self.fail(kinds.TEXT_TOO_LARGE, line, f"at most this many values: {LARGEST_TREE}")
        if self.key_is_due():
            self.fail(kinds.TEXT_UNREADABLE, line, "text as a key")
        self.reading.lines.setdefault(self.place(), line)
        self.put(value, size, anchor)

    def key(self, event: yaml.ScalarEvent, line: int) -> None:
        top = self.stack[-1]
        self.size += 1
        top.key = str(event.value)
        if top.key in top.content:
            self.reading.findings.append(finding(kinds.KEY_TWICE, self.place(), top.key, line=line))
        self.reading.lines.setdefault(self.place(), line)

    def put(self, value: JsonValue, size: int, anchor: str | None) -> None:
        if anchor:
            self.anchors[anchor] = (value, size)
        if not self.stack:
            self.reading.value = value
            return
        top = self.stack[-1]
        top.size += size
        if isinstance(top.content, list):
            top.content.append(value)
            return
        key, top.key = top.key, None
        if key == "<<":
            for lower in value if isinstance(value, list) else [value]:
                if isinstance(lower, dict):
                    top.merged.append(lower)
                else:
                    self.reading.report_form(top.pointer, lower, "a mapping to merge")
        elif key is not None:
            top.content[key] = value


def read_yaml(text: str) -> Reading:
    """The document as plain values; never raises. With a finding of an unreadable text, the value is None."""
    reading = Reading()
    if len(text) > LARGEST_TEXT:
        reading.report(kinds.TEXT_TOO_LARGE, "", f"at most this many characters: {LARGEST_TEXT}")
        return reading
    builder = _Builder(reading)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            builder.take(event)
    except _Stop:
        reading.value = None
    except (yaml.YAMLError, UnicodeError, ValueError) as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        reading.lines[""] = mark.line + 1 if mark else 1
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "not text"
        if mark and "".join(text.splitlines()[mark.line : mark.line + 1])[mark.column :].startswith("@"):
            problem = "quotes around a path that begins with @: '@ma'"
        reading.value = None
        reading.report(kinds.TEXT_UNREADABLE, "", str(problem))
    return reading
