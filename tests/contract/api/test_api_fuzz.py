"""The API held against its own OpenAPI document: whatever is sent, no fault, and every answer as documented."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import schemathesis
from schemathesis.config import SchemathesisConfig

from hocba_hub.api.app import openapi_document
from hocba_hub.store.access import Role, add_client
from hocba_hub.store.engine import Store
from hocba_hub.store.schema import upgrade
from tests.support.acceptance import submit
from tests.support.api_server import Api, running_api
from tests.support.long_form import LONG

EXAMPLES = 40 if LONG else 5
"""For each operation, phase and store."""
ENGINES = ("postgresql", "sqlite") if LONG else ("postgresql",)
"""In the short form the one that refuses more: NUL in texts, numbers out of range."""

CONFIG = SchemathesisConfig.from_dict(
    {
        "seed": 20260531,
        "generation": {"deterministic": True, "max-examples": EXAMPLES},
        "operations": [
            # What a record, a selection, a mapping or a certificate must be is said by findings and codes, not by the
            # document alone; and only a listing knows its cursors.
            {
                "include-path-regex": "report-cards|replay|failure-groups|returns|edits|hurry|cancel|submissions"
                "|findings|deliveries|audit|mappings|runs|acknowledgements|locks|transfers|reconciliation|code|certificates"
                "|revocation|deadlines|expected-cards|reports|operations/files",
                "checks": {
                    "positive_data_acceptance": {"expected-statuses": ["2xx", 400, 404, 409, 412, 415, 422, 428]},
                    # A query parameter that nobody knows is left aside, and the key is put in by this test.
                    "negative_data_rejection": {"expected-statuses": [200, "4xx"]},
                },
            },
            # A file's name, form and profile have to fit each other, and its parts; a file of any bytes is taken.
            {
                "include-path-regex": "^/v1/files",
                "checks": {
                    "positive_data_acceptance": {"expected-statuses": ["2xx", 400, 404, 409, 413, 415, 422]},
                    "negative_data_rejection": {"expected-statuses": ["2xx", "4xx"]},
                },
            },
            # Saying what is wrong with a record is what this call is for.
            {
                "include-path": "/v1/report-cards/validate",
                "checks": {"negative_data_rejection": {"expected-statuses": [200, "4xx"]}},
            },
        ],
    }
)


@schemathesis.serializer("application/x-ndjson")
def as_lines(_: schemathesis.SerializationContext, value: object) -> bytes:
    """NDJSON as it comes: the document says no more than that it is text."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


schema = schemathesis.openapi.from_dict(openapi_document(), config=CONFIG)


@pytest.fixture(scope="module", params=ENGINES)
def api(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('fuzz') / 'hub.db'}"
    else:
        url = request.getfixturevalue("postgres").create_database("fuzz")
    store = Store(url)
    upgrade(store)
    with running_api(store, files_dir=tmp_path_factory.mktemp("spool")) as running:
        submit(store, ("a", "1"), ("b", "1"), now=running.now)
        yield running


@pytest.fixture(scope="module")
def keys(api: Api) -> dict[str, str]:
    with api.store.write() as connection:
        destination = add_client(connection, "ministry-push", (), now=api.now, destination="ministry").key
    return {
        "clientKey": api.client_key(), "operatorKey": api.operator_key(Role.ADMINISTRATOR),
        "/v1/acknowledgements": destination,
    }  # fmt: skip


@schema.parametrize()
def test_whatever_is_sent_the_answer_is_as_documented(case, api: Api, keys: dict[str, str]):
    needed = [name for each in case.operation.definition.raw.get("security", []) for name in each]
    key = keys.get(case.operation.path) or keys.get(needed[0] if needed else "")
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    case.call_and_validate(base_url=api.url, headers=headers)


HOSTILE = {
    "nothing": b"",
    "cut off": b'{"selection": {"code": "X"}, "reason": "abc',
    "deep": b"[" * 100_000,
    "deep objects": b'{"selection":' * 20_000,
    "not UTF-8": b'{"reason": "\xff\xfe"}',
    "UTF-16": '{"reason": "abc"}'.encode("utf-16"),
    "a lone surrogate": b'{"selection": {"code": "X"}, "reason": "abc\\ud800"}',
    "NUL": b'{"selection": {"code": "X"}, "reason": "abc\\u0000"}',
    "a huge number": b'{"selection": {"deliveries": [' + b"9" * 5_000 + b'], "code": "X"}, "reason": "abc"}',
    "not a number": b'{"selection": {"deliveries": [NaN, Infinity, -1e999]}, "reason": "abc"}',
    "a fraction": b'{"selection": {"deliveries": [1.5, "1", true]}, "reason": "abc"}',
    "an array": b"[]",
    "null": b"null",
    "a time out of range": b'{"selection": {"since": "9999-12-31T23:59:59-23:59"}, "reason": "abc", "dry_run": true}',
    "the first day": b'{"selection": {"until": "0001-01-01T00:00:00+23:59"}, "reason": "abc", "dry_run": true}',
}


@pytest.mark.parametrize("name", HOSTILE)
def test_no_body_is_a_fault(api: Api, keys: dict[str, str], name: str):
    key = keys["operatorKey"]
    answer = api.post(
        "/v1/operations/replays", key, content=HOSTILE[name], headers={"Content-Type": "application/json"}
    )
    assert answer.status_code < 500
    if answer.status_code != 200:
        assert answer.json()["code"] in {"body.not-json", "request.malformed", "request.invalid"}


@pytest.mark.parametrize(
    "path",
    [
        "/v1/findings?school=%00",
        "/v1/findings?school=%ff%fe",
        "/v1/findings?school_year=2025-2026%00",
        "/v1/findings?limit=99999999999999999999999",
        "/v1/findings?limit=-1",
        "/v1/report-cards/2025-2026/%00",
        "/v1/report-cards/2025-2026/%ff",
        "/v1/report-cards/2025-2026/a/versions/99999999999999999999/document",
        "/v1/report-cards/2025-2026/a/versions/-1/document",
        "/v1/submissions/" + "0" * 10_000,
        "/%00",
        "/v1/findings?" + "a=1&" * 5_000,
    ],
)
def test_no_path_or_query_is_a_fault(api: Api, keys: dict[str, str], path: str):
    answer = api.get(path, keys["clientKey"])
    assert answer.status_code in {200, 400, 404, 414, 422, 431}
