"""Which version of a mapping is in force for whom, and what people said that unknown codes mean."""

from datetime import date

import pytest

from hocba_hub.mappings.document.parse import load_document
from hocba_hub.mappings.library.library import Library, MappingNotFoundError
from hocba_hub.mappings.library.mapping_set import InForce, MappingSet
from hocba_hub.mappings.records.record import JsonRecord
from hocba_hub.mappings.tables.code_table import Outcome
from hocba_hub.mappings.tables.fills import Objection, objection
from hocba_hub.mappings.tables.table_files import shipped_tables
from hocba_hub.model.activation import ActivationScope
from hocba_hub.model.codes import CodeFill, UnmappedCode

TABLES = shipped_tables()


def document(version="1.0.0", fields="{v: {value: x}}", more=""):
    return load_document(
        f"mapping: m\nversion: {version}\nsource: {{format: json}}\ntarget: t\n{more}\nfields: {fields}"
    )


def mapping_set(*in_force, shipped=("1.0.0",), fills=()):
    return MappingSet(Library(tuple(map(document, shipped)), {}), TABLES, in_force=in_force, fills=fills)


def compiled(some):
    return some.compiled(some.select("m"))


def chosen(some, **facts):
    return some.select("m", **facts).number


def test_what_comes_with_the_hub_counts_until_a_version_is_activated_even_an_older_one():
    assert chosen(mapping_set(shipped=("1.0.0", "1.1.0"))) == "1.1.0"
    assert chosen(mapping_set(InForce(document("0.9.0")), shipped=("1.0.0", "1.1.0"))) == "0.9.0"
    assert chosen(mapping_set(InForce(document("2.0.0")), InForce(document("1.5.0")))) == "1.5.0"


def test_the_narrowest_activation_wins_then_the_newest():
    some = mapping_set(
        InForce(document("1.1.0"), ActivationScope(client="a", school_year="2025-2026")),
        InForce(document("1.2.0"), ActivationScope(client="a")),
        InForce(document("1.3.0"), ActivationScope(school_year="2025-2026")),
        InForce(document("1.4.0")),
    )
    assert chosen(some, client="a", school_year="2025-2026") == "1.1.0"
    assert chosen(some, client="a", school_year="2024-2025") == "1.2.0"
    assert chosen(some, client="b", school_year="2025-2026") == "1.3.0"
    assert chosen(some, client="b", school_year="2024-2025") == "1.4.0"


def test_days_hold_at_both_ends_and_what_the_document_says_of_itself_holds_too():
    some = mapping_set(
        InForce(document("1.1.0"), ActivationScope(valid_from=date(2026, 1, 1), valid_to=date(2026, 1, 31))),
        InForce(document("1.2.0", more="applies: {clients: [north]}")),
    )
    days = {
        date(2025, 12, 31): "1.0.0",
        date(2026, 1, 1): "1.1.0",
        date(2026, 1, 31): "1.1.0",
        date(2026, 2, 1): "1.0.0",
    }
    assert {day: chosen(some, client="south", on=day) for day in days} == days
    assert chosen(some, client="north", on=date(2026, 1, 1)) == "1.2.0"


def test_nobody_knows_a_name_that_is_nowhere():
    with pytest.raises(MappingNotFoundError):
        mapping_set().select("other")


OWN = "{s: {from: x, table: mon}}"


def own(*fills):
    some = document("1.0.0", OWN, "tables: {mon: {TOAN: Toán, VAN: Ngữ văn}}")
    return MappingSet(Library((some,), {}), TABLES, fills=fills)


def test_a_filled_value_of_a_mappings_own_table_is_translated():
    fill = CodeFill("m/mon", "key", "TOA", "value", "Toán")
    assert compiled(own()).translate(JsonRecord({"x": "TOA"})).unmapped == (
        UnmappedCode("m/mon", "key", "TOA", "value"),
    )
    made = compiled(own(fill)).translate(JsonRecord({"x": "TOA"}))
    assert (made.output, made.findings) == ({"s": "Toán"}, ())
    assert compiled(own(fill)).translate(JsonRecord({"x": "VAN"})).output == {"s": "Ngữ văn"}


def test_a_fill_is_read_in_every_direction_of_its_rows_and_never_written():
    code = TABLES["subjects"].view("name", "code", {"level": "THPT"}).find("Toán").value
    table = mapping_set(fills=[CodeFill("subjects", "name", "Toán nâng cao", "code", code, {"level": "THPT"})]).tables[
        "subjects"
    ]
    assert table.view("name", "short_name", {"level": "THPT"}).find("toán nâng cao").value == "Toán"
    assert table.view("name", "code", {"level": "THCS"}).find("Toán nâng cao").outcome is Outcome.UNKNOWN
    back = table.view("code", "name", {"level": "THPT"}).find(code)
    assert back == TABLES["subjects"].view("code", "name", {"level": "THPT"}).find(code)


def test_a_new_result_is_in_force_on_its_days():
    fill = CodeFill("provinces", "legacy_code", "99", "code", "98", is_new=True, valid_from=date(2026, 7, 1))
    view = mapping_set(fills=[fill]).tables["provinces"].view("legacy_code", "code")
    assert view.find("99", date(2026, 7, 1)).value == "98"
    assert view.find("99", date(2026, 6, 30)).outcome is Outcome.OUT_OF_VALIDITY


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, None),
        ({"table": "nowhere"}, Objection.NO_TABLE),
        ({"system": "colour"}, Objection.NO_SYSTEM),
        ({"value": "Kinh"}, Objection.KNOWN),
        ({"result": "ZZ"}, Objection.NO_RESULT),
        ({"result": "ZZ", "is_new": True}, None),
    ],
)
def test_what_stands_against_a_fill(change, said):
    right = {"table": "ethnic-groups", "system": "name", "value": "Kính", "result_system": "qd121", "result": "01"}
    assert objection(TABLES, CodeFill(**{**right, **change})) == said
