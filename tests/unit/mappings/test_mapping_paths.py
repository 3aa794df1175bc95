"""Paths: one syntax over plain trees."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hocba_hub.mappings.document.paths import PathError, found, items, locate, parse_path, read
from hocba_hub.mappings.values.value import ValueRejected

CARD = {
    "hoTen": "An",
    "lop": {"ten": "7A", "gv": [{"ten": "Bình"}, {"ten": "Chi"}]},
    "diem": [{"ma": "TOAN", "hk1": 8}, {"ma": " VĂN", "hk1": 7}],
    "mon": {"TOAN": 8.5, "VAN": 7},
    "a/b": 1,
    "it's": 2,
    "@id": "x1",
}
ROOT = (CARD, None, (), 1)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("hoTen", "An"),
        (" lop / ten ", "7A"),
        ("/lop/ten", "7A"),
        ("diem[0]/ma", "TOAN"),
        ("diem[-1]/hk1", 7),
        ("diem[ma=VĂN]/hk1", 7),
        ("diem[ma='VĂN']/hk1", 7),
        ("diem[hk1=8]/ma", "TOAN"),
        ("diem/hk1", [8, 7]),
        ("lop/gv/ten", ["Bình", "Chi"]),
        ("'a/b'", 1),
        ("'it''s'", 2),
        ("@id", "x1"),
        ("nope", None),
        ("lop/nope/deeper", None),
        ("diem[7]/ma", None),
        ("diem[ma=LÝ]/ma", None),
        ("hoTen/@ma", None),
        ("hoTen/#text", "An"),
        (".position", 1),
    ],
)
def test_reads(path, value):
    assert read(parse_path(path))(ROOT) == value


def test_a_path_deeper_than_a_plain_value_does_not_fit():
    with pytest.raises(ValueRejected):
        read(parse_path("hoTen/ten"))(ROOT)


def test_paths_from_within_a_list_reach_up_and_to_the_root():
    inner = (CARD["diem"][1], ROOT, ("diem", 1), 2)
    assert read(parse_path("../hoTen"))(inner) == "An"
    assert read(parse_path("/hoTen"))(inner) == "An"
    assert read(parse_path("../diem[0]/ma"))(inner) == "TOAN"
    assert read(parse_path(".position"))(inner) == 2


def test_each_over_lists_objects_and_single_values():
    assert items(parse_path("diem"))(ROOT) == [(("diem", 0), CARD["diem"][0]), (("diem", 1), CARD["diem"][1])]
    assert items(parse_path("mon/*"))(ROOT) == [(("mon", "TOAN"), 8.5), (("mon", "VAN"), 7)]
    assert items(parse_path("lop"))(ROOT) == [(("lop",), CARD["lop"])]
    assert items(parse_path("nope"))(ROOT) == []
    subject = (8.5, ROOT, ("mon", "TOAN"), 1)
    assert read(parse_path(".key"))(subject) == "TOAN"
    assert read(parse_path("."))(subject) == 8.5


@pytest.mark.parametrize(
    ("path", "steps"),
    [
        ("diem[ma=VĂN]/hk1", ("diem", 1, "hk1")),
        ("diem[ma=LÝ]/hk1", ()),
        ("lop/nope/deeper", ("lop", "nope")),
        ("hoTen/ten", ("hoTen",)),
    ],
)
def test_locates_what_is_there_and_where_it_should_be(path, steps):
    assert locate(parse_path(path), ROOT) == steps


@pytest.mark.parametrize(
    "text",
    ["", "  ", None, 3, "a//b", "a/", "a[", "a[x]", "a[1][2]", "'a", "/..", "..a/.x", ".nope", "a/./b", "x/.key"],
)
def test_what_is_not_a_path_is_said(text):
    with pytest.raises(PathError):
        parse_path(text)


@given(st.text(max_size=30))
@settings(deadline=None)
def test_any_text_is_a_path_or_a_clear_error(text):
    try:
        path = parse_path(text)
    except PathError:
        return
    with contextlib.suppress(ValueRejected):
        found(CARD, path.steps)
    assert isinstance(locate(path, ROOT), tuple)


@given(st.text(min_size=1, max_size=12).filter(str.strip))
@settings(deadline=None)
def test_every_key_can_be_written_as_a_path(key):
    from hocba_hub.mappings.values.value import clean_text

    name = clean_text(key)
    quoted = "'" + name.replace("'", "''") + "'"
    assert read(parse_path(quoted))(({name: 5}, None, (), 1)) == 5
