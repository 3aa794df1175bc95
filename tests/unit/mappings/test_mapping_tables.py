"""Code tables: the four answers, the files they are read from, and the tables that come with the hub."""

import re
import unicodedata
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hocba_hub.mappings.tables.code_table import Outcome, TableError, fold_name
from hocba_hub.mappings.tables.table_files import extended, load_tables, read_table, shipped_tables

HEAD = "table: t\nversion: 1.0.0\ntitle: {vi: a, en: b}\nsource: made up\ncolumns: {old: old code, new: new code}\n"


def table(rows: str, more: str = "", columns: str = ""):
    head = HEAD if not columns else HEAD.replace("{old: old code, new: new code}", columns)
    made, _, findings = read_table(f"{head}{more}rows: {rows}\n", lambda _: "")
    assert not findings, [finding.as_json() for finding in findings]
    assert made is not None
    return made


def test_found_unknown_and_ambiguous():
    view = table("[{old: 1, new: a}, {old: 2, new: b}, {old: 2, new: c}, {old: 3, new: d}, {old: 3, new: d}]").view(
        "old", "new"
    )
    assert view.find("1").value == "a"
    assert view.find("3").value == "d"
    assert view.find("9").outcome is Outcome.UNKNOWN
    split = view.find("2")
    assert (split.outcome, split.value, split.candidates) == (Outcome.AMBIGUOUS, None, ("b", "c"))
    assert "2" not in view.settled


def test_validity_decides_on_the_day_and_both_ends_count():
    rows = (
        "[{old: x, new: a, valid_to: 2025-06-30}, {old: x, new: b, valid_from: 2025-07-01},"
        " {old: y, new: c, valid_to: 2020-01-01}]"
    )
    view = table(rows).view("old", "new")
    assert view.find("x", date(2025, 6, 30)).value == "a"
    assert view.find("x", date(2025, 7, 1)).value == "b"
    assert view.find("x").outcome is Outcome.AMBIGUOUS
    late = view.find("y", date(2025, 7, 1))
    assert (late.outcome, late.candidates) == (Outcome.OUT_OF_VALIDITY, ("../2020-01-01",))
    assert view.find("y").value == "c"


def test_several_texts_are_read_and_the_first_is_written():
    made = table("[{old: 'Nam|M', new: '1|01'}]")
    assert made.view("old", "new").find("M").value == "1"
    assert made.view("new", "old").find("01").value == "Nam"


def test_a_filter_picks_the_scope():
    made = table("[{scope: a, old: T, new: x}, {scope: b, old: T, new: y}]", columns="{scope: s, old: o, new: n}")
    assert made.view("old", "new", {"scope": "b"}).find("T").value == "y"
    assert made.view("old", "new").find("T").outcome is Outcome.AMBIGUOUS
    with pytest.raises(TableError):
        made.view("old", "nope")
    with pytest.raises(TableError):
        made.view()


def test_a_child_table_hides_its_parents_rows():
    tables = {"p": table("[{old: 1, new: a}, {old: 2, new: b}]"), "c": table("[{old: 2, new: z}, {old: 3, new: y}]")}
    wrong: dict = {}
    view = extended(tables, {"c": "p"}, wrong)["c"].view("old", "new")
    assert [view.find(code).value for code in "123"] == ["a", "z", "y"]
    assert wrong == {}


@pytest.mark.parametrize("parents", [{"p": "p"}, {"p": "c", "c": "p"}, {"c": "nowhere"}])
def test_tables_that_extend_themselves_or_nothing_are_findings(parents):
    wrong: dict = {}
    left = extended({"p": table("[{old: 1, new: a}]"), "c": table("[]", "extends: p\n")}, parents, wrong)
    assert set(left) == {"p", "c"} - set(wrong)
    assert wrong
    assert all(finding.as_json()["message_vi"] for findings in wrong.values() for finding in findings)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "table: [",
        "table: T T\nversion: 1\ntitle: {}\nsource: s\ncolumns: {a: b}\nrows: []",
        HEAD,
        HEAD + "rows: 3",
        HEAD + "rows: [3]",
        HEAD + "rows: [{old: 1, nope: 2}]",
        HEAD + "rows: [{old: 1, valid_from: yesterday}]",
        HEAD + "rows: []\ndefault: {from: nope}",
        HEAD + "rows: []\ndefault: x",
        HEAD + "rows: []\nnope: 1",
        HEAD + "file: ../secret.csv",
        HEAD + "file: missing.csv",
        HEAD.replace("{old: old code, new: new code}", "[a]") + "rows: []",
        HEAD.replace("{old: old code, new: new code}", "{a: {match: fuzzy}}") + "rows: []",
    ],
)
def test_a_malformed_table_is_findings(text):
    def read_file(name: str) -> str:
        assert name == "missing.csv"
        raise FileNotFoundError

    made, _, findings = read_table(text, read_file)
    assert made is None
    assert findings
    for finding in findings:
        english = (
            re.search(r"[a-z]{3,} [a-z]{2,}", finding.expected) and finding.kind.code != "mapping.document.unreadable"
        )
        assert not english or finding.expected not in finding.as_json()["message_vi"], finding.expected


def test_rows_from_a_csv_beside_it():
    made, _, findings = read_table(HEAD + "file: x.csv\n", lambda _: "old,new,valid_to\n01,a,2025-06-30\n")
    assert not findings
    assert made.view("old", "new").find("01", date(2025, 6, 30)).value == "a"
    _, _, wrong = read_table(HEAD + "file: x.csv\n", lambda _: "old,what\n01,a\n")
    assert [finding.pointer for finding in wrong] == ["/file/2"]


