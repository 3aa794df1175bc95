"""Which rules and checks have something to say about a field of a card: those whose findings are placed there.

Read from the code of the rules themselves, so that it cannot fall behind them: the places that a rule's function, and
the functions of its module that it calls, write as text.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from types import FunctionType
from typing import Any

from hocba_hub.model import card, consistency
from hocba_hub.model.card_fields import card_fields
from hocba_hub.rules.catalogue import RULES

_ANY = "*"


@cache
def rules_of_fields() -> Mapping[str, tuple[str, ...]]:
    """Path of a field → the codes of the rules and of the model's checks that can find it wrong."""
    fields = card_fields()
    found: dict[str, list[str]] = {path: [] for path in fields}
    for code, function in (*_checks(), *((rule.code, rule.check) for rule in RULES)):
        kinds = _kinds(code)
        for place in _places(function):
            for path in fields:
                if (
                    _is_at(place, path)
                    and (kinds is None or kinds & set(fields[path].kinds))
                    and code not in found[path]
                ):
                    found[path].append(code)
    return {path: tuple(codes) for path, codes in found.items()}


def _kinds(code: str) -> frozenset[str] | None:
    return next((rule.kinds for rule in RULES if rule.code == code), None)


def _checks() -> Iterator[tuple[str, Callable[..., Any]]]:
    """The checks of the model, each under the code of the findings that it makes."""
    checks = {check for one in (card.PrimaryCard, card.SecondaryCard, card.ContinuingCard) for check in one.checks}
    for check in sorted(checks, key=lambda one: one.__name__):
        for kind in sorted(_kinds_said(check)):
            yield f"card.{kind}", check


def _kinds_said(check: Callable[..., Any]) -> set[str]:
    """The kinds of objections that a check makes: the first argument of each."""
    return {
        node.args[0].value
        for tree in _trees(check, consistency.__name__)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Objection"
        if node.args and isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str)
    }


def _places(function: Callable[..., Any]) -> set[tuple[str, ...]]:
    """The places that a function writes; where it puts a name in, each name that it or its module's constants have."""
    trees = list(_trees(function, function.__module__))
    texts = {text for tree in trees for text in _texts(tree)}
    names = {path.rpartition("/")[2] for path in card_fields()}
    words = {word for tree in trees for word in _constants(tree, function.__globals__)} & names or texts
    found = set()
    for text in texts:
        if text.startswith("/") and len(text) > 1:
            *above, last = text.strip("/").split("/")
            found |= {(*above, name) for name in (words if last == _ANY else {last})}
    return found


def _constants(tree: ast.AST, known: Mapping[str, Any]) -> Iterator[str]:
    """The names in the constants of its module that a function uses: `_RESULTS = ("term1", …)`."""
    for node in ast.walk(tree):
        value = known.get(node.id) if isinstance(node, ast.Name) else None
        if isinstance(value, tuple | list | set | frozenset | dict):
            yield from (word for word in value if isinstance(word, str))


def _texts(tree: ast.AST) -> Iterator[str]:
    inside: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            inside |= {id(part) for part in node.values}
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else _ANY for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside:
            yield node.value


def _trees(function: Callable[..., Any], module: str) -> Iterable[ast.AST]:
    """The source of a function, and of those of its module that it names."""
    seen: dict[str, ast.AST] = {}
    left = [function]
    while left:
        one = inspect.unwrap(left.pop())
        if not isinstance(one, FunctionType) or one.__qualname__ in seen or one.__module__ != module:
            continue
        tree = seen[one.__qualname__] = ast.parse(textwrap.dedent(inspect.getsource(one)))
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} - {one.__name__}
        left += [one.__globals__[name] for name in sorted(names) if callable(one.__globals__.get(name))]
    return seen.values()


def _is_at(place: tuple[str, ...], path: str) -> bool:
    """Whether a finding's place is at a field; a place within it, or around it, is another field's."""
    names = [part for step in path.split("/") for part in ([step[:-2], _ANY] if step.endswith("[]") else [step])]
    return list(place) == names
