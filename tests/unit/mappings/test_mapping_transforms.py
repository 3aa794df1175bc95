"""Transforms: what they make of a value, and what they refuse."""

import datetime as dt
import unicodedata
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hocba_hub.mappings.values.transforms import TRANSFORMS
from hocba_hub.mappings.values.value import ArgumentError, ValueRejected, as_text, clean_text, value_class


def run(name, value, argument=None):
    return TRANSFORMS[name].made(argument)(value)


@pytest.mark.parametrize(
    ("name", "argument", "value", "result"),
    [
        ("trim", None, "  An ", "An"),
        ("nfc", None, unicodedata.normalize("NFD", "Ðào Thị Ánh"), "Đào Thị Ánh"),
        ("collapse-spaces", None, "An \n Bình\t Chi", "An Bình Chi"),
        ("upper", None, "đạt", "ĐẠT"),
        ("lower", None, "ĐẠT", "đạt"),
        ("capitalise", None, "NGUYỄN VĂN ánh", "Nguyễn Văn Ánh"),
        ("digits", None, "033.315-000 001", "033315000001"),
        ("text", None, 7.0, "7"),
        ("pad", 12, 33315000001, "033315000001"),
        ("pad", {"width": 3, "with": "x"}, "a", "xxa"),
        ("pad", 2, "123", "123"),
        ("prefix", "TT", "22", "TT22"),
        ("suffix", " tuổi", 7, "7 tuổi"),
        ("replace", {"from": ",", "to": "."}, "8,5", "8.5"),
        ("replace", {"from": "x", "to": None}, "axb", "ab"),
        ("split", {"at": "-", "part": 2}, "a - b - c", "b"),
        ("split", {"at": "-", "part": -1}, "a-b-c", "c"),
        ("split", {"at": "-", "part": 4}, "a-b-c", None),
        ("split", {"at": ";", "into": ["a", "b", "c"], "part": "b"}, "8,5; 7,9;8,1", "7,9"),
        ("split", {"at": ";", "into": ["a", "b"], "part": "b"}, "8,5;", None),
        ("sum", None, ["8,5", 1, "0.25"], 9.75),
        ("sum", None, ["2", 1.0], 3),
        ("sum", None, [], None),
        ("count", None, ["a", "b"], 2),
        ("count", None, [], 0),
        ("coalesce", None, ["b", "a"], "b"),
        ("coalesce", None, [], None),
        ("join", ", ", ["a", 1.0], "a, 1"),
        ("join", ", ", [], None),
        ("name-part", "family", "Nguyễn Thị Ánh Tuyết", "Nguyễn"),
        ("name-part", "middle", "Nguyễn Thị Ánh Tuyết", "Thị Ánh"),
        ("name-part", "given", "Nguyễn Thị Ánh Tuyết", "Tuyết"),
        ("name-part", "middle", "Nguyễn An", None),
        ("name-part", "family", "An", None),
        ("name-part", "given", "An", "An"),
        ("empty", ["-", "/"], "-", None),
        ("empty", "-", "x", "x"),
        ("date", "dd/mm/yyyy", "2/9/2015", "2015-09-02"),
        ("date", "dd/mm/yyyy", "02/09/2015", "2015-09-02"),
        ("date", "mm/dd/yyyy", "02/09/2015", "2015-02-09"),
        ("date", "yyyymmdd", "20150902", "2015-09-02"),
        ("date", ["dd/mm/yyyy", "mm/yyyy", "yyyy"], "09/2015", "2015-09"),
        ("date", ["dd/mm/yyyy", "mm/yyyy", "yyyy"], 2015, "2015"),
        ("date", "iso", "2015-09-02T00:00:00+07:00", "2015-09-02"),
        ("date", "dd/mm/yyyy", dt.datetime(2015, 9, 2, 0, 0), "2015-09-02"),  # noqa: DTZ001 - as a spreadsheet gives it
        ("date", "dd/mm/yyyy", dt.date(2015, 9, 2), "2015-09-02"),
        ("date", "excel", 42249, "2015-09-02"),
        ("date", "excel", "42249", "2015-09-02"),
        ("date", "excel", 42249.75, "2015-09-02"),
        ("date", "excel", 61, "1900-03-01"),
        ("date", "excel", 59, "1900-02-28"),
        ("write-date", "dd/mm/yyyy", "2015-09-02", "02/09/2015"),
        ("write-date", "yyyy", "2015-09", "2015"),
        ("precision", "day", "2015-09-02", "2015-09-02"),
        ("precision", "day", "2015-09", None),
        ("precision", "month", "2015-09", "2015-09"),
        ("precision", "month", "2015-09-02", None),
        ("precision", "year", 2015, "2015"),
        ("base64", None, b"\xff\xfe<", "//48"),
        ("base64", None, "Đ", "xJA="),
        ("sha256", None, b"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("decimal", None, "8,50", "8.5"),
        ("decimal", None, "10.0", "10"),
        ("decimal", None, 0.1, "0.1"),
        ("decimal", None, "007", "7"),
        ("decimal", None, "-0,0", "0"),
        ("decimal", None, "-1,5", "-1.5"),
        ("number", None, "8,5", 8.5),
        ("number", None, "8,0", 8),
        ("integer", None, "7.0", 7),
        ("integer", None, 7.0, 7),
        ("round", 1, "8,25", "8.3"),
        ("round", 1, "8.24", "8.2"),
        ("round", 0, "0.5", "1"),
        ("decimal", 1, "23", "23.0"),
        ("decimal", 1, 23, "23.0"),
        ("decimal", 1, "23,45", "23.45"),
        ("mark", None, "8,00", "8.0"),
        ("mark", None, "8,50", "8.5"),
        ("mark", None, "8", "8"),
        ("mark", None, 8.0, "8"),
        ("mark", 0, "8,00", "8"),
        ("mark", 0, "7,5", "7.5"),
        ("mark", 1, 8.0, "8.0"),
        ("mark", 1, "10", "10.0"),
        ("mark", 1, "đ", "Đ"),
        ("mark", 1, "7,25", "7.25"),
        ("mark", None, 8.5, "8.5"),
        ("mark", None, "cđ", "CĐ"),
        ("flag", None, "X", True),
        ("flag", None, "Không", False),
        ("flag", None, 1, True),
        ("flag", None, False, False),
        ("flag", {"true": ["lên lớp"], "false": ["ở lại"]}, "Ở lại", False),
        ("level", "letter", "1", "T"),
        ("level", "letter", 4, "CĐ"),
        ("level", "letter", "đ", "Đ"),
        ("level", "digit", "CĐ", "4"),
        ("level", "digit", "2", "2"),
        ("school-year", None, "2025 - 2026", "2025-2026"),
        ("school-year", None, "2025/26", "2025-2026"),
        ("school-year", None, "1999-00", "1999-2000"),
        ("school-year", None, 2025, "2025-2026"),
        ("leading-number", None, "6A1", 6),
        ("leading-number", None, "Khối 10", 10),
    ],
)
def test_makes(name, argument, value, result):
    made = run(name, value, argument)
    assert made == result
    assert type(made) is type(result)


@pytest.mark.parametrize(
    ("name", "argument", "value"),
    [
        ("date", "dd/mm/yyyy", "30/02/2015"),
        ("date", "dd/mm/yyyy", "2015-09-02"),
        ("date", "dd/mm/yyyy", 42249),
        ("date", "dd/mm/yyyy", "02/09/1850"),
        ("date", "excel", 60),
        ("date", "excel", float("nan")),
        ("date", "excel", True),
        ("write-date", "dd/mm/yyyy", "2015-09"),
        ("precision", "day", "02/09/2015"),
        ("decimal", None, "1.234,5"),
        ("decimal", None, "tám"),
        ("decimal", None, True),
        ("decimal", None, "1e5"),
        ("integer", None, "7,5"),
        ("mark", None, "8,"),
        ("mark", 1, "8,"),
        ("flag", None, "có lẽ"),
        ("level", "letter", "5"),
        ("school-year", None, "2025-2027"),
        ("leading-number", None, "lớp sáu"),
    ],
)
def test_refuses_what_it_cannot_read(name, argument, value):
    with pytest.raises(ValueRejected) as refused:
        run(name, value, argument)
    assert str(value) not in str(refused.value.facts)


@pytest.mark.parametrize(
    ("name", "argument"),
    [
        ("trim", 3),
        ("pad", None),
        ("decimal", -1),
        ("mark", "1"),
        ("pad", 0),
        ("pad", True),
        ("pad", {"width": 3, "with": "ab"}),
        ("pad", {"wide": 3}),
        ("prefix", None),
        ("prefix", {}),
        ("replace", {"from": "", "to": "x"}),
        ("replace", "x"),
        ("split", {"at": "-", "part": 0}),
        ("split", {"at": ";", "into": ["a", "b"], "part": "c"}),
        ("split", {"at": ";", "into": ["a", "a"], "part": "a"}),
        ("split", {"at": ";", "into": "a", "part": "a"}),
        ("join", None),
        ("split", {"at": None, "part": 1}),
        ("name-part", "surname"),
        ("name-part", ["family"]),
        ("empty", None),
        ("date", None),
        ("date", "dd/mm"),
        ("date", ["dd/mm/yyyy", 3]),
        ("date", "dd mmm yyyy"),
        ("write-date", ["yyyy"]),
        ("precision", "week"),
        ("round", 9),
        ("round", "1"),
        ("flag", {"true": ["x"]}),
        ("flag", {"true": [], "false": ["y"]}),
        ("level", "word"),
        ("level", {}),
    ],
)
def test_a_wrong_argument_is_said_before_any_record(name, argument):
    with pytest.raises(ArgumentError):
        TRANSFORMS[name].made(argument)


@given(st.dates(min_value=dt.date(1900, 3, 1), max_value=dt.date(2100, 12, 31)))
@settings(deadline=None)
def test_a_date_survives_each_way_of_writing_it(day):
    iso = day.isoformat()
    assert run("date", f"{day:%d/%m/%Y}", "dd/mm/yyyy") == iso
    assert run("date", (day - dt.date(1899, 12, 30)).days, "excel") == iso
    assert run("date", run("write-date", iso, "dd.mm.yyyy"), "dd.mm.yyyy") == iso


@given(st.decimals(min_value=0, max_value=10, places=3), st.integers(0, 3))
@settings(deadline=None)
def test_rounding_is_exact_and_half_up(number, places):
    expected = number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    assert Decimal(run("round", format(number, "f").replace(".", ","), places)) == expected


@given(st.floats(allow_nan=False, min_value=0, max_value=1e6).map(lambda f: round(f, 4)))
@settings(deadline=None)
def test_a_json_number_and_its_comma_text_are_the_same_number(number):
    assert run("decimal", number) == run("decimal", format(Decimal(repr(number)), "f").replace(".", ","))


_VALUES = st.one_of(
    st.text(max_size=20), st.integers(), st.floats(), st.booleans(), st.dates(), st.datetimes(), st.decimals()
)
_ARGUMENTS = {
    "pad": 5,
    "precision": "day",
    "prefix": "a",
    "suffix": "a",
    "replace": {"from": "a", "to": "b"},
    "split": {"at": " ", "part": 1},
    "name-part": "given",
    "join": "-",
    "empty": "-",
    "date": ["dd/mm/yyyy", "yyyy", "iso", "excel"],
    "write-date": "dd/mm/yyyy",
    "round": 1,
    "level": "letter",
}


@given(st.sampled_from(sorted(TRANSFORMS)), _VALUES)
@settings(deadline=None)
def test_a_transform_gives_a_value_nothing_or_a_finding(name, value):
    try:
        made = run(name, [value, value] if TRANSFORMS[name].gathers else value, _ARGUMENTS.get(name))
    except ValueRejected:
        return
    shape = TRANSFORMS[name].shape(
        _ARGUMENTS.get(name), __import__("hocba_hub.mappings.values.value_shapes", fromlist=["x"]).Shape()
    )
    kinds = {"text": str, "integer": int, "number": (int, float), "boolean": bool, "any": object}
    assert made is None or isinstance(made, kinds[shape.type])
    assert made is None or shape.longest is None or len(as_text(made)) <= shape.longest
    assert made is None or shape.values is None or made in shape.values


@given(st.text())
@settings(deadline=None)
def test_clean_text_is_nfc_without_the_look_alike_and_stays_so(text):
    clean = clean_text(text)
    assert unicodedata.is_normalized("NFC", clean)
    assert "Ð" not in clean
    assert clean_text(clean) == clean


def test_the_class_of_a_value_never_shows_it():
    values = ["033315000001", 5, 5.5, True, None, "", dt.date(2015, 9, 2), {"a": 1}, [1, 2], Decimal("1.5")]
    shown = [value_class(value) for value in values]
    assert shown == [
        "text of 12 characters",
        "whole number",
        "number",
        "true or false",
        "missing",
        "missing",
        "date",
        "object",
        "list of 2",
        "number",
    ]
