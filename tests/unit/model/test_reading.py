"""Reading a card: whatever the bytes, an answer, with every finding at once and without the offending value."""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hocba_hub.model.card import CARD, canonical_bytes
from hocba_hub.model.fields import FORMS
from hocba_hub.model.reading import Reading, read_card
from tests.support.sample_cards import MAKERS, changed, own, primary_card, secondary_card

Card = dict[str, Any]
_ABSENT = {
    *("schema.missing", "schema.kind", "card.personal-number", "card.homeroom-number", "card.learning-missing"),
}
"""Findings about a field that may not be there: its parent must be."""
_TOKEN = "Qzxj"
"""Marks values, so that they can be looked for."""
_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False)
    | st.text(max_size=20).map(lambda text: f"{_TOKEN}{text}{_TOKEN}"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)
_QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def _encoded(value: Any) -> bytes:
    return json.dumps(value).encode()


def _codes(card: Card) -> list[str]:
    return [finding.kind.code for finding in read_card(orjson.dumps(card)).findings]


def _resolves(document: Any, pointer: str) -> bool:
    """RFC 6901, written out again."""
    if pointer == "":
        return True
    assert pointer.startswith("/")
    for raw_step in pointer[1:].split("/"):
        step = raw_step.replace("~1", "/").replace("~0", "~")
        if isinstance(document, list):
            if not step.isdigit() or int(step) >= len(document):
                return False
            document = document[int(step)]
        elif isinstance(document, dict) and step in document:
            document = document[step]
        else:
            return False
    return True


def _holds(reading: Reading, document: Any) -> None:
    """What is true of every reading."""
    assert (reading.card is None) == bool(reading.findings)
    if reading.card is not None:
        assert reading.canonical == canonical_bytes(reading.card)
        assert read_card(reading.canonical).canonical == reading.canonical
    for finding in reading.findings:
        shown = finding.as_json()
        assert "{" not in shown["message_vi"].replace("{ }", "")
        where = finding.pointer
        if finding.kind.code in _ABSENT:
            where = where.rpartition("/")[0]
        assert _resolves(document, where), (finding.kind.code, finding.pointer)
        for name in ("message_vi", "message_en", "expected", "value_class"):
            assert _TOKEN not in shown[name], finding.kind.code


@given(st.binary(max_size=200))
@_QUICK
def test_arbitrary_bytes_are_answered(raw: bytes) -> None:
    reading = read_card(raw)
    assert reading.card is None
    assert reading.findings


@given(st.data())
@_QUICK
def test_a_card_with_broken_bytes_is_answered(data: st.DataObject) -> None:
    raw = orjson.dumps(MAKERS[data.draw(st.sampled_from(sorted(MAKERS)))]())
    place = data.draw(st.integers(0, len(raw)))
    reading = read_card(raw[:place] + data.draw(st.binary(max_size=8)) + raw[place + data.draw(st.integers(0, 8)) :])
    assert (reading.card is None) == bool(reading.findings)


@given(_VALUES)
@_QUICK
def test_arbitrary_json_is_answered(value: Any) -> None:
    _holds(read_card(_encoded(value)), value)


