"""A destination's code list over a code table: what it adds, renames and ends."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from hocba_hub.mappings.tables.code_lists import Item, ListInForce, list_diff, with_list
from hocba_hub.mappings.tables.code_table import Column, Outcome, Row, Table
from hocba_hub.mappings.tables.table_files import shipped_tables

DAY = date(2026, 8, 25)
COLUMNS = {"name": Column("name", "", loose=True), "code": Column("code", "")}
PARENT = Table("base", "1", {}, "", COLUMNS, [Row({"name": ("Thái",), "code": ("03",)})], "name", "code")
TABLE = Table(
    "groups", "1", {}, "", COLUMNS,
    [Row({"name": ("Kinh", "Việt"), "code": ("01",)}), Row({"name": ("Tày",), "code": ("02",)})],
    "name", "code", PARENT,
)  # fmt: skip


def laid(*items: tuple[str, str], table: Table = TABLE) -> Table:
    return with_list(table, ListInForce(table.name, "code", "name", [Item(*item) for item in items], DAY))


def test_what_a_list_changes():
    items = [Item("01", "Việt"), Item("02", "Tày (Thổ)"), Item("04", "Hoa")]
    diff = list_diff(TABLE, "code", "name", items, DAY)
    assert (diff.added, diff.renamed, diff.ended) == ([items[2]], [items[1]], [Item("03", "Thái")])
    assert not diff.only_adds
    assert not list_diff(TABLE, "code", "name", [Item("01", "KINH"), Item("02", "Tày"), Item("03", "Thái")], DAY)
    same = [Item("01", "Kinh"), Item("02", "Tày"), Item("03", "Thái"), Item("05", "Mường")]
    assert list_diff(TABLE, "code", "name", same, DAY).only_adds


def test_the_table_with_a_list():
    view = laid(("01", "Kinh"), ("02", "Tày (Thổ)"), ("04", "Hoa")).view("name", "code")
    assert view.find("hoa", DAY).value == "04"
    assert view.find("Hoa", DAY - timedelta(1)).outcome is Outcome.OUT_OF_VALIDITY  # not before the list counted
    assert view.find("Tày", DAY).value == view.find("tày (thổ)", DAY).value == "02"
    assert view.find("Việt", DAY).value == "01"
    assert view.find("Thái", DAY).value == "03"  # its last day
    assert view.find("Thái", DAY + timedelta(1)).outcome is Outcome.OUT_OF_VALIDITY
    assert laid(("01", "Kinh"), ("02", "Tày (Thổ)")).view("code", "name").find("02", DAY).value == "Tày (Thổ)"


def test_other_code_systems_of_a_row_are_kept():
    table = shipped_tables()["ethnic-groups"]
    items = [
        Item(row.values["qd121"][0], f"{row.values['name'][0]} mới") for row in table.rows if row.values.get("qd121")
    ]
    after = with_list(table, ListInForce("ethnic-groups", "qd121", "name", items, DAY))
    assert after.view("name", "gso_census").find("Kinh", DAY).value == "01"
    assert after.view("name", "gso_census").find("Kinh mới", DAY).value == "01"


@given(
    st.dictionaries(st.sampled_from(["01", "02", "03", "04", "05"]), st.sampled_from(["Kinh", "Tày", "Thái", "Hoa"]))
)
def test_a_list_that_counts_changes_nothing_a_second_time(lines: dict[str, str]):
    items = [Item(*line) for line in lines.items()]
    if not items:
        return
    after = laid(*lines.items())
    diff = list_diff(after, "code", "name", items, DAY + timedelta(1))
    assert not diff
