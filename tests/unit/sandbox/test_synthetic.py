"""The synthetic province: canonical, deterministic, true in its mix, and right by the circulars."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from itertools import pairwise
from typing import Any

import orjson
import pytest
from click.testing import CliRunner

from hocba_hub.cli import main
from hocba_hub.mappings.tables import table_files
from hocba_hub.model.reading import read_card
from hocba_hub.model.subjects import SUBJECTS, subjects_of
from hocba_hub.sandbox.synthetic import generate, generate_with_defects, revise
from hocba_hub.sandbox.synthetic.defects import DEFECTS
from hocba_hub.sandbox.synthetic.schools import PUPILS, communes, institutions

Card = dict[str, Any]
_RAW = list(generate(3000, 11))
_CARDS: list[Card] = [orjson.loads(raw) for raw in _RAW]
_PRIMARY = [card for card in _CARDS if card["kind"] == "primary"]
_SECONDARY = [card for card in _CARDS if card["kind"] != "primary"]
_ASSESSED = [card for card in _SECONDARY if not card["pupil"]["not_assessed"]]
_ASSESSMENT = {(s.programme, s.code): s.assessment for s in SUBJECTS}
_PROGRAMMES = {"02": "TH", "03": "THCS", "04": "THPT", "05": "GDTX"}
_RANKS = ["T", "K", "Đ", "CĐ"]


@cache
def _many() -> list[Card]:
    """Enough cards for rare cases."""
    return [orjson.loads(raw) for raw in generate(10_000, 21)]


def test_every_card_reads_without_finding_and_is_canonical() -> None:
    for raw in _RAW:
        reading = read_card(raw)
        assert reading.findings == []
        assert reading.canonical == raw


def test_same_seed_same_bytes_other_seed_other_cards() -> None:
    assert list(generate(200, 5, schools=12)) == list(generate(200, 5, schools=12))
    ids = {orjson.loads(raw)["card_id"] for seed in range(5) for raw in generate(100, seed)}
    assert len(ids) == 500


@pytest.mark.parametrize(("cards", "schools"), [(1, None), (7, 3), (50, 1), (739, 739), (2000, 12)])
def test_exactly_so_many_cards(cards: int, schools: int | None) -> None:
    assert sum(1 for _ in generate(cards, 2, schools=schools)) == cards


@pytest.mark.parametrize("schools", [0, 740])
def test_a_number_of_schools_that_the_province_has_not(schools: int) -> None:
    with pytest.raises(ValueError, match="739"):
        generate(10, 1, schools=schools)


def test_so_many_schools_in_all_kinds() -> None:
    cards = [orjson.loads(raw) for raw in generate(1000, 1, schools=12)]
    assert len({card["school"]["code"] for card in cards}) == 12
    assert {card["kind"] for card in cards} == {"primary", "secondary", "continuing"}


def test_the_province_has_its_schools_communes_and_pupils() -> None:
    levels = Counter("+".join(unit.programme for unit in units) for units in institutions())
    assert levels == {
        "TH": 197, "THCS": 187, "TH+THCS": 255, "THPT": 71, "THCS+THPT": 1, "TH+THCS+THPT": 8, "GDTX": 20,
    }  # fmt: skip
    assert len(communes()) == 104
    assert {units[0].school["commune_code"] for units in institutions()} == {code for code, _ in communes()}
    pupils: Counter[str] = Counter()
    for units in institutions():
        for unit in units:
            assert unit.pupils > 0
            pupils[unit.programme] += unit.pupils
    assert pupils == PUPILS
    assert sum(pupils.values()) == 568_425
    assert pupils["THPT"] + pupils["GDTX"] == 108_193


def test_levels_are_mixed_as_in_the_province_in_any_stretch() -> None:
    for byte_range in (_CARDS, _CARDS[:1000]):
        part = Counter(card["school"]["level"] for card in byte_range)
        assert 0.35 < part["02"] / len(byte_range) < 0.55
        assert 0.25 < part["03"] / len(byte_range) < 0.45
        assert part["05"] > 0


def test_classes_are_of_realistic_size_when_a_school_is_whole() -> None:
    sizes = Counter(
        (card["school"]["code"], card["class"]["name"]) for raw in generate(6000, 3, schools=6)
        for card in [orjson.loads(raw)]
    )  # fmt: skip
    assert max(sizes.values()) <= 45
    assert sum(sizes.values()) / len(sizes) > 25
    assert all(len(name) <= 10 for _, name in sizes)


def test_personal_numbers_agree_with_gender_and_birth_and_are_unique() -> None:
    seen = set()
    for card in _CARDS:
        pupil = card["pupil"]
        number = pupil.get("personal_number")
        if number is None:
            assert pupil["nationality"] != "VN"
            assert pupil["passport_number"]
            continue
        year = int(pupil["birth"][:4])
        assert int(number[3]) == 2 * (year // 100 - 19) + (pupil["gender"] == "2")
        assert number[4:6] == f"{year % 100:02d}"
        seen.add(number)
    local = sum(number[:3] in {"033", "034"} for number in seen)
    assert local > 0.9 * len(seen)
    assert len(seen) == sum("personal_number" in card["pupil"] for card in _CARDS)


def test_the_rare_cases_occur() -> None:
    cards = _many()
    pupils = [card["pupil"] for card in cards]
    secondary = [card["year"] for card in cards if card["kind"] != "primary"]
    assert {len(pupil["birth"]) for pupil in pupils} == {4, 7, 10}
    assert any("passport_number" in pupil for pupil in pupils)
    assert any(pupil["not_assessed"] for pupil in pupils)
    assert any(row.get("year") == "M" for year in secondary for row in year["subjects"])
    assert any("retest" in row for year in secondary for row in year["subjects"])
    assert any("again" in year["training"] for year in secondary)
    assert any(year["absences"] > 45 for year in secondary)


def test_about_a_third_of_secondary_cards_show_raw_marks() -> None:
    cards = _many()
    years = [card["year"] for card in cards if card["kind"] != "primary" and not card["pupil"]["not_assessed"]]
    shown = sum(any("term1_marks" in row for row in year["subjects"]) for year in years)
    assert 0.2 < shown / len(years) < 0.5


def test_a_secondary_card_has_about_ten_kilobytes() -> None:
    sizes = [len(raw) for raw, card in zip(_RAW, _CARDS, strict=True) if card["kind"] == "secondary"]
    assert 9_000 < sum(sizes) / len(sizes) < 11_500


def _term_average(marks: Card) -> Decimal:
    """TT 22/2021 Art. 9.1, written out again in decimals."""
    regular = [Decimal(mark) for mark in marks["regular"]]
    total = sum(regular) + 2 * Decimal(marks["midterm"]) + 3 * Decimal(marks["final"])
    return (total / (len(regular) + 5)).quantize(Decimal("0.1"), ROUND_HALF_UP)


def test_term_and_year_averages_agree_with_the_circular() -> None:
    checked = 0
    for card in _ASSESSED:
        for row in card["year"]["subjects"]:
            if _assessment(card, row) != "mark":
                continue
            for term in ("term1", "term2"):
                if f"{term}_marks" in row:
                    checked += 1
                    assert Decimal(row[term]) == _term_average(row[f"{term}_marks"])
            year = (Decimal(row["term1"]) + 2 * Decimal(row["term2"])) / 3
            assert Decimal(row["year"]) == year.quantize(Decimal("0.1"), ROUND_HALF_UP)
    assert checked > 1000


def _assessment(card: Card, row: Card) -> str:
    return _ASSESSMENT[_PROGRAMMES[card["school"]["level"]], row["code"]]


def _level(marks: Sequence[Decimal], comments: Sequence[str], enough: int) -> int:
    """TT 22/2021 Art. 9.2, written out again; TT 43/2021 with 5."""

    def many(limit: str) -> bool:
        return len([mark for mark in marks if mark >= Decimal(limit)]) >= enough

    def each(limit: str) -> bool:
        return all(mark >= Decimal(limit) for mark in marks)

    failed = comments.count("CĐ")
    if failed == 0 and each("6.5") and many("8.0"):
        return 0
    if failed == 0 and each("5.0") and many("6.5"):
        return 1
    if failed <= 1 and many("5.0") and each("3.5"):
        return 2
    return 3


def _adjusted(marks: list[Decimal], comments: list[str], enough: int) -> str:
    """Art. 9.3: one subject alone pulls the level two steps below tốt or khá."""
    level = _level(marks, comments, enough)
    without = [_level(marks[:place] + marks[place + 1 :], comments, enough) for place in range(len(marks))]
    without += [_level(marks, comments[:place] + comments[place + 1 :], enough) for place in range(len(comments))]
    best = min(without)
    return _RANKS[level - 1 if best <= 1 and level - best >= 2 else level]


def _results(card: Card, when: str) -> tuple[list[Decimal], list[str]]:
    marks, comments = [], []
    for row in card["year"]["subjects"]:
        value = row.get("retest", row["year"]) if when == "again" else row[when]
        if value in {"Đ", "CĐ"}:
            assert _assessment(card, row) == "comment"
            comments.append(value)
        elif value != "M":
            assert _assessment(card, row) == "mark"
            marks.append(Decimal(value))
    return marks, comments


def test_learning_results_agree_with_the_circulars() -> None:
    levels = Counter()
    for card in _ASSESSED:
        enough = 5 if card["kind"] == "continuing" else 6
        for when, level in card["year"]["learning"].items():
            assert level == _adjusted(*_results(card, when), enough)
            levels[level] += 1
    assert set(levels) == set(_RANKS)


def test_training_promotion_and_titles_agree_with_the_circulars() -> None:
    for card in _SECONDARY:
        year, training = card["year"], card["year"]["training"]
        first, second = training["term1"], training["term2"]
        assert training["year"] == _training(first, second)
        assert ("again" in training) == (training["year"] == "CĐ") == ("summer_training_text" in year)
        learning = year["learning"].get("again", year["learning"].get("year", "Đ"))
        trained = training.get("again", training["year"])
        assert year["promoted"] == (learning != "CĐ" and trained != "CĐ" and year["absences"] <= 45)
        marks, _ = _results(card, "year") if year["learning"] else ([], [])
        both = training["year"] == "T" == year["learning"].get("year")
        outstanding = sum(mark >= 9 for mark in marks) >= 6
        assert year.get("title") == (("Học sinh Xuất sắc" if outstanding else "Học sinh Giỏi") if both else None)


def _training(first: str, second: str) -> str:
    """TT 22/2021 Art. 8, written out again."""
    if second == "T":
        return "T" if first in {"T", "K"} else "K"
    if second == "K":
        return "K" if first != "CĐ" else "Đ"
    if second == "Đ":
        return "K" if first == "T" else "Đ"
    return "CĐ"


def test_retests_only_where_the_circular_allows_them() -> None:
    for card in _ASSESSED:
        year = card["year"]
        again = year["learning"].get("again")
        for row in year["subjects"]:
            low = row["year"] == "CĐ" or (row["year"] not in {"Đ", "M"} and Decimal(row["year"]) < 5)
            assert ("retest" in row) == (again is not None and low)
        if again is not None:
            assert year["learning"]["year"] == "CĐ"
            assert year["training"]["year"] != "CĐ"


def test_primary_results_agree_with_the_circular() -> None:
    results = Counter()
    for card in _PRIMARY:
        year, grade = card["year"], card["class"]["grade"]
        if card["pupil"]["not_assessed"]:
            assert "result" not in year
            continue
        expected = {s.code: s.assessment for s in subjects_of("TH", grade) if not s.chosen}
        assert {row["code"] for row in year["subjects"]} == set(expected)
        for row in year["subjects"]:
            assert ("test" in row) == (expected[row["code"]] == "level-and-mark")
        later = {"technology", "informatics"} & set(year["capacities"])
        assert len(later) == (2 if grade >= 3 else 0)
        assert year["result"] == _primary_result(year)
        results[year["result"]] += 1
        assert year["promoted"] == year["completed_grade"]
        assert year["completed_grade"] or year["result"] == "Chưa hoàn thành"
        assert year["completed_primary"] == (grade == 5 and year["completed_grade"])
    assert len(results) == 4


def _primary_result(year: Card) -> str:
    """TT 27/2020 Art. 9.2, written out again."""
    levels = {row["level"] for row in year["subjects"]} - {"M"}
    degrees = {*year["qualities"].values(), *year["capacities"].values()}
    lowest = min(int(row["test"]) for row in year["subjects"] if "test" in row)
    best = levels == {"T"} and degrees == {"T"}
    if best and lowest >= 9:
        return "Hoàn thành xuất sắc"
    if best and lowest >= 7:
        return "Hoàn thành tốt"
    if levels <= {"T", "H"} and degrees <= {"T", "Đ"} and lowest >= 5:
        return "Hoàn thành"
    return "Chưa hoàn thành"


def test_every_defect_is_found_by_its_code_and_nothing_else_is_found() -> None:
    planted_names = set()
    for raw, planted in generate_with_defects(600, 9, 0.3):
        reading = read_card(raw)
        codes = [finding.kind.code for finding in reading.findings]
        if planted is None:
            assert codes == []
            continue
        planted_names.add(planted.name)
        assert codes == [planted.code], planted.name
        if planted.record_id is not None:
            assert planted.record_id == f"{reading.school_year}/{reading.card_id}"
    assert planted_names == {defect.name for defect in DEFECTS}
    assert len(planted_names) >= 15


def test_the_rate_of_defects() -> None:
    planted = [truth for _, truth in generate_with_defects(2000, 1, 0.1) if truth]
    assert 140 < len(planted) < 260
    assert [raw for raw, _ in generate_with_defects(50, 1, 0)] == list(generate(50, 1))


def test_a_revision_is_another_canonical_version_of_the_same_card() -> None:
    for raw in _RAW[:50]:
        first, second = revise(raw, 1), revise(raw, 2)
        assert len({raw, first, second}) == 3
        assert revise(revise(raw, 1), 1) != revise(raw, 1)
        for again in (first, second):
            reading = read_card(again)
            assert reading.canonical == again
            assert {**orjson.loads(again), "year": None} == {**orjson.loads(raw), "year": None}


def test_history_is_of_the_years_before() -> None:
    for card in _CARDS[:500]:
        years = [entry["school_year"] for entry in card["study_history"]] + [card["school_year"]]
        assert all(int(later[:4]) == int(earlier[:4]) + 1 for earlier, later in pairwise(years))


def test_stand_in_codes_are_those_of_the_mappings_code_table() -> None:
    rows = list(_table_rows())
    assert [(s.programme, s.code, s.name, s.short_name, s.assessment) for s in SUBJECTS] == [
        (row["level"], row["code"], row["name"].split("|")[0], row["short_name"], row["assessment"]) for row in rows
    ]
    assert [f"{s.grades.start}-{s.grades.stop - 1}" for s in SUBJECTS] == [row["grades"] for row in rows]
    assert all(len(s.short_name) <= 20 and len(s.code) == 3 for s in SUBJECTS)


def _table_rows() -> Iterator[dict[str, str]]:
    import csv
    from importlib.resources import files

    text = files(table_files.__package__).joinpath("subjects.csv").read_text(encoding="utf-8")
    yield from csv.DictReader(text.splitlines())


def test_the_command_writes_cards_and_the_truth(tmp_path: Any) -> None:
    out = tmp_path / "cards.ndjson"
    arguments = ["generate", "--cards", "120", "--seed", "3", "--out", str(out), "--schools", "12", "--defects", "0.2"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    lines = out.read_bytes().splitlines()
    truth = json.loads((tmp_path / "cards.ndjson.truth.json").read_text(encoding="utf-8"))
    assert len(lines) == 120
    assert truth
    found = {
        number: reading.findings[0].kind.code
        for number, line in enumerate(lines, start=1)
        if (reading := read_card(line)).findings
    }
    assert found == {entry["line"]: entry["code"] for entry in truth}


def test_the_command_refuses_a_wrong_year(tmp_path: Any) -> None:
    arguments = ["generate", "--cards", "1", "--seed", "3", "--out", str(tmp_path / "x"), "--year", "2025-2027"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert "2025-2026" in result.output
