"""XML of others is read without DTD, entities, network, odd encodings and unbounded anything."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hocba_hub.model.safe_xml import UnsafeXmlError, XmlDefect, XmlLimits, parse_xml
from tests.support.hostile_xml import documents

HOSTILE = documents()
STRICT = XmlLimits(text=1_000_000, may_point_outside=False)


def test_reads_what_is_right():
    document = '\ufeff<?xml version="1.0" encoding="UTF-8"?>\n<!-- c --><a b="1">Đỗ<?p i?></a>'.encode()
    root = parse_xml(document)
    assert (root.tag, root.text, root.get("b"), len(root)) == ("a", "Đỗ", "1", 0)


@pytest.mark.parametrize("name", HOSTILE)
def test_refuses_what_is_hostile(name):
    with pytest.raises(UnsafeXmlError) as refused:
        parse_xml(HOSTILE[name], STRICT)
    assert refused.value.message_vi != refused.value.message_en
    assert "hostname" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "defect"),
    [
        ("external entity, file", XmlDefect.DTD),
        ("billion laughs", XmlDefect.DTD),
        ("quadratic blow-up", XmlDefect.DTD),
        ("external schema", XmlDefect.OUTSIDE),
        ("XInclude", XmlDefect.OUTSIDE),
        ("huge attribute", XmlDefect.LONG_TEXT),
        ("long attribute", XmlDefect.LONG_ATTRIBUTE),
        ("long attribute, quoted otherwise", XmlDefect.LONG_ATTRIBUTE),
        ("many attributes", XmlDefect.TOO_MANY_ATTRIBUTES),
        ("many elements", XmlDefect.TOO_MANY_TAGS),
        ("long text", XmlDefect.LONG_TEXT),
        ("long name", XmlDefect.LONG_TEXT),
        ("deep", XmlDefect.MALFORMED),
        ("UTF-16", XmlDefect.ENCODING),
        ("UTF-7", XmlDefect.ENCODING),
        ("NUL", XmlDefect.ENCODING),
        ("overlong UTF-8", XmlDefect.MALFORMED),
    ],
)
def test_says_why(name, defect):
    with pytest.raises(UnsafeXmlError) as refused:
        parse_xml(HOSTILE[name], STRICT)
    assert refused.value.defect is defect


def test_an_answer_may_name_its_schema_which_is_not_fetched():
    assert parse_xml(HOSTILE["external schema"]).tag == "l"


def test_says_where_it_is_malformed():
    with pytest.raises(UnsafeXmlError) as refused:
        parse_xml(b"<a>\n<b></a>")
    assert "2" in refused.value.message_vi


@pytest.mark.parametrize(("length", "is_read"), [(99, True), (100, True), (101, False)])
def test_the_longest_text_is_the_last_that_is_read(length, is_read):
    document = b"<a><b>" + b"x" * (length - len(b"b>")) + b"</b>" + b"<c/>" * 50 + b"</a>"
    limits = XmlLimits(text=100)
    if is_read:
        assert len(parse_xml(document, limits)) == 51
    else:
        with pytest.raises(UnsafeXmlError):
            parse_xml(document, limits)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(document):
    with suppress(UnsafeXmlError):
        parse_xml(document)
