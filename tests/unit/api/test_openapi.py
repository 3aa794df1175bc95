"""The OpenAPI document: whole, with keys and problems on every call, and with examples that fit their schemas."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from hocba_hub.api import shapes
from hocba_hub.api.app import openapi_document

DOCUMENT = openapi_document()
OPERATIONS = {
    f"{method.upper()} {path}": operation
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
}


ANYONE = {
    "GET /v1/card-fields", "GET /v1/rules", "GET /v1/findings/catalogue", "GET /v1/code-tables",
    "GET /v1/code-tables/{name}", "GET /v1/mappings",
}  # fmt: skip
OPERATORS = ("/v1/operations", "/v1/mappings", "/v1/code-", "/v1/unmapped-codes")


def examples() -> Iterator[tuple[str, Any]]:
    for name, schema in DOCUMENT["components"]["schemas"].items():
        for number, example in enumerate(schema.get("examples", ())):
            yield f"{name}[{number}]", (name, example)


@pytest.mark.parametrize("example", dict(examples()).values(), ids=dict(examples()))
def test_an_example_fits_its_schema(example: tuple[str, Any]):
    name, value = example
    registry = Registry().with_resource("urn:api", Resource(DOCUMENT, DRAFT202012))
    schema = {"$ref": f"urn:api#/components/schemas/{name}"}
    Draft202012Validator(schema, registry=registry, format_checker=FormatChecker()).validate(value)


def test_every_answer_has_an_example():
    shown = {name.partition("[")[0] for name, _ in examples()}
    assert {"Submission", "Card", "OpenCard", "DeliverySummary", "ActReport", "DestinationEntry", "AuditEntry"} <= shown


def test_a_shape_takes_what_its_example_shows():
    """The fields of the examples are those of the shapes, none is made up beside them."""
    for name, (schema, example) in examples():
        shape = getattr(shapes, schema, None)
        if shape is not None:
            assert set(example) <= set(shape.model_fields), name


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_call_says_its_key_its_problems_and_its_name_in_both_languages(name: str):
    operation = OPERATIONS[name]
    path = name.partition(" ")[2]
    if name in ANYONE:
        assert operation["security"] == [{"clientKey": []}, {"operatorKey": []}]
    elif path.startswith(OPERATORS):
        assert operation["security"] == [{"operatorKey": []}]
    elif path.startswith("/v1/"):
        assert operation["security"] == [{"clientKey": []}]
    else:
        assert "security" not in operation
    if path.startswith("/v1/"):
        for status in ("401", "403", "422", "429", "503"):
            assert operation["responses"][status] == {"$ref": "#/components/responses/Problem"}
        assert " / " in operation["description"]


def test_nothing_of_the_framework_is_left():
    assert DOCUMENT["openapi"].startswith("3.1")
    assert "HTTPValidationError" not in str(DOCUMENT)
    assert len({operation["operationId"] for operation in OPERATIONS.values()}) == len(OPERATIONS)