def _paths(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [(*path, step) for step, _ in inside] + [
        deeper for step, item in inside for deeper in _paths(item, (*path, step))
    ]


@given(st.data())
@settings(_QUICK, max_examples=400)
def test_a_card_with_any_value_anywhere_is_answered(data: st.DataObject) -> None:
    card = own(MAKERS[data.draw(st.sampled_from(sorted(MAKERS)))]())
    for _ in range(data.draw(st.integers(1, 3))):
        *steps, last = data.draw(st.sampled_from(_paths(card)))
        part: Any = card
        for step in steps:
            part = part[step]
        match data.draw(st.sampled_from(("replace", "remove", "add"))):
            case "replace":
                part[last] = data.draw(_VALUES)
            case "remove":
                del part[last]
            case _ if isinstance(part, dict):
                part[data.draw(st.text(max_size=8))] = data.draw(_VALUES)
            case _:
                part.append(data.draw(_VALUES))
    _holds(read_card(_encoded(card)), card)


@pytest.mark.parametrize("kind", sorted(MAKERS))
def test_a_right_card_is_read_as_it_is(kind: str) -> None:
    card = MAKERS[kind]()
    reading = read_card(orjson.dumps(card))
    assert reading.findings == []
    assert orjson.loads(reading.canonical) == card
    assert (reading.school_year, reading.card_id) == ("2025-2026", card["card_id"])
    assert reading.school_code == card["school"]["code"]


def test_order_and_space_are_made_canonical() -> None:
    card = secondary_card(subjects=2)
    turned = dict(reversed(card.items()))
    canonical = read_card(orjson.dumps(card)).canonical
    assert read_card(orjson.dumps(turned, option=orjson.OPT_INDENT_2)).canonical == canonical
    assert orjson.dumps(orjson.loads(canonical)) == canonical


def test_absent_and_null_are_the_same() -> None:
    card = secondary_card(subjects=2)
    del card["family"]
    canonical = read_card(orjson.dumps(card)).canonical
    assert read_card(orjson.dumps({**card, "family": None})).canonical == canonical


def test_all_findings_at_once() -> None:
    card = secondary_card(subjects=2)
    card["pupil"]["gender"] = "nam"
    card["class"]["name"] = "Lớp chất lượng cao"
    del card["signers"]["manager"]["full_name"]
    card["year"]["subjects"][1]["year"] = "11"
    found = {(f.kind.code, f.pointer) for f in read_card(orjson.dumps(card)).findings}
    assert found == {
        ("schema.choice", "/pupil/gender"),
        ("schema.length.too-long", "/class/name"),
        ("schema.missing", "/signers/manager/full_name"),
        ("schema.pattern", "/year/subjects/1/year"),
    }


def test_what_does_not_fit_together_is_found_at_once() -> None:
    card = changed(primary_card(), "school/level", "03")
    card = changed(card, "school_year", "2025-2027")
    card = changed(card, "issue/issued_on", "2026-06-31")
    card["pupil"].pop("personal_number")
    card["signers"]["homeroom"] = {"full_name": "Phạm Thị Mẫu"}
    card["year"]["subjects"].append(card["year"]["subjects"][0])
    found = {(f.kind.code, f.pointer) for f in read_card(orjson.dumps(card)).findings}
    assert found == {
        ("card.school-year", "/school_year"),
        ("card.grade-level", "/class/grade"),
        ("card.kind-level", "/school/level"),
        ("card.personal-number", "/pupil/personal_number"),
        ("card.date", "/issue/issued_on"),
        ("card.subject-twice", "/year/subjects/2/code"),
        ("card.homeroom-number", "/signers/homeroom/personal_number"),
    }


@pytest.mark.parametrize("character", ["\x00", "\x07", "\b", "\f", "\x1f", "\x7f", "\ufffe", "\uffff"])
def test_control_characters_are_found_even_where_all_else_is_ascii(character: str) -> None:
    card = changed(secondary_card(subjects=2), "year/homeroom_comment", f"Cham{character}hoc")
    assert _codes(card) == ["text.control-character"]
    plain = unicodedata.normalize("NFD", json.dumps(card, ensure_ascii=False)).replace("Đ", "D").replace("đ", "d")
    bare = json.loads("".join(letter for letter in plain if not unicodedata.combining(letter)))
    bare["year"].update(subjects=bare["year"]["subjects"][:1], learning={})
    for part, name in (
        (bare["year"], "title"),
        (bare["year"]["training"], "again"),
        (bare["year"]["subjects"][0], "retest"),
    ):
        del part[name]
    assert _codes(bare) == ["text.control-character"]


@pytest.mark.parametrize("space", ["\n", "\t", "\r\n"])
def test_line_breaks_and_tabs_are_no_control_characters(space: str) -> None:
    card = changed(secondary_card(subjects=2), "year/homeroom_comment", f"Chăm học.{space}Ngoan.\\b \\u0007")
    assert _codes(card) == []


@pytest.mark.parametrize("value", [b"NaN", b"1e999", b"-Infinity", b"9" * 4000, b"[" * 100 + b"]" * 100, b'"x"'])
def test_a_key_twice_is_found_whatever_the_first_value(value: bytes) -> None:
    raw = orjson.dumps(secondary_card(subjects=2))
    twice = raw.replace(b'"status":', b'"status":' + value + b',"status":', 1)
    assert [finding.kind.code for finding in read_card(twice).findings] == ["json.duplicate-key"]
    decomposed = twice.replace(b"Tr\xc6\xb0\xe1\xbb\x9dng", "Tru\u031bo\u031b\u0300ng".encode())
    assert "text.not-nfc" in [finding.kind.code for finding in read_card(decomposed).findings]


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"\xff\xfe{\x00}\x00", b'{"kind":"\\ud800"}', b'{"kind":"\xff"}', b"\xef\xbb\xbf{}"]
)
def test_what_is_not_json_in_utf_8_is_malformed(raw: bytes) -> None:
    assert [finding.kind.code for finding in read_card(raw).findings] == ["json.malformed"]


