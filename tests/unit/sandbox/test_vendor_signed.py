"""Cards signed at the school: their bytes pass through untouched, while a canonical card is made from them."""

import asyncio
import hashlib
import io
import json
import zipfile
from base64 import b64decode
from datetime import UTC, datetime

import pytest
from lxml import etree

from hocba_hub.adapters.protocol import OutboundRecord
from hocba_hub.intake.profiles import vendor_type
from hocba_hub.intake.split.splitter import split_stream, splitter_for
from hocba_hub.intake.translate import translate
from hocba_hub.mappings.library.library import shipped_library
from hocba_hub.mappings.library.mapping_set import MappingSet
from hocba_hub.mappings.tables.table_files import shipped_tables
from hocba_hub.model.keys import CardId, CardKey, Event, SchoolCode, SchoolYear, Version
from hocba_hub.model.reading import read_card
from hocba_hub.sandbox.synthetic import generate
from hocba_hub.sandbox.vendors import WRITERS
from hocba_hub.sandbox.vendors.signed_xml import SIGNATURE, signed_document

MAPPINGS_IN_FORCE = MappingSet(shipped_library(), shipped_tables())
SOURCE = MAPPINGS_IN_FORCE.select("signed-card").source
CARDS = list(generate(30, 11, schools=30))


def digest_holds(document):
    """Whether the digest in the signature is that of the document without it (XMLDSig, enveloped-signature)."""
    root = etree.fromstring(document)
    [signature] = root.iterfind(f"{{{SIGNATURE}}}Signature")
    said = signature.findtext(f".//{{{SIGNATURE}}}DigestValue")
    [reference] = signature.iter(f"{{{SIGNATURE}}}Reference")
    assert reference.get("URI") == f"#{root.get('Id')}"
    root.remove(signature)
    return b64decode(said) == hashlib.sha256(etree.tostring(root, method="c14n", exclusive=True)).digest()


def received(document):
    """The records that a call with this body brings."""

    async def pieces():
        for place in range(0, len(document), 1000):
            yield document[place : place + 1000]

    async def run():
        splitter = splitter_for(SOURCE, 1_000_000, is_xml=True, has_lines=False)
        return [one async for one in split_stream(pieces(), splitter, 1_000_000, 10)]

    return asyncio.run(run())


@pytest.mark.parametrize(
    "written",
    [
        lambda document: document,
        lambda document: b"\xef\xbb\xbf" + document,
        lambda document: document.replace(b"?>\n", b"?>\r\n<!-- printed twice --> ").replace(b"/></", b" />\n</", 1),
    ],
)
def test_the_bytes_are_the_school_s_and_the_card_stands_beside_them(written):
    for raw in CARDS:
        document = written(signed_document(json.loads(raw)))
        assert received(document) == [document]
        assert digest_holds(document.removeprefix(b"\xef\xbb\xbf"))
        made = translate(document, MAPPINGS_IN_FORCE, "signed-card")
        assert made.findings == ()
        assert read_card(made.canonical).canonical == raw


def test_the_digest_tells_a_changed_letter():
    document = signed_document(json.loads(CARDS[0]))
    assert not digest_holds(document.replace("Hưng Yên".encode(), "Hưng yên".encode(), 1))


def test_what_came_under_the_profile_s_media_type_counts_as_signed():
    document = signed_document(json.loads(CARDS[0]))
    sent = OutboundRecord(
        delivery_id=1,
        key=CardKey(SchoolYear("2025-2026"), CardId("HB-1")),
        version=Version(1),
        event=Event.NEW,
        school=SchoolCode("33000123"),
        accepted_at=datetime(2026, 6, 20, tzinfo=UTC),
        canonical=CARDS[0],
        document=document,
        document_type=vendor_type("signed-card", "xml"),
    )
    assert sent.is_signed


def test_the_archive_has_one_document_for_each_card_and_is_the_same_each_time():
    first, second = io.BytesIO(), io.BytesIO()
    for file in (first, second):
        assert WRITERS["signed-card"](map(json.loads, CARDS), file) == len(CARDS)
    assert first.getvalue() == second.getvalue()
    with zipfile.ZipFile(first) as archive:
        documents = [archive.read(name) for name in archive.namelist()]
    assert documents == [signed_document(json.loads(raw)) for raw in CARDS]
