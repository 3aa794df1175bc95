"""The province's contract as checks: the record schemas of its OpenAPI document, compiled for pydantic's validator.

Only the few JSON Schema words that those schemas use are known; another one is an error, so that the contract never
says more than the simulator checks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import yaml
from pydantic_core import CoreSchema, SchemaValidator, ValidationError, core_schema

from hocba_hub.adapters.contracts import PROVINCE_OPENAPI

Problem = tuple[str, str]
"""Code of a refusal, and the field at fault."""

_PREFIX = "#/components/schemas/"
_WORDS: Mapping[str, frozenset[str]] = {
    "string": frozenset({"type", "minLength", "maxLength", "pattern", "enum"}),
    "number": frozenset({"type", "minimum", "maximum"}),
    "integer": frozenset({"type", "minimum", "maximum"}),
    "boolean": frozenset({"type"}),
    "array": frozenset({"type", "items"}),
    "object": frozenset({"type", "properties", "required", "additionalProperties", "anyOf"}),
}
"""For each type, the words that are checked."""


@cache
def record_check() -> Callable[[Mapping[str, Any]], Problem | None]:
    """A function that says what is wrong with one record by the contract, or None."""
    with PROVINCE_OPENAPI.open("rb") as file:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        schemas = yaml.load(file, loader)["components"]["schemas"]  # noqa: S506 - a safe loader
    envelope, recall = (_check(schemas[name], schemas) for name in ("envelope", "recall"))
    names = [choice["$ref"].removeprefix(_PREFIX) for choice in schemas["record"]["allOf"][1]["else"]["oneOf"]]
    tables = {name: _check(schemas[name], schemas) for name in names}

    def check(record: Mapping[str, Any]) -> Problem | None:
        if record.get("sukien") == "CANCEL":
            return recall(record)
        table = tables.get(str(record.get("bang")))
        return table(record) if table else envelope(record) or ("FIELD_INVALID", "bang")

    return check


def _check(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], Problem | None]:
    validate = SchemaValidator(_compiled(schema, schemas)).validate_python
    choices = [choice["required"] for choice in schema.get("anyOf", [])]

    def check(record: Mapping[str, Any]) -> Problem | None:
        try:
            validate(record)
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            field = next((step for step in reversed(first["loc"]) if isinstance(step, str)), "")
            return "FIELD_MISSING" if first["type"] == "missing" else "FIELD_INVALID", field
        if choices and not any(record.keys() >= set(choice) for choice in choices):
            return "FIELD_MISSING", choices[0][0]
        return None

    return check


def _compiled(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> CoreSchema:
    words = {word: value for word, value in schema.items() if word != "description"}
    if set(words) == {"$ref"}:
        found: Any = schemas
        for step in words["$ref"].removeprefix(_PREFIX).split("/"):
            found = found[step]
        return _compiled(found, schemas)
    if set(words) == {"const"}:
        return core_schema.literal_schema([words["const"]])
    kind = str(words.get("type"))
    if kind not in _WORDS or set(words) - _WORDS[kind]:
        raise ValueError(f"{PROVINCE_OPENAPI.name}: the simulator does not check {sorted(words)}.")
    return _compiled_type(kind, words, schemas)


def _compiled_type(  # noqa: PLR0911 - one for each type
    kind: str, words: Mapping[str, Any], schemas: Mapping[str, Any]
) -> CoreSchema:
    least, most = words.get("minimum"), words.get("maximum")
    match kind:
        case "string" if "enum" in words:
            return core_schema.literal_schema(words["enum"])
        case "string":
            shortest, longest = words.get("minLength"), words.get("maxLength")
            return core_schema.str_schema(
                strict=True, min_length=shortest, max_length=longest, pattern=words.get("pattern")
            )
        case "number":
            return core_schema.float_schema(strict=True, ge=least, le=most)
        case "integer":
            return core_schema.int_schema(strict=True, ge=least, le=most)
        case "boolean":
            return core_schema.bool_schema(strict=True)
        case "array":
            return core_schema.list_schema(_compiled(words["items"], schemas), strict=True)
        case _:
            fields = {
                name: core_schema.typed_dict_field(_compiled(inner, schemas), required=name in words["required"])
                for name, inner in words["properties"].items()
            }
            closed = words.get("additionalProperties") is False
            return core_schema.typed_dict_schema(fields, extra_behavior="forbid" if closed else "ignore", strict=True)
