"""What of a body is shown: the part of one card, and of it what is listed."""

from __future__ import annotations

import orjson

from hocba_hub.model.shown_bodies import plain_facts, shown

CARD = {
    "school": {"code": "33-TH-1", "name": "Trường Mẫu"}, "class": {"grade": 5}, "pupil": {"full_name": "An", "x": "7"},
    "year": {"subjects": [{"code": "TOAN", "name": "Toán", "comment": "giỏi", "score": 9}]}, "register_number": "1/2",
}  # fmt: skip
PLAIN = plain_facts(CARD)


def test_what_is_no_persons_is_listed():
    assert sorted(PLAIN) == ["33-TH-1", "5", "TOAN", "Toán", "Trường Mẫu"]


def test_of_json_the_item_that_names_the_card():
    record = {"id": "a", "ten": "An", "truong": "33-TH-1", "mon": [{"ma": "TOAN", "diem": 9, "dat": True}]}
    body = orjson.dumps({"batch": "B", "records": [{"id": "b", "ten": "Bình"}, record, {"id": "c"}]})
    assert orjson.loads(shown(body, {"a"}, PLAIN, is_answer=False) or "") == {
        "id": "a", "ten": "•••", "truong": "33-TH-1", "mon": [{"ma": "TOAN", "diem": "•••", "dat": True}],
    }  # fmt: skip
    assert shown(body, {"z"}, PLAIN, is_answer=False) is None
    lines = b"\n".join(orjson.dumps(one) for one in ({"id": "b"}, record))
    assert '"truong": "33-TH-1"' in (shown(lines, {"a"}, PLAIN, is_answer=False) or "")
    whole = orjson.dumps({"truong": "33-TH-1", "hocba": {"id": "a", "ten": "An"}})
    assert orjson.loads(shown(whole, {"a"}, PLAIN, is_answer=False) or "") == {
        "truong": "33-TH-1", "hocba": {"id": "a", "ten": "•••"},
    }  # fmt: skip


def test_of_an_answer_codes_too():
    body = orjson.dumps({"results": [{"id": "a", "code": "SCHOOL_UNKNOWN", "message": "An is unknown"}, {"id": "b"}]})
    assert orjson.loads(shown(body, {"a"}, PLAIN, is_answer=True) or "") == {
        "id": "a", "code": "SCHOOL_UNKNOWN", "message": "•••",
    }  # fmt: skip
    receipt = orjson.dumps({"status": "TAKEN", "said": "Nguyễn Văn An"})
    assert orjson.loads(shown(receipt, {"a"}, PLAIN, is_answer=True) or "") == {"status": "TAKEN", "said": "•••"}
    long = orjson.dumps([{"x": "Y"}] * 100)
    assert shown(long, {"a"}, PLAIN, is_answer=True) is None


def test_of_xml_the_element_that_names_the_card():
    body = (
        '<r xmlns="urn:x"><h>secret</h><list><c id="b"><n>Bình</n></c><c id="a" t="An"><n>An</n><s>33-TH-1</s>'
        "tail</c></list></r>"
    ).encode()
    found = shown(body, {"a"}, PLAIN, is_answer=False) or ""
    assert 'id="a"' in found
    assert 't="•••"' in found
    assert "<s>33-TH-1</s>" in found
    assert "Bình" not in found
    assert "secret" not in found
    assert "tail" not in found
    alone = shown(b"<r><id>a</id><n>An</n></r>", {"a"}, PLAIN, is_answer=False) or ""
    assert "<n>•••</n>" in alone
    for nothing in (b"<r><id>b</id></r>", b"<r", b'<!DOCTYPE r [<!ENTITY x "y">]><r>a</r>', b"", b"\xff"):
        assert shown(nothing, {"a"}, PLAIN, is_answer=False) is None
