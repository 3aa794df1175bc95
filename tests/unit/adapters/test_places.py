"""Places in answers and requests: the same path in XML and in JSON."""

from __future__ import annotations

import pytest
from lxml import etree
from pydantic import TypeAdapter, ValidationError

from hocba_hub.adapters.destination import DestinationError
from hocba_hub.adapters.places import Place, Texts, elements_at, nested, text_at, value_at

ANSWER = etree.fromstring(
    '<r:A xmlns:r="urn:r" xmlns:q="urn:q" q:own="7">'
    '<r:Line no=" 1 "><r:Code> OK </r:Code><Status code="X" q:at="Y"/></r:Line>'
    '<Line no="2"><Code/></Line><B><Line no="3"/></B></r:A>'
)
JSON = {"a": {"b": [1], "c": None}, "d": 0}


@pytest.mark.parametrize(
    ("place", "found"),
    [
        ("Line/Code", "OK"),
        ("Line/@no", "1"),
        ("Line/Status/@code", "X"),
        ("Line/Status/@at", "Y"),
        ("@own", "7"),
        ("B/Line/@no", "3"),
        ("Line/Nothing", None),
        ("Line/@nothing", None),
        ("Nothing/@no", None),
        (None, None),
    ],
)
def test_a_text_of_xml(place, found):
    assert text_at(ANSWER, place) == found


def test_elements_are_those_at_the_place_alone():
    assert [one.get("no") for one in elements_at(ANSWER, "Line")] == [" 1 ", "2"]
    assert [one.get("no") for one in elements_at(ANSWER, "B/Line")] == ["3"]
    assert list(elements_at(ANSWER, ".")) == [ANSWER]


def test_several_texts_at_once_are_each_text():
    (line, other) = elements_at(ANSWER, "Line")
    for places in (("Code", None, "Status"), ("Code", "@no", "Status/@code", ".", None)):
        for element in (line, other):
            assert Texts(*places)(element) == tuple(text_at(element, place) for place in places)


def test_the_first_of_several_children_counts():
    element = etree.fromstring("<a><b>1</b><b>2</b></a>")
    assert Texts("b")(element) == (text_at(element, "b"),) == ("1",)


@pytest.mark.parametrize(
    ("place", "found"), [("a/b", [1]), ("a/c", None), ("a/x", None), ("d", 0), ("d/x", None), (".", JSON)]
)
def test_a_value_of_json(place, found):
    assert value_at(JSON, place) == found


@pytest.mark.parametrize("place", [".", "a", "a/b", "@a", "a/@b", "học_bạ/@mã", "a-b/c.d"])
def test_what_is_a_place(place):
    assert TypeAdapter(Place).validate_python(place) == place


@pytest.mark.parametrize(
    "place", ["", "/a", "a/", "a//b", "a/./b", "..", "../a", "@a/b", "a@b", "a b", "{*}a", "@", "a" * 201]
)
def test_what_is_none(place):
    with pytest.raises(ValidationError):
        TypeAdapter(Place).validate_python(place)


def test_values_with_places_are_a_tree():
    assert nested([("a/b", 1), ("a/@c", 2), ("d", 3)]) == {"a": {"b": 1, "@c": 2}, "d": 3}


@pytest.mark.parametrize("places", [["a", "a"], ["a", "a/b"], ["a/b", "a"], ["a/b", "a/b"]])
def test_two_values_for_one_place_are_none(places):
    with pytest.raises(DestinationError, match="given twice"):
        nested([(place, 1) for place in places])