def test_files_of_a_folder(tmp_path):
    (tmp_path / "a.yaml").write_text(HEAD + "rows: [{old: 1, new: a}]", encoding="utf-8")
    (tmp_path / "b.yaml").write_text(HEAD + "rows: []", encoding="utf-8")
    (tmp_path / "c.yaml").write_bytes(b"table: \xff\xfe")
    tables, wrong = load_tables(tmp_path)
    assert set(tables) == {"t"}
    assert set(wrong) == {"b.yaml", "c.yaml"}


@pytest.mark.parametrize(
    ("one", "other"),
    [("Hoà Bình", "hòa  bình"), ("Gia-rai", "Gia Rai"), ("H'Mông", "Hmông"), ("Thuỷ", "Thủy"), ("Khơ–me", "khơ me")],
)
def test_names_fold_alike(one, other):
    assert fold_name(one) == fold_name(unicodedata.normalize("NFD", other))


def test_names_that_differ_in_a_tone_do_not_fold_alike():
    assert len({fold_name(name) for name in ("Ma", "Má", "Mà", "Mả", "Mã", "Mạ", "Mă", "Mâ")}) == 8


@given(st.text(max_size=30))
@settings(deadline=None)
def test_folding_is_settled(text):
    assert fold_name(fold_name(text)) == fold_name(text)


TABLES = shipped_tables()


def test_communes_old_to_new_and_the_three_that_were_split():
    view = TABLES["communes"].view()
    answers = {code: view.find(code) for code in view.rows}
    split = {code for code, answer in answers.items() if answer.outcome is Outcome.AMBIGUOUS}
    assert len(answers) == 381
    assert split == {"11989", "12004", "12322"}
    assert len({answer.value for answer in answers.values() if answer.value}) == 104


def test_a_commune_name_that_is_not_unique_needs_its_district():
    table_ = TABLES["communes"]
    assert table_.view("legacy_name", "code").find("Minh Tân").outcome is Outcome.AMBIGUOUS
    assert table_.view("legacy_place", "code").find("xã Minh Tân, huyện Phù Cừ").value == "12391"


def test_a_commune_code_means_nothing_without_a_day():
    view = TABLES["commune-names"].view()
    assert view.find("11953").outcome is Outcome.AMBIGUOUS
    assert view.find("11953", date(2025, 6, 30)).value == "Phường Hiến Nam"
    assert view.find("11953", date(2025, 7, 1)).value == "Phường Phố Hiến"


def test_provinces_merged_and_renamed():
    view = TABLES["provinces"].view()
    assert (len(view.rows), len(view.results())) == (63, 34)
    assert view.find("34").value == "33"
    assert TABLES["provinces"].view("code", "legacy_code").find("33").candidates == ("33", "34")
    names = TABLES["province-names"].view()
    assert names.find("75", date(2026, 4, 29)).value == "Tỉnh Đồng Nai"
    assert names.find("75", date(2026, 4, 30)).value == "Thành phố Đồng Nai"
    assert TABLES["personal-number-provinces"].view().find("034").value == "34"


def test_ethnic_groups_carry_their_numbering():
    names = TABLES["ethnic-groups"]
    first, second = (names.view("name", system) for system in ("qd121", "gso_census"))
    differ = [name for name in first.rows if first.find(name).value != second.find(name).value]
    assert len(first.rows) >= 54
    assert names.view("qd121", "name").find("04").value == "Hoa"
    assert names.view("gso_census", "name").find("04").value == "Mường"
    assert len({first.find(name).value for name in differ}) == 37
    assert first.find("Người nước ngoài").outcome is Outcome.UNKNOWN
    with pytest.raises(TableError):
        names.view()


def test_letters_depend_on_their_scope():
    letters = TABLES["evaluation-letters"]
    assert letters.view("code", "name", {"scope": "primary-subject"}).find("T").value == "Hoàn thành tốt"
    assert letters.view("code", "name", {"scope": "primary-quality"}).find("T").value == "Tốt"
    assert letters.view("code", "digit", {"scope": "learning-result"}).find("CĐ").value == "4"
    assert letters.view("code", "name").find("C").outcome is Outcome.AMBIGUOUS


def test_the_circular_of_a_grade_by_school_year():
    view = TABLES["circular-of-grade"].view(where={"stream": "school"})
    assert view.find("9", date(2023, 9, 5)).value == "TT58/2011"
    assert view.find("9", date(2024, 9, 5)).value == "TT22/2021"
    gdtx = TABLES["circular-of-grade"].view(where={"stream": "gdtx"})
    assert gdtx.find("9", date(2020, 9, 5)).outcome is Outcome.OUT_OF_VALIDITY
    assert TABLES["circulars"].view().find("Thông tư 22/2021/TT-BGDĐT").value == "TT22/2021"


def test_short_names_of_subjects_fit_the_secondary_card():
    subjects = TABLES["subjects"]
    assert all(len(name) <= 20 for name in subjects.view("name", "short_name").results())
    assert all(len(code) == 3 and code.isalnum() for code in subjects.view("name", "code").results())
    short = subjects.view("name", "short_name", {"level": "THPT"})
    assert short.find("Giáo dục quốc phòng - an ninh").value == "GDQP và an ninh"
    assert short.find("Đạo đức").outcome is Outcome.UNKNOWN


def test_every_shipped_table_says_where_it_comes_from():
    for made in TABLES.values():
        assert set(made.title) == {"vi", "en"}
        assert len(made.source) > 40
        assert all(column.about for column in made.columns.values())
        assert made.rows
