"""A clerk's workbook at the command line: written, translated, mended; and the table that officials review."""

import json

from click.testing import CliRunner
from openpyxl import load_workbook

from hocba_hub.cli import main


def hub(*arguments):
    return CliRunner().invoke(main, list(map(str, arguments)))


def test_a_workbook_is_translated_and_its_mistakes_are_named_by_cell(tmp_path):
    file = tmp_path / "kết quả.xlsx"
    made = hub("generate", "--cards", 60, "--seed", 4, "--schools", 3, "--profile", "workbook-primary", "--out", file)
    assert made.exit_code == 0
    right = hub("mappings", "run", "workbook-primary", file)
    assert (right.exit_code, right.stderr) == (0, "")
    cards = [json.loads(line) for line in right.stdout.splitlines()]
    assert cards
    assert {card["kind"] for card in cards} == {"primary"}

    book = load_workbook(file)
    book["Kết quả học tập"]["F5"] = "=1/0"
    book["Hồ sơ học sinh"].column_dimensions["B"].hidden = True
    book.save(file)
    wrong = hub("mappings", "run", "workbook-primary", file, "--lang", "vi")
    assert wrong.exit_code == 1
    assert len(wrong.stdout.splitlines()) == len(cards)
    places = {line.partition(": ")[0] for line in wrong.stderr.splitlines()}
    assert places == {"bản ghi 0 'Kết quả học tập'!F5", "'Hồ sơ học sinh'"}
    assert "Mở tệp bằng Excel, lưu lại rồi gửi lại." in wrong.stderr


def test_what_is_only_worth_knowing_does_not_fail_the_command(tmp_path):
    file = tmp_path / "x.xlsx"
    hub("generate", "--cards", 60, "--seed", 4, "--schools", 3, "--profile", "workbook-secondary", "--out", file)
    book = load_workbook(file)
    book["Học sinh"].row_dimensions[2].hidden = True
    book.save(file)
    result = hub("mappings", "run", "workbook-secondary", file)
    assert result.exit_code == 0
    assert "mapping.source.hidden-rows" in result.stderr


def test_a_file_that_is_no_workbook_is_said_in_a_sentence(tmp_path):
    file = tmp_path / "x.xlsx"
    file.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    result = hub("mappings", "run", "workbook-primary", file)
    assert result.exit_code == 1
    assert "old Excel workbook (.xls). Save it as .xlsx" in result.stderr


def test_the_review_table_goes_out_as_a_workbook_and_comes_back(tmp_path):
    table = tmp_path / "review.xlsx"
    assert hub("mappings", "export", "workbook-primary", "--out", table).exit_code == 0
    again = hub("mappings", "import", "workbook-primary", table)
    mapping = tmp_path / "again.yaml"
    mapping.write_text(again.stdout, encoding="utf-8")
    assert hub("mappings", "diff", "workbook-primary", mapping).stdout == "0 differences\n"

    book = load_workbook(table)
    book.active["A2"] = "đích"
    book.save(table)
    result = hub("mappings", "import", "workbook-primary", table)
    assert result.exit_code == 1
    assert "line 1: expected the columns target" in result.stderr
