"""What makes two failures the same cause."""

from __future__ import annotations

import pytest

from hocba_hub.model.codes import UnmappedCode
from hocba_hub.model.delivery import Meaning
from hocba_hub.model.failures import cause_of_attempt, cause_of_rejection, normalised
from hocba_hub.model.finding_kinds import CARD_OF_ANOTHER_SCHOOL, LOCKED
from hocba_hub.model.findings import Finding, FindingKind, Severity

UNKNOWN = FindingKind("mapping.table.unknown", Severity.ERROR, "v", "e")
WARNING = FindingKind("card.odd", Severity.WARNING, "v", "e")


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("Trường 33-TH-0001 chưa khai báo (batch 17)", "Trường # chưa khai báo (batch #)"),
        ("record 12 / 13 of 4711", "record # of #"),
        ("pupil 'Nguyễn Văn An' is unknown", "pupil … is unknown"),
        ("Học sinh Trần Thị Bích Ngọc không khớp", "Học sinh … không khớp"),
        ("  no   such\nschool ", "no such school"),
        ("id 3f2504e0-4f89-41d3-9a0c-0305e82c3301 lacks x@y.vn7", "id # lacks #"),
        ("x" * 500, "x" * 200),
        ("", ""),
    ],
)
def test_what_differs_from_card_to_card_is_left_out(said: str, left: str):
    assert normalised(said) == left


def test_failures_of_one_cause_are_equal_whatever_the_card():
    one = cause_of_attempt("ministry", "send", "refused", "E1", "record 12", "to-ministry 1.0.0")
    assert one == cause_of_attempt("ministry", "send", "refused", "E1", "record 13", "to-ministry 1.0.0")
    others = [
        cause_of_attempt("province", "send", "refused", "E1", "record 12", "to-ministry 1.0.0"),
        cause_of_attempt("ministry", "poll", "refused", "E1", "record 12", "to-ministry 1.0.0"),
        cause_of_attempt("ministry", "send", "precondition", "E1", "record 12", "to-ministry 1.0.0"),
        cause_of_attempt("ministry", "send", "refused", "E2", "record 12", "to-ministry 1.0.0"),
        cause_of_attempt("ministry", "send", "refused", "E1", "batch 12", "to-ministry 1.0.0"),
        cause_of_attempt("ministry", "send", "refused", "E1", "record 12", "to-ministry 1.0.1"),
    ]
    assert None not in others
    assert len({one.fingerprint, *(other.fingerprint for other in others if other)}) == 7
    newer = others[-1]
    assert (newer.essence, newer.fingerprint == one.fingerprint) == (one.essence, False)


def test_what_comes_in_the_course_of_things_is_no_failure():
    for meaning in set(Meaning) - {"refused", "transient", "precondition", "unknown_outcome"}:
        assert cause_of_attempt("p", "send", meaning, "X", "", None) is None
    for code in ("window-closed", "absent", "not-looked-up", "released"):
        assert cause_of_attempt("p", "send", "precondition", code, "", None) is None


def test_the_faces_of_a_destination_that_is_away_fold_under_one_cause():
    faces = [
        cause_of_attempt("p", "send", "transient", "connection-refused", "", None),
        cause_of_attempt("p", "lookup", "transient", "timeout", "", None),
        cause_of_attempt("p", "send", "unknown_outcome", "connection-lost", "", "m 1.0.0"),
        cause_of_attempt("p", "send", "transient", "http-503", "", None),
    ]
    assert len({face.fingerprint for face in faces}) == 4
    [root] = {face.root for face in faces}
    assert (root.destination, root.code, root.root) == ("p", "unreachable", None)
    for code, meaning in (("E1", "refused"), ("http-404", "transient"), ("http-503", "refused")):
        assert cause_of_attempt("p", "send", meaning, code, "", None).root is None


def test_of_a_rejected_record_what_no_table_knows_is_the_cause_else_its_first_error():
    code = UnmappedCode("subjects", "name", "Toán nâng cao", "code")
    finding = Finding(UNKNOWN, "/diem/3/mon", facts={"target": "subjects/3/code"})
    others = [Finding(WARNING, "/x"), Finding(LOCKED, "/students/4/marks/12/x")]
    cause = cause_of_rejection([*others, finding], [code], "vendor 1.0.0")
    assert (cause.code, cause.detail, cause.mapping) == (
        "mapping.table.unknown", "subjects: Toán nâng cao", "vendor 1.0.0",
    )  # fmt: skip
    first = cause_of_rejection(others, [], "")
    assert (first.stage, first.code, first.detail) == ("intake", LOCKED.code, "/students/*/marks/*/x")
    cell = cause_of_rejection([Finding(CARD_OF_ANOTHER_SCHOOL, "Sheet1!B17")], [], "")
    assert cell == cause_of_rejection([Finding(CARD_OF_ANOTHER_SCHOOL, "Sheet1!B18")], [], "")
    assert cause_of_rejection(others[:1], [], "") is None
