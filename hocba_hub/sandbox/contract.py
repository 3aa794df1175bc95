"""The province's contract as checks: the record schemas of its OpenAPI document, compiled.

Only the few JSON Schema words that those schemas use are known; another one is an error, so that the contract never
says more than the simulator checks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import yaml

from hocba_hub.adapters.contracts import PROVINCE_OPENAPI

Problem = tuple[str, str]
"""Code of a refusal, and the field at fault."""

_Check = Callable[[Any], Problem | None]
_PREFIX = "#/components/schemas/"
_NOT_CHECKED = frozenset({"description"})


@cache
def record_check() -> Callable[[Mapping[str, Any]], Problem | None]:
    """A function that says what is wrong with one record by the contract, or None."""
    with PROVINCE_OPENAPI.open("rb") as file:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        schemas = yaml.load(file, loader)["components"]["schemas"]  # noqa: S506 - a safe loader
    envelope = _compile(schemas["envelope"], schemas, "")
    recall = _compile(schemas["recall"], schemas, "")
    tables: dict[object, _Check] = {}
    for choice in schemas["record"]["allOf"][1]["else"]["oneOf"]:
        name = choice["$ref"].removeprefix(_PREFIX)
        tables[name] = _compile(schemas[name], schemas, "")

    def check(record: Mapping[str, Any]) -> Problem | None:
        if problem := envelope(record):
            return problem
        if record["sukien"] == "CANCEL":
            return recall(record)
        table = tables.get(record.get("bang"))
        return table(record) if table else ("FIELD_INVALID", "bang")

    return check


def _compile(schema: Mapping[str, Any], schemas: Mapping[str, Any], field: str) -> _Check:  # noqa: PLR0911 - one for each kind
    words = {word: value for word, value in schema.items() if word not in _NOT_CHECKED}
    match words:
        case {"$ref": str(target), **rest} if not rest:
            found: Any = schemas
            for step in target.removeprefix(_PREFIX).split("/"):
                found = found[step]
            return _compile(found, schemas, field)
        case {"type": "object", "properties": properties, "required": required, **rest} if not set(rest) - {
            "additionalProperties",
            "anyOf",
        }:
            choices = [choice["required"] for choice in rest.get("anyOf", [])]
            open_ended = rest.get("additionalProperties", True)
            return _object(properties, required, choices, schemas, open_ended=open_ended)
        case {"type": "array", "items": items, **rest} if not rest:
            return _array(_compile(items, schemas, field), field)
        case {"type": "string", **rest} if not set(rest) - {"minLength", "maxLength", "pattern", "enum"}:
            return _string(rest, field)
        case {"type": "integer" | "number" as kind, **rest} if not set(rest) - {"minimum", "maximum"}:
            return _number(rest, int if kind == "integer" else (int, float), field)
        case {"type": "boolean", **rest} if not rest:
            return _one_of((True, False), field)
        case {"const": value, **rest} if not rest:
            return _one_of((value,), field)
    raise ValueError(f"{PROVINCE_OPENAPI.name}: {field or 'a schema'} uses words that the simulator does not check.")


def _object(
    properties: Mapping[str, Any],
    required: list[str],
    choices: list[list[str]],
    schemas: Mapping[str, Any],
    *,
    open_ended: bool,
) -> _Check:
    checks = {name: _compile(schema, schemas, name) for name, schema in properties.items()}

    def check(value: Any) -> Problem | None:  # noqa: ANN401 - JSON
        if not isinstance(value, dict):
            return "RECORD_INVALID", ""
        for name in required:
            if name not in value:
                return "FIELD_MISSING", name
        if choices and not any(all(name in value for name in choice) for choice in choices):
            return "FIELD_MISSING", choices[0][0]
        for name, member in value.items():
            known = checks.get(name)
            if known is None:
                if open_ended:
                    continue
                return "FIELD_INVALID", name
            if problem := known(member):
                return problem
        return None

    return check


def _array(item: _Check, field: str) -> _Check:
    def check(value: Any) -> Problem | None:  # noqa: ANN401 - JSON
        if not isinstance(value, list):
            return "FIELD_INVALID", field
        for member in value:
            if problem := item(member):
                return problem
        return None

    return check


def _string(words: Mapping[str, Any], field: str) -> _Check:
    shortest, longest = words.get("minLength", 0), words.get("maxLength", 1 << 30)
    pattern = re.compile(words["pattern"]).search if "pattern" in words else None
    allowed = frozenset(words["enum"]) if "enum" in words else None
    problem = ("FIELD_INVALID", field)

    def check(value: Any) -> Problem | None:  # noqa: ANN401 - JSON
        right = (
            isinstance(value, str)
            and shortest <= len(value) <= longest
            and (allowed is None or value in allowed)
            and (pattern is None or pattern(value) is not None)
        )
        return None if right else problem

    return check


def _number(words: Mapping[str, Any], kinds: type | tuple[type, ...], field: str) -> _Check:
    least, most = words.get("minimum", float("-inf")), words.get("maximum", float("inf"))
    problem = ("FIELD_INVALID", field)

    def check(value: Any) -> Problem | None:  # noqa: ANN401 - JSON
        right = isinstance(value, kinds) and not isinstance(value, bool) and least <= value <= most
        return None if right else problem

    return check


def _one_of(allowed: tuple[object, ...], field: str) -> _Check:
    def check(value: Any) -> Problem | None:  # noqa: ANN401 - JSON
        return (
            None
            if any(value == known and type(value) is type(known) for known in allowed)
            else ("FIELD_INVALID", field)
        )

    return check
