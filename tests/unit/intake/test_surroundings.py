"""What stands around a list is kept with each of its records, wherever in the document it stands."""

import json

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from hocba_hub.intake.errors import SubmissionError
from hocba_hub.intake.split.json import JsonSplitter
from hocba_hub.intake.split.lines import LineSplitter
from hocba_hub.intake.split.xml import XmlSplitter
from hocba_hub.intake.translate import record_of
from hocba_hub.mappings.document.document import Source
from hocba_hub.mappings.document.paths import parse_path
from hocba_hub.mappings.records.record import json_records, parse_xml, xml_records

ALL = frozenset("abc")
PLAIN = st.one_of(st.integers(-9, 9), st.text('xé"\\{[,', max_size=4), st.booleans(), st.none())
BESIDE = st.dictionaries(st.sampled_from("abc"), st.one_of(PLAIN, st.lists(PLAIN, max_size=2)), max_size=3)
CARDS = st.lists(st.dictionaries(st.sampled_from(["x", "list", "y"]), PLAIN, min_size=1), max_size=3)


@st.composite
def _objects(draw, name, content):
    """An object with a member among others, at any place."""
    members = list(draw(BESIDE).items())
    members.insert(draw(st.integers(0, len(members))), (name, draw(content)))
    return dict(members)


FLAT = _objects("list", CARDS)
NESTED = _objects("rooms", st.lists(_objects("list", CARDS), max_size=3))


def _fed(splitter, document, size):
    found = []
    for place in range(0, len(document), size):
        found += splitter.feed(document[place : place + size])
    return found + splitter.feed(b"", final=True)


def _around(record):
    scope, found = record.around, []
    while scope is not None:
        if scope[0]:
            found.append(scope[0])
        scope = scope[1]
    return found


@settings(max_examples=300)
@given(st.one_of(FLAT.map(lambda d: (d, "list")), NESTED.map(lambda d: (d, "rooms/list"))), st.integers(1, 40))
def test_a_json_record_reads_the_same_by_itself_as_in_its_document(made, size):
    document, path = made
    source = Source("json", records=parse_path(path))
    expected = [one for one in json_records(document, source) if hasattr(one, "node")]
    splitter = JsonSplitter(path.split("/"), 10_000, [ALL] * 2)
    if not expected:
        with pytest.raises(SubmissionError):
            _fed(splitter, json.dumps(document).encode(), size)
        return
    again = [record_of(raw, source) for raw in _fed(splitter, json.dumps(document, ensure_ascii=False).encode(), size)]
    assert [one.node for one in again] == [one.node for one in expected]
    assert [_around(one) for one in again] == [_around(one) for one in expected]


@settings(max_examples=200)
@given(NESTED, st.integers(1, 60))
def test_an_xml_record_reads_the_same_by_itself_as_in_its_document(made, size):
    root = etree.Element("root", year="2025-2026")

    def fill(parent, members):
        for name, value in members.items():
            # Of a name that repeats around the list only what stands before counts; so there are none here.
            several = value if isinstance(value, list) and name in {"rooms", "list"} else [value]
            for one in several:
                child = etree.SubElement(parent, "{urn:n}" + name if name == "c" else name)
                if isinstance(one, dict):
                    child.set("id", "1")
                    fill(child, one)
                else:
                    child.text = str(one)

    fill(root, made)
    document = etree.tostring(root, encoding="utf-8")
    source = Source("xml", records=parse_path("rooms/list"), namespaces={"n": "urn:n"})
    expected = [one for one in xml_records(parse_xml(document.decode()), source) if hasattr(one, "node")]
    splitter = XmlSplitter(("rooms", "list"), source.namespaces, 10_000, [frozenset({"a", "b", "n:c", "@year"})] * 2)
    if not expected:
        with pytest.raises(SubmissionError):
            _fed(splitter, document, size)
        return
    again = [record_of(raw, source) for raw in _fed(splitter, document, size)]
    assert [one.node for one in again] == [one.node for one in expected]
    assert [_around(one) for one in again] == [_around(one) for one in expected]


def test_what_nobody_reads_does_not_hold_records_back():
    splitter = JsonSplitter(("list",), 1_000, [frozenset({"a"})])
    assert splitter.feed(b'{"a": 1, "list": [{"x": 1}, ') == [b'{"a": 1,"list":[{"x": 1}]}']
    assert splitter.feed(b'{"x": 2}], "b": 2}', final=True) == [b'{"a": 1,"list":[{"x": 2}]}']


def test_records_wait_for_what_is_read_but_not_for_ever():
    splitter = JsonSplitter(("list",), 1_000_000, [frozenset({"a"})])
    record = b'{"x": "' + b"y" * 900_000 + b'"}'
    assert splitter.feed(b'{"list": [' + record + b"," + record) == []
    assert len(splitter.feed(b'], "a": 5}', final=True)) == 2
    splitter = JsonSplitter(("list",), 1_000_000, [frozenset({"a"})])
    with pytest.raises(SubmissionError) as refused:
        splitter.feed(b'{"list": [' + b",".join([record] * 10))
    assert refused.value.code == "profile.head-late"


@pytest.mark.parametrize("is_xml", [False, True])
def test_a_head_that_rules_read_has_a_limit_and_of_the_rest_the_first_is_kept(is_xml):
    def fed(names, a, b):
        if is_xml:
            document, splitter = (
                f"<r><a>{a}</a><b>{b}</b><list>1</list></r>",
                XmlSplitter(("list",), {}, 10**6, [names]),
            )
        else:
            document, splitter = f'{{"a": "{a}", "b": "{b}", "list": [1]}}', JsonSplitter(("list",), 10**6, [names])
        return _fed(splitter, document.encode(), 1_000)

    [whole] = fed(frozenset({"b"}), "x" * 20_000, "y" * 20_000)
    assert b"x" not in whole
    assert b"y" * 20_000 in whole
    with pytest.raises(SubmissionError) as refused:
        fed(frozenset({"b"}), "x", "y" * 70_000)
    assert refused.value.code == "profile.head-too-large"


@pytest.mark.parametrize("raw", [b'{"list": [{"x": 1}]}', b'{"l\\u0069st": [{"x": 1}]}'])
def test_a_record_that_looks_like_its_document_is_never_taken_for_it(raw):
    source, node = Source("json", records=parse_path("list")), orjson.loads(raw)
    for found in (
        LineSplitter(1_000, ("list",)).feed(raw, final=True),
        JsonSplitter(("list",), 1_000).feed(b"[" + raw + b"]", final=True),
        JsonSplitter(("list",), 1_000).feed(b'{"list":[' + raw + b"]}", final=True),
    ):
        assert [record_of(one, source).node for one in found] == [node]


def test_the_header_of_an_envelope_is_not_kept_unless_it_is_read():
    soap = "http://schemas.xmlsoap.org/soap/envelope/"
    document = f"<s:E xmlns:s='{soap}'><s:Header><p>secret</p></s:Header><s:Body><r>1</r></s:Body></s:E>".encode()
    path, names = ("s:Body", "r"), {"s": soap}
    assert XmlSplitter(path, names).feed(document, final=True) == [
        f"<s:E xmlns:s='{soap}'><s:Body><r>1</r></s:Body></s:E>".encode()
    ]
    [kept] = XmlSplitter(path, names, names=[frozenset({"s:Header"})]).feed(document, final=True)
    assert b"secret" in kept