def test_the_place_where_json_breaks_is_told() -> None:
    (finding,) = read_card(b'{"kind": "primary",\n "card_id" "x"}').findings
    assert "line 2, column 12" in finding.as_json()["message_en"]
    assert "dòng 2, cột 12" in finding.as_json()["message_vi"]


@pytest.mark.parametrize("raw", [b"[" * 5000, b'{"a":' * 5000, b'{"kind":' + b"[" * 300 + b"]" * 300 + b"}"])
def test_what_is_nested_too_deeply(raw: bytes) -> None:
    assert [finding.kind.code for finding in read_card(raw).findings] == ["json.too-deep"]


@pytest.mark.parametrize("raw", [b"[]", b"1", b"null", b'"card"'])
def test_what_is_no_object(raw: bytes) -> None:
    assert [finding.kind.code for finding in read_card(raw).findings] == ["json.not-object"]


def test_the_identity_is_read_even_where_the_card_is_wrong() -> None:
    card = changed(secondary_card(subjects=2), "pupil/gender", "nam")
    reading = read_card(orjson.dumps(card))
    assert (reading.school_year, reading.card_id, reading.school_code) == (
        "2025-2026", card["card_id"], card["school"]["code"],
    )  # fmt: skip
    assert read_card(orjson.dumps(changed(card, "card_id", 5))).card_id is None


def test_what_does_not_fit_is_found_beside_what_is_wrong_by_itself() -> None:
    card = changed(secondary_card(subjects=2), "pupil/gender", "nam")
    card = changed(card, "class/grade", 11)
    card = changed(card, "signers/manager/full_name", "Ðỗ Mẫu")
    card["year"]["subjects"].append(card["year"]["subjects"][0])
    twice = orjson.dumps(card).replace(b'"status":', b'"status":"recalled","status":', 1)
    found = {(f.kind.code, f.pointer) for f in read_card(twice).findings}
    assert found == {
        ("schema.choice", "/pupil/gender"),
        ("card.grade-level", "/class/grade"),
        ("card.subject-twice", "/year/subjects/2/code"),
        ("text.eth", "/signers/manager/full_name"),
        ("json.duplicate-key", "/status"),
    }


def test_a_key_twice_is_found_with_its_place_in_any_spelling() -> None:
    raw = orjson.dumps(secondary_card(subjects=2), option=orjson.OPT_INDENT_2)
    twice = raw.replace(b'"comment": ', b'"comment": "Cu\\u00f3 \\"\\\\", "comment": ', 1)
    (finding,) = read_card(twice).findings
    assert (finding.kind.code, finding.pointer) == ("json.duplicate-key", "/year/subjects/0/comment")


@pytest.mark.parametrize("spelling", [{"ensure_ascii": True}, {"ensure_ascii": False, "indent": 1}])
def test_quotes_and_backslashes_are_no_keys_twice(spelling: dict[str, Any]) -> None:
    card = changed(secondary_card(subjects=2), "year/homeroom_comment", 'Nói "vâng" \\" rồi\\')
    reading = read_card(json.dumps(card, **spelling).encode().replace(b"N\\u00f3i", b"\\u004e\\u00f3i"))
    assert reading.findings == []
    assert orjson.loads(reading.canonical) == card


def test_messages_are_in_words_that_a_school_clerk_reads() -> None:
    card = changed(secondary_card(subjects=2), "year/subjects/1/year", "11")
    (finding,) = read_card(orjson.dumps(card)).findings
    shown = finding.as_json()
    assert shown["expected"].startswith("^")
    assert "Bảng điểm (dòng 2) › Điểm cả năm" in shown["message_vi"]
    assert "điểm từ 0 đến 10" in shown["message_vi"]
    assert "văn bản 2 ký tự" in shown["message_vi"]
    assert "year.subjects.1.year" in shown["message_en"]
    assert "a mark from 0 to 10" in shown["message_en"]


def test_every_pattern_of_the_model_is_said_in_words_too() -> None:
    patterns = set(re.findall(r'"pattern": "(.*?)"[,}]', json.dumps(CARD.json_schema(), ensure_ascii=False)))
    assert len(patterns) > 12
    assert {json.loads(f'"{pattern}"') for pattern in patterns} == set(FORMS)


def test_many_findings_are_cut_off() -> None:
    card = secondary_card(subjects=2)
    card["pupil"].update({f"thừa{place}": place for place in range(500)})
    assert 100 <= len(read_card(orjson.dumps(card)).findings) <= 200
