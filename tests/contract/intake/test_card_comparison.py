"""A card beside the pupil's others and in its class: judged where it is accepted, by every way in, on both stores."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from openpyxl import load_workbook
from sqlalchemy import select

from hocba_hub.sandbox.synthetic import generate
from hocba_hub.store.access import Role
from hocba_hub.store.engine import Store
from hocba_hub.store.tables import report_cards
from tests.support import soap_calls as soap
from tests.support.api_server import Api, running_api
from tests.support.imports import importer, lines, workbook
from tests.support.vendor_records import NAME, flat, sent

Send = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def api(store: Store, tmp_path: Path) -> Iterator[Api]:
    with running_api(store, files_dir=tmp_path / "spool") as running:
        yield running


class Key(str):  # noqa: SLOT000 - it has one attribute more
    """A client's key that knows the client's name."""

    client: str = "vendor"


def client(api: Api, name: str, *schools: str) -> Key:
    key = Key(api.client_key(*schools, name=name))
    key.client = name
    return key


def _rest(api: Api, key: str, *cards: bytes) -> list[dict[str, Any]]:
    answer = api.post(
        "/v1/report-cards", key, content=b"\n".join(cards), headers={"Content-Type": "application/x-ndjson"}
    )
    return answer.json()["records"]


def _soap(api: Api, key: Key, *cards: bytes) -> list[dict[str, Any]]:
    answer = soap.call(api, soap.envelope(soap.submit(*map(soap.record, cards))), key, client=key.client)
    found = []
    for one in soap.answer(answer).iter(f"{soap.H}records"):
        findings = [{"code": f.findtext(f"{soap.H}code")} for f in one.iter(f"{soap.H}findings")]
        found.append({"status": one.findtext(f"{soap.H}status"), "findings": findings})
    return found


def _file(api: Api, key: str, *cards: bytes) -> list[dict[str, Any]]:
    headers = {"Content-Type": "application/x-ndjson"}
    where = api.post("/v1/files", key, content=b"\n".join(cards), headers=headers).headers["location"]
    assert importer(api.hub).run(where.rpartition("/")[2])
    return lines(api.get(f"{where}/result", key).content)[1:]


WAYS: dict[str, Send] = {"REST": _rest, "SOAP": _soap, "file": _file}


def secondary(grade: int = 7, seed: int = 5) -> dict[str, Any]:
    for raw in generate(10_000, seed):
        card = orjson.loads(raw)
        if card["kind"] == "secondary" and card["class"]["grade"] == grade and card["year"]["promoted"]:
            return card
    raise AssertionError


def changed(card: dict[str, Any], **values: Any) -> bytes:
    """The card with values at paths such as `pupil__birth`."""
    copy = orjson.loads(orjson.dumps(card))
    for path, value in values.items():
        *parts, last = path.rstrip("_").split("__")
        at = copy
        for part in parts:
            at = at[part]
        at[last] = value
    return orjson.dumps(copy)


def codes(record: dict[str, Any]) -> list[str]:
    return [one["code"] for one in record.get("findings", ()) if one["code"].startswith(("between.", "class."))]


def open_list(api: Api, key: str) -> list[tuple[str, str, list[str]]]:
    items = api.get("/v1/findings", key).json()["items"]
    return [(one["card_id"], one["matter"], [f["code"] for f in one["findings"]]) for one in items]


@pytest.mark.parametrize("way", WAYS)
def test_by_every_way_in_the_newer_card_is_told_that_the_pupil_is_at_two_schools(api: Api, way: str):
    send, card = WAYS[way], secondary()
    mine, other = client(api, "mine", card["school"]["code"]), client(api, "other", "33-XX-9999")
    assert codes(send(api, mine, changed(card))[0]) == []
    elsewhere = changed(card, card_id="elsewhere", school__code="33-XX-9999")
    (told,) = send(api, other, elsewhere)
    assert told["status"] == "accepted"
    assert codes(told) == ["between.two-schools"]
    assert open_list(api, other) == [("elsewhere", "pupil", ["between.two-schools"])]
    assert open_list(api, mine) == [(card["card_id"], "pupil", ["between.two-schools"])]
    # The former school recalls its card: both are told no more.
    assert api.post(f"/v1/report-cards/{card['school_year']}/{card['card_id']}/recall", mine).status_code == 202
    assert open_list(api, mine) == open_list(api, other) == []


def test_a_check_without_storing_says_the_same(api: Api):
    key, card = api.client_key(), secondary()
    _rest(api, key, changed(card))
    again = changed(card, card_id="next", school_year="2026-2027", class__grade=6)
    found = api.post("/v1/report-cards/validate", key, content=again).json()["records"]
    assert "between.lower-grade" in codes(found[0])
    assert open_list(api, key) == []


def test_the_other_card_is_told_where_only_it_can_be_mended(api: Api):
    """The card of the year before comes later, from another school: it says promoted to the grade that was repeated."""
    card = secondary()
    now, before = client(api, "now", card["school"]["code"]), client(api, "before", "33-XX-9999")
    _rest(api, now, changed(card))
    earlier = {"card_id": "before", "school_year": "2024-2025", "school__code": "33-XX-9999"}
    (told,) = _rest(api, before, changed(card, **earlier))
    assert codes(told) == ["between.other-card"]
    (said,) = [one for one in told["findings"] if one["code"] == "between.other-card"]
    assert card["school"]["code"] in said["message_vi"]
    assert "between.same-grade-promoted" in said["message_en"]
    assert card["pupil"]["personal_number"] not in orjson.dumps(said).decode()
    assert open_list(api, now) == [(card["card_id"], "pupil", ["between.same-grade-promoted"])]
    # Once it says that the pupil was not promoted, both are right.
    mended = {**earlier, "class__grade": card["class"]["grade"] - 1}
    (told,) = _rest(api, before, changed(card, **mended))
    assert codes(told) == []
    assert open_list(api, now) == open_list(api, before) == []


def test_cards_of_one_call_are_compared_with_each_other(api: Api):
    key, card = api.client_key(), secondary()
    two = _rest(api, key, changed(card), changed(card, card_id="b", pupil__birth="1999-01-01"))
    assert [codes(one) for one in two] == [[], ["between.other-person"]]
    assert {one[0] for one in open_list(api, key)} == {card["card_id"], "b"}
    # Told as often as it is sent; a card that was corrected is held against its own version before, too.
    (again,) = _rest(api, key, changed(card, card_id="b", pupil__birth="1999-01-01"))
    assert (again["status"], codes(again)) == ("unchanged", ["between.other-person"])


def test_a_corrected_birth_date_is_a_warning_once(api: Api):
    key, card = api.client_key(), secondary()
    _rest(api, key, changed(card))
    (corrected,) = _rest(api, key, changed(card, pupil__birth="1999-01-01"))
    assert codes(corrected) == ["between.other-person"]
    assert open_list(api, key) == []


def test_a_pupil_without_a_number_is_known_by_the_code(api: Api):
    key, card = api.client_key(), secondary()
    del card["pupil"]["personal_number"]  # as only foreigners may
    card["pupil"] |= {"nationality": "KR", "passport_number": "M0000001"}
    _rest(api, key, changed(card))
    (told,) = _rest(api, key, changed(card, card_id="b", school__code="33-XX-9999"))
    assert codes(told) == ["between.two-schools"]
    (other,) = _rest(api, key, changed(card, card_id="c", school__code="33-XX-9998", pupil__pupil_code="another"))
    assert codes(other) == []


def pupil(card: dict[str, Any], number: int, **values: Any) -> bytes:
    """The card of another pupil of the class."""
    return changed(card, card_id=f"c{number:02}", pupil__personal_number=f"0330{number:08}", **values)


@pytest.mark.parametrize("way", WAYS)
def test_a_class_with_the_same_results_is_told_until_one_is_another(api: Api, way: str):
    key, card, send = client(api, "vendor"), secondary(), WAYS[way]
    found = [codes(one) for one in send(api, key, *[pupil(card, n) for n in range(12)])]
    assert found == [*[[]] * 9, *[["class.same-results"]] * 3]
    assert [one[0] for one in open_list(api, key)] == ["c09", "c10", "c11"]
    assert codes(send(api, key, pupil(card, 3))[0]) == ["class.same-results"]  # unchanged, and told
    assert codes(send(api, key, pupil(card, 3, year__training__term1="K"))[0]) == []
    assert open_list(api, key) == []
    assert codes(send(api, key, pupil(card, 12))[0]) == []


def test_one_person_who_teaches_everything_to_a_whole_class_is_told(api: Api):
    key, card = api.client_key(), secondary()
    one = {"full_name": "Lê Văn Mẫu", "personal_number": "033070000009"}
    subjects = [{**subject, "teacher": one} for subject in card["year"]["subjects"]]
    of = {"year__subjects": subjects}
    pupils = [pupil(card, n, year__training__term1="TK"[n % 2], **of) for n in range(11)]
    found = [codes(one) for one in _rest(api, key, *pupils)]
    assert found == [*[[]] * 9, *[["class.same-teacher"]] * 2]
    api.post(f"/v1/report-cards/{card['school_year']}/c00/recall", key)
    assert [one[0] for one in open_list(api, key)] == ["c09", "c10"]
    api.post(f"/v1/report-cards/{card['school_year']}/c01/recall", key)  # nine are no class to judge
    assert open_list(api, key) == []


def test_patterns_of_a_class_may_be_switched_off(store: Store, tmp_path: Path):
    configured = tmp_path / "rules.yaml"
    configured.write_text("rules: {class.same-results: off}\n")
    with running_api(store, rules_file=configured) as api:
        key, card = api.client_key(), secondary()
        assert all(codes(one) == [] for one in _rest(api, key, *[pupil(card, n) for n in range(12)]))


def test_a_class_of_too_many_is_told_until_it_is_right(api: Api):
    key, card = api.client_key(), secondary()
    pupils = [pupil(card, n, year__training__term1="TK"[n % 2]) for n in range(47)]
    found = [codes(one) for one in _rest(api, key, *pupils[:46])]
    assert found == [*[[]] * 45, ["class.size"]]
    assert codes(_file(api, key, pupils[46])[0]) == ["class.size"]
    assert [one[:2] for one in open_list(api, key)] == [("c45", "class"), ("c46", "class")]
    year = card["school_year"]
    assert api.post(f"/v1/report-cards/{year}/c00/recall", key).status_code == 202
    assert len(open_list(api, key)) == 2
    _rest(api, key, changed(orjson.loads(pupils[1]), class__name="7B", class__code="7B"))  # changes over
    assert open_list(api, key) == []


def test_a_rejected_version_does_not_hide_what_is_open_of_the_one_before(api: Api):
    key, card = api.client_key(), secondary()
    _rest(api, key, changed(card), changed(card, card_id="b", pupil__birth="1999-01-01"))
    _rest(api, key, changed(card, card_id="b", class__grade=99))
    assert [one[:2] for one in open_list(api, key) if one[0] == "b"] == [("b", "pupil"), ("b", "record")]


def test_a_rule_may_be_switched_off_or_made_an_error(store: Store, tmp_path: Path):
    configured = tmp_path / "rules.yaml"
    configured.write_text("rules: {between.other-person: {severity: error}, between.two-schools: off}\n")
    with running_api(store, rules_file=configured) as api:
        key, card = api.client_key(), secondary()
        _rest(api, key, changed(card))
        elsewhere, another = (
            {"card_id": "b", "school__code": "33-XX-9999"},
            {"card_id": "c", "pupil__birth": "1999-01-01"},
        )
        found = api.post(
            "/v1/report-cards?atomic=true", key,
            content=orjson.dumps([orjson.loads(changed(card, **one)) for one in (elsewhere, another)]),
        ).json()["records"]  # fmt: skip
        assert [(one["status"], codes(one)) for one in found] == [
            ("rejected", []), ("rejected", ["between.other-person"]),
        ]  # fmt: skip
        assert codes(_rest(api, key, changed(card, **elsewhere))[0]) == []


def test_a_vendors_record_is_told_at_its_own_place(api: Api):
    key = api.client_key()
    first = flat(1)
    media = {"Content-Type": f"application/vnd.hocba.{NAME}+json"}
    assert api.post("/v1/report-cards", key, content=b"[%b]" % orjson.dumps(first), headers=media).status_code == 202
    with api.store.read() as connection:
        school = connection.execute(select(report_cards.c.school_code)).scalar_one()
    raw = (b"[%b]" % orjson.dumps(flat(2))).replace(school.encode(), b"33-XX-9999", 1)
    told = api.post("/v1/report-cards", key, content=raw, headers=media).json()["records"][0]
    (finding,) = [one for one in told["findings"] if one["code"] == "between.two-schools"]
    assert finding["target"] == "school/code"
    assert finding["pointer"] != "/school/code"


def test_what_could_not_be_checked_is_told_to_whoever_asks(api: Api):
    key, card = api.client_key(), secondary()
    for subject in card["year"]["subjects"]:
        subject.pop("term1_marks", None), subject.pop("term2_marks", None)
    card["transcribed"] = True
    raw = changed(card)

    def unchecked(records: list[dict[str, Any]]) -> set[str]:
        return {one["severity"] for record in records for one in record.get("findings", ())} & {"not_checkable"}

    for how in ("/v1/report-cards/validate", "/v1/report-cards"):
        assert not unchecked(api.post(how, key, content=raw).json()["records"])
        assert unchecked(api.post(f"{how}?not_checkable=true", key, content=raw).json()["records"])
    for operation in ("ValidateReportCards", "SubmitReportCards"):
        said = soap.submit(soap.record(raw), operation=operation)
        asked = said.replace("<records>", "<not_checkable>true</not_checkable><records>", 1)
        assert "not_checkable" not in soap.call(api, soap.envelope(said), key).text
        assert "<severity>not_checkable</severity>" in soap.call(api, soap.envelope(asked), key).text
    for asked in (False, True):
        where = api.post(
            f"/v1/files?not_checkable={str(asked).lower()}", key, content=raw,
            headers={"Content-Type": "application/x-ndjson"},
        ).headers["location"]  # fmt: skip
        assert importer(api.hub).run(where.rpartition("/")[2])
        assert bool(unchecked(lines(api.get(f"{where}/result", key).content)[1:])) is asked


def test_a_card_read_again_is_compared_as_well(api: Api):
    """Its code is filled, so it is accepted at last, and held against the card of another school."""
    key, admin = api.client_key(), api.operator_key(Role.ADMINISTRATOR)
    unknown = {**flat(2), "danToc": "Nhóm lạ"}
    sent(api, key, [unknown], f"?profile={NAME}")
    with api.store.read() as connection:
        assert connection.execute(select(report_cards.c.school_code)).all() == []
    elsewhere = orjson.loads(orjson.dumps(flat(1)).replace(flat(1)["maTruong"].encode(), b"33-XX-9999"))
    assert sent(api, key, [elsewhere], f"?profile={NAME}").status_code == 202
    (code,) = api.get("/v1/unmapped-codes", admin).json()["items"]
    filled = {"result": "01", "source": "a decree"}
    answer = api.post(f"/v1/unmapped-codes/{code['id']}/fill", admin, json=filled)
    assert answer.status_code == 200, answer.text
    assert {one[:2] for one in open_list(api, key)} == {("HB-1", "pupil"), ("HB-2", "pupil")}


def test_a_column_of_the_findings_workbook_says_what_could_not_be_checked(api: Api):
    key = api.client_key()
    headers = {"Content-Type": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
    where = api.post(
        "/v1/files?profile=workbook-secondary&not_checkable=true",
        key,
        content=workbook(3, "secondary"),
        headers=headers,
    ).headers["location"]
    assert importer(api.hub).run(where.rpartition("/")[2])
    book = load_workbook(io.BytesIO(api.get(f"{where}/workbook", key).content))
    columns = [[row[-1] for row in sheet.iter_rows(values_only=True)] for sheet in book.worksheets]
    (told,) = [one for one in columns if "Không kiểm tra được · Not checked" in one]
    assert any("không kiểm tra" in str(value) for value in told)
