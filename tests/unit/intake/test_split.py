"""A vendor's body cut into records: byte-exact, as it arrives, within bounds."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from hocba_hub.intake.errors import SubmissionError
from hocba_hub.intake.split.json import JsonSplitter
from hocba_hub.intake.split.splitter import split_stream, splitter_for
from hocba_hub.intake.split.xml import XmlSplitter
from hocba_hub.mappings.document.document import Source
from hocba_hub.mappings.document.paths import parse_path

NAMES = {"hb": "urn:hb", "": "urn:plain"}
LIST = """<?xml version="1.0" encoding="UTF-8"?>
<!-- one --><v:Gui xmlns:v="urn:hb" xmlns="urn:plain" note='a > b'><Nguoi>x</Nguoi>
 <v:DanhSach n="1"><v:HocBa id="a>b"><Ten>Đỗ &amp; Lê</Ten><v:HocBa>inner</v:HocBa></v:HocBa>
  <v:HocBa id='"/>"'/><Khac/><v:HocBa
  ><Ten><![CDATA[<v:HocBa>]]></Ten></v:HocBa ></v:DanhSach></v:Gui>""".encode()
RECORDS = [
    '<v:HocBa id="a>b"><Ten>Đỗ &amp; Lê</Ten><v:HocBa>inner</v:HocBa></v:HocBa>'.encode(),
    b"""<v:HocBa id='"/>"'/>""",
    b"<v:HocBa\n  ><Ten><![CDATA[<v:HocBa>]]></Ten></v:HocBa >",
]


def cut(document, path=("hb:DanhSach", "hb:HocBa"), sizes=(10_000,), names=NAMES):
    cutter, found, place = XmlSplitter(path, names), [], 0
    while place < len(document):
        size = sizes[len(found) % len(sizes)]
        found += cutter.feed(document[place : place + size])
        place += size
    return found + cutter.feed(b"", final=True)


def read(body, source, media_type, *, records=100, record_bytes=10_000, piece=7):
    async def pieces():
        for place in range(0, len(body), piece):
            yield body[place : place + piece]

    async def run():
        splitter = splitter_for(
            source, record_bytes, is_xml=source.format == "xml", has_lines=media_type == "application/x-ndjson"
        )
        return [one async for one in split_stream(pieces(), splitter, record_bytes, records)]

    return asyncio.run(run())


def xml_source(path):
    return Source("xml", records=parse_path(path), namespaces=NAMES)


def test_elements_are_cut_with_their_very_bytes_and_the_namespaces_around_them():
    found = cut(LIST)
    head = b"""<v:Gui xmlns:v="urn:hb" xmlns="urn:plain" note='a > b'><Nguoi>x</Nguoi><v:DanhSach n="1">"""
    between = [b"", b"", b"<Khac/>"]
    pairs = zip(between, RECORDS, strict=True)
    assert found == [head + beside + record + b"</v:DanhSach></v:Gui>" for beside, record in pairs]
    for record in found:
        [element] = etree.fromstring(record).iterfind("{urn:hb}DanhSach/{urn:hb}HocBa")
        assert element.tag == "{urn:hb}HocBa"


@given(st.lists(st.integers(1, 60), min_size=1, max_size=6))
def test_how_the_bytes_arrive_makes_no_difference(sizes):
    assert cut(LIST, sizes=sizes) == cut(LIST)


def test_a_record_right_below_the_root_and_names_without_namespace():
    assert cut(b"<a><b>1</b><c><b>no</b></c><b/></a>", ("b",), names={}) == [
        b"<a><b>1</b></a>",
        b"<a><c><b>no</b></c><b/></a>",
    ]


@pytest.mark.parametrize(
    "document",
    [
        b"<a><b>",
        b"<a><b></a></b>",
        b"not xml",
        b"",
        b'<!DOCTYPE a [<!ENTITY x "y">]><a><b>&x;</b></a>',
        '<?xml version="1.0" encoding="UTF-16"?><a><b/></a>'.encode("utf-16"),
        b'<?xml version="1.0" encoding="latin-1"?><a><b>\xe9</b></a>',
        b"<a><b>\xff</b></a>",
    ],
)
def test_what_is_broken_or_not_safe_is_refused(document):
    with pytest.raises(SubmissionError) as refused:
        cut(document, ("b",), names={})
    assert refused.value.code == "body.not-xml"


def test_what_belongs_to_no_record_is_not_held():
    cutter = XmlSplitter(("b",), {})
    cutter.feed(b"<a>")
    for _ in range(100):
        cutter.feed(b"<other>" + b"x" * 1_000 + b"</other><b/>")
        assert cutter.held < 3_000


def test_something_long_beside_the_records_is_not_held_either():
    cutter = XmlSplitter(("b",), {}, names=[frozenset({"c"})])
    cutter.feed(b"<a><other>")
    for _ in range(1_000):
        cutter.feed(b"x" * 1_000)
        assert cutter.held < 70_000
    assert cutter.feed(b"</other><c>1</c><b/></a>", final=True) == [b"<a><c>1</c><b/></a>"]


def test_a_record_that_never_ends_is_refused_before_it_is_read():
    source = Source("xml", records=parse_path("b"))
    with pytest.raises(SubmissionError) as refused:
        read(b"<a><b>" + b"x" * 100_000, source, "application/xml", record_bytes=1_000, piece=100)
    assert refused.value.code == "body.record-too-large"


def test_a_whole_document_is_a_record_where_the_profile_names_no_list():
    assert read(LIST, Source("xml"), "application/xml") == [LIST]


def test_the_list_of_a_json_document_is_cut_byte_exact():
    document = '{"x": {"hocBa": [9]}, "h\\u006fcBa" : [ {"a": 1.50},\n {"b":"é]"} ], "y": []}'.encode()
    source = Source("json", records=parse_path("hocBa"))
    around = b'{"x": {"hocBa": [9]},"hocBa":[%s]}'
    assert read(document, source, "application/json") == [around % b'{"a": 1.50}', around % '{"b":"é]"}'.encode()]
    assert JsonSplitter(("x", "hocBa"), 1_000).feed(document, final=True) == [b"9"]


def test_records_without_their_list_are_taken_too():
    source = Source("json", records=parse_path("hocBa"))
    assert read(b'[{"a":1}, {"a":2}]', source, "application/json") == [b'{"a":1}', b'{"a":2}']
    assert read(b'{"a":1}\n{"a":2}\n', source, "application/x-ndjson") == [b'{"a":1}', b'{"a":2}']
    assert read(b'{"a":1}', Source("json"), "application/json") == [b'{"a":1}']


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (b'{"other": []}', "profile.records"),
        (b'{"hocBa": 5}', "profile.records"),
        (b'{"hocBa": []}', "profile.records"),
        (b'"hocBa"', "profile.records"),
        (b'{"hocBa": [1], "x": }', "body.not-json"),
        (b'{"hocBa" [1]}', "body.not-json"),
        (b'{"hocBa": [1', "body.not-json"),
        (b'{"hocBa": [1]}\xff', "body.not-json"),
        (b'{"hocBa":' + b"[" * 100_000, "body.not-json"),
    ],
)
def test_a_json_document_without_the_list_is_refused(document, code):
    with pytest.raises(SubmissionError) as refused:
        read(document, Source("json", records=parse_path("hocBa")), "application/json", piece=50_000)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("body", "source", "media_type"),
    [
        (LIST, xml_source("hb:DanhSach/hb:HocBa"), "application/xml"),
        (b'{"l": [1, 2, 3]}', Source("json", records=parse_path("l")), "application/json"),
    ],
)
def test_there_may_only_be_so_many_records(body, source, media_type):
    assert len(read(body, source, media_type, records=3)) == 3
    with pytest.raises(SubmissionError) as refused:
        read(body, source, media_type, records=2)
    assert refused.value.code == "body.too-many-records"
