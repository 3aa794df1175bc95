"""The public change log of the rules, docs/rules-changes.yaml, and whether it tells every change.

Each entry has a date, a text in both languages, and the fingerprint of every rule that it added, changed or removed. A
rule whose fingerprint is not the latest that the log has is a change nobody told, and `make lint` fails. To tell it:
`python -m scripts.rule_changes "in Vietnamese" "in English"`.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import sys
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import yaml

from hocba_hub.model.subjects import SUBJECTS
from hocba_hub.rules import marks, programme, view
from hocba_hub.rules.catalogue import CATALOGUE
from hocba_hub.rules.circulars import THRESHOLDS
from hocba_hub.rules.rule import Rule

LOG = Path(__file__).parent.parent / "docs" / "rules-changes.yaml"
REMOVED = "removed"
_ROOM = "hocba_hub.rules."
_NOT_MEANING = frozenset(
    {"lineno", "col_offset", "end_lineno", "end_col_offset", "type_comment", "type_params", "kind"}
)
_OPENING = (
    "# Nhật ký thay đổi quy tắc · Change log of the rules (docs/rules.md).\n"
    "# python -m scripts.rule_changes VI EN adds the entry of today.\n"
)


def fingerprint(rule: Rule) -> str:
    """What a rule demands, in 12 hexadecimal digits: its facts, its check, and all that this rests on.

    That is every function and constant of the rules room that the check refers to, how cards are looked at and marks
    computed with, and the figures and subjects it asks for. Comments, docstrings and layout do not count.
    """
    facts = {field.name: getattr(rule, field.name) for field in fields(rule) if field.name != "check"}
    found: dict[str, str] = {}
    names = _rests_on(rule.check, found)
    parts = [_said(facts), *(found[name] for name in sorted(found)), *_surroundings()]
    if "limits" in names:
        parts.append(_said({name: THRESHOLDS[name] for name in rule.circulars or THRESHOLDS}))
    if "taught" in names:
        parts.append(_meaning(inspect.getsource(programme)) + _said(SUBJECTS))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


@cache
def _surroundings() -> tuple[str, ...]:
    return tuple(_meaning(inspect.getsource(module)) for module in (view, marks))


def _rests_on(check: Any, found: dict[str, str]) -> set[str]:  # noqa: ANN401 - a function, perhaps wrapped
    """Put the meaning of a function, and of what it refers to, beside its name; all names that are used on the way."""
    function = inspect.unwrap(check)
    found[f"{function.__module__}.{function.__qualname__}"] = _meaning(inspect.getsource(function))
    known = vars(sys.modules[function.__module__])
    names = set(_names(function.__code__))
    for name in sorted(names & known.keys()):
        value = known[name]
        inner = inspect.unwrap(value) if callable(value) else value
        if isinstance(inner, FunctionType):
            if inner.__module__.startswith(_ROOM) and f"{inner.__module__}.{inner.__qualname__}" not in found:
                names |= _rests_on(inner, found)
        elif isinstance(value, int | str | tuple | list | frozenset | dict):
            found[f"{function.__module__}.{name}"] = _said(value)
    return names


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _meaning(source: str) -> str:
    """The syntax of a piece of source, without places, docstrings and decorators."""
    tree = ast.parse(textwrap.dedent(source))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            node.decorator_list = []
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module):
            node.body = [part for part in node.body if not _is_text(part)]
    return _syntax(tree)


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _syntax(node: Any) -> str:  # noqa: ANN401 - any part of a tree
    """Like `ast.dump`, the same in every version of Python."""
    if isinstance(node, list):
        return f"[{','.join(map(_syntax, node))}]"
    if not isinstance(node, ast.AST):
        return repr(node)
    parts = ((name, value) for name, value in ast.iter_fields(node) if name not in _NOT_MEANING)
    shown = ",".join(f"{name}={_syntax(value)}" for name, value in parts if value not in (None, []))
    return f"{type(node).__name__}({shown})"


def _said(value: Any) -> str:  # noqa: ANN401 - any fact
    """A fact as text; sets and mappings in order."""
    if isinstance(value, Mapping):
        return f"{{{','.join(sorted(f'{_said(key)}:{_said(item)}' for key, item in value.items()))}}}"
    if isinstance(value, set | frozenset):
        return f"{{{','.join(sorted(map(_said, value)))}}}"
    if isinstance(value, tuple | list):
        return f"({','.join(map(_said, value))})"
    return repr(value)


def untold(log: Path = LOG) -> Iterator[str]:
    """What is wrong with the log: changes that no entry tells, entries out of order."""
    entries = yaml.safe_load(log.read_text(encoding="utf-8")) if log.is_file() else []
    latest: dict[str, str] = {}
    before = date.min
    for number, entry in enumerate(entries, start=1):
        if entry["date"] < before:
            yield f"entry {number} is older than the one before"
        if not (entry.get("vi") and entry.get("en")):
            yield f"entry {number} has no text in both languages"
        before = entry["date"]
        latest |= entry["rules"]
    for code, rule in CATALOGUE.items():
        if latest.get(code, REMOVED) != fingerprint(rule):
            yield f"{code} is {'changed' if code in latest else 'new'}, and no entry tells it"
    for code in latest.keys() - CATALOGUE.keys():
        if latest[code] != REMOVED:
            yield f"{code} is gone, and no entry tells it"


def tell(vi: str, en: str, log: Path = LOG) -> list[str]:
    """Add today's entry for every change that is not told yet; the codes it tells."""
    changed = sorted(problem.partition(" ")[0] for problem in untold(log) if not problem.startswith("entry "))
    if changed:
        rules = {code: fingerprint(CATALOGUE[code]) if code in CATALOGUE else REMOVED for code in changed}
        entry = {"date": datetime.now(UTC).date(), "vi": vi, "en": en, "rules": rules}
        text = log.read_text(encoding="utf-8") if log.is_file() else _OPENING
        text += yaml.safe_dump([entry], allow_unicode=True, sort_keys=False, width=118)
        log.write_text(text, encoding="utf-8")
    return changed


def main(arguments: list[str]) -> int:
    """Tell the changes, or with no arguments say what is untold; the exit code is 1 where something is."""
    if len(arguments) == 2:  # noqa: PLR2004 - Vietnamese and English
        sys.stdout.write("".join(f"{code}\n" for code in tell(*arguments)))
    problems = list(untold())
    for problem in problems:
        sys.stderr.write(f"docs/rules-changes.yaml: {problem}.\n")
    if problems:
        sys.stderr.write('Tell it: python -m scripts.rule_changes "in Vietnamese" "in English".\n')
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
