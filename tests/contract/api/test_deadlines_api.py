"""The deadline board over the API and on the command line."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from openpyxl import load_workbook

from hocba_hub.model.deadlines import ExpectedBy
from hocba_hub.store.access import Role
from hocba_hub.store.board import take_snapshot
from hocba_hub.store.engine import Store
from hocba_hub.store.expected import said
from tests.support.api_server import Api, running_api
from tests.support.planted import NAMES, SCHOOLS, YEAR, plant

BOARD = "/v1/operations/deadlines"


@pytest.fixture
def api(store: Store) -> Iterator[Api]:
    plant(store, per_class=2)
    with running_api(store) as running:
        yield running


def test_the_board_page_by_page(api: Api):
    viewer = api.operator_key(Role.VIEWER)
    assert api.get(BOARD, viewer).status_code == 404  # nothing was counted yet
    take_snapshot(api.store, YEAR, NAMES, api.now)
    found = api.get(BOARD, viewer).json()
    assert (found["school_year"], found["as_of"][:4]) == (YEAR, "2026")
    assert {(one["destination"], one["backlog"]) for one in found["forecasts"]} == {("ministry", 0), ("province", 0)}
    assert {one["window"]["timing"] for one in found["levels"]} == {"always"}
    asked = {"by": "school", "destination": "province", "limit": 12}
    seen, after = [], {}
    while True:
        page = api.get(BOARD, viewer, params=asked | after).json()
        seen += [one["school_code"] for one in page["places"]]
        if "next" not in page:
            break
        after = {"after": page["next"]}
    assert sorted(seen) == sorted(f"S{n}" for n in range(SCHOOLS))
    one = api.get(BOARD, viewer, params={"by": "class", "school": "S1", "level": "lower-secondary"}).json()["places"]
    assert {place["grade"] for place in one} == {6, 7, 8, 9}
    take_snapshot(api.store, YEAR, NAMES, api.now + 1)
    again = api.get(BOARD, viewer, params=asked | after).json()
    assert [one["school_code"] for one in again["places"]] == seen[:12]  # of another snapshot it begins anew
    assert api.get(BOARD, viewer, params={"by": "pupil"}).status_code == 422


def test_schools_that_need_help_and_the_workbook(api: Api):
    viewer = api.operator_key(Role.VIEWER)
    take_snapshot(api.store, YEAR, NAMES, api.now)
    listed = api.get(f"{BOARD}/schools", viewer, params={"limit": 5}).json()["schools"]
    undone = [one["missing"] + one["refused"] for one in listed]
    assert len(undone) == 5
    assert undone == sorted(undone, reverse=True)
    made = api.get(f"{BOARD}/report.xlsx", viewer)
    sheets = load_workbook(io.BytesIO(made.content), read_only=True).sheetnames
    assert sheets[0] == "Tổng hợp - Summary"


@pytest.mark.parametrize("name", ["=1+1", '=HYPERLINK("x")', "-1A", "@sum"])
def test_a_class_whose_name_looks_like_a_formula_is_text_in_the_workbook(api: Api, name: str):
    one = {"school_code": "S0", "grade": 1, "class_code": name, "pupils": 30}
    body = {"school_year": YEAR, "classes": [one]}
    assert api.call("PUT", f"{BOARD}/rosters", api.operator_key(Role.OPERATOR, name="lan"), json=body).is_success
    take_snapshot(api.store, YEAR, NAMES, api.now)
    made = api.get(f"{BOARD}/report.xlsx", api.operator_key(Role.VIEWER))
    book = load_workbook(io.BytesIO(made.content))
    found = [cell for sheet in book for line in sheet.iter_rows() for cell in line if cell.value == name]
    assert found
    assert {cell.data_type for cell in found} == {"s"}


def test_rosters_and_statements_say_what_is_expected(api: Api):
    one = {"school_code": "S0", "grade": 1, "class_code": "1A", "pupils": 30}
    body = {"school_year": YEAR, "classes": [one]}
    viewer, operator = api.operator_key(Role.VIEWER), api.operator_key(Role.OPERATOR)
    mine, other = api.client_key("S0", name="mine"), api.client_key("S1", name="other")
    assert api.call("PUT", f"{BOARD}/rosters", viewer, json=body).status_code == 403
    assert api.call("PUT", f"{BOARD}/rosters", operator, json=body).json() == {"grades": 1}
    assert api.call("PUT", "/v1/expected-cards", other, json=body).json()["code"] == "access.school-not-permitted"
    assert api.call("PUT", "/v1/expected-cards", mine, json=body).json() == {"grades": 1}
    assert api.call("PUT", "/v1/expected-cards", mine, json={"school_year": YEAR, "classes": []}).status_code == 422
    wrong = api.call("PUT", "/v1/expected-cards", mine, json={"school_year": YEAR, "classes": [one | {"grade": 13}]})
    assert wrong.status_code == 422
    with api.store.read() as connection:
        told = said(connection, YEAR)
    unit = ("S0", "primary", 1)
    assert told == {ExpectedBy.ROSTER: {unit: {"1A": 30}}, ExpectedBy.STATEMENT: {unit: {"1A": 30}}}


@pytest.mark.parametrize("year", ["0000-0001", "2025-2027", "2025", "1999-2000"])
def test_what_is_no_school_year_is_told_its_form(api: Api, year: str):
    operator, client = api.operator_key(Role.OPERATOR), api.client_key("S0")
    one = {"school_code": "S0", "grade": 1, "pupils": 30}
    for method, path, key, body in (
        ("POST", "/v1/operations/reports", operator, {"kind": "yearly"}),
        ("POST", "/v1/operations/reports", operator, {"kind": "weekly"}),
        ("PUT", f"{BOARD}/rosters", operator, {"classes": [one]}),
        ("PUT", "/v1/expected-cards", client, {"classes": [one]}),
    ):
        answer = api.call(method, path, key, json={**body, "school_year": year})
        [error] = answer.json()["errors"]
        assert (answer.status_code, error["pointer"]) == (422, "/school_year")
        assert "20" in error["expected"]


def test_nobody_without_a_key_sees_it(api: Api, tmp_path: Path):
    for path in ("", "/schools", "/report.xlsx"):
        assert api.get(f"{BOARD}{path}").status_code == 401
    assert api.call("PUT", "/v1/expected-cards", json={}).status_code == 401


def test_reports_are_made_listed_and_fetched(api: Api):
    viewer, operator = api.operator_key(Role.VIEWER), api.operator_key(Role.OPERATOR)
    path = "/v1/operations/reports"
    asked = {"kind": "weekly", "school_year": YEAR}
    assert api.post(path, viewer, json=asked).status_code == 403
    made = api.post(path, operator, json=asked)
    assert (made.status_code, made.json()["kind"]) == (201, "weekly")
    assert [one["id"] for one in api.get(path, viewer).json()["reports"]] == [made.json()["id"]]
    for form, start in (("docx", b"PK"), ("xlsx", b"PK")):
        document = api.get(f"{path}/{made.json()['id']}.{form}", viewer)
        assert document.content.startswith(start)
        assert f"weekly-{YEAR}" in document.headers["content-disposition"]
    assert api.get(f"{path}/999.docx", viewer).status_code == 404
    assert api.get(f"{path}/1.pdf", viewer).status_code == 422
    assert api.post(path, operator, json={"kind": "daily"}).status_code == 422
