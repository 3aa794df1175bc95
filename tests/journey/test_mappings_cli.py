"""A new vendor's format, from an empty file to cards, at the command line."""

import csv
import json

import pytest
from click.testing import CliRunner

from hocba_hub.cli import main
from tests.support.vendor_records import flat

MAPPING = """mapping: new-vendor
version: 1.0.0
source: {format: json, records: ds}
target: ndc-secondary
fields:
  hovaten: {from: ten, required: true}
  tenlop: {from: lop, apply: [upper]}
  bangdiem: {each: diem, fields: {tenmonhoc: {from: mon, table: {name: subjects, to: short_name}, required: true}}}
"""


def hub(*arguments):
    return CliRunner().invoke(main, ["mappings", *map(str, arguments)])


@pytest.fixture
def mapping(tmp_path):
    path = tmp_path / "new.yaml"
    path.write_text(MAPPING, encoding="utf-8")
    return path


def test_what_comes_with_the_hub_is_listed_shown_checked_and_tested():
    assert "vendor-flat-secondary 1.0.0" in hub("list").output
    shown = hub("show", "vendor-flat-secondary").output
    assert "pupil/full_name ← from: hoTen, apply: [collapse-spaces], required: true" in shown
    checked = hub("check", "vendor-flat-secondary@1.0.0", "--lang", "en")
    assert (checked.exit_code, checked.output) == (
        0,
        "vendor-flat-secondary@1.0.0: vendor-flat-secondary 1.0.0 checked\n",
    )
    tested = hub("test", "vendor-flat-secondary")
    assert tested.exit_code == 0
    assert tested.output.count("passed") == 4
    assert tested.output.count("would be accepted") == 3


@pytest.mark.parametrize("name", ["nobody", "vendor-flat-secondary@9.9.9", "vendor-flat-secondary@one", "nowhere.yaml"])
def test_a_mapping_that_is_not_there_is_said(name):
    result = hub("show", name)
    assert result.exit_code == 1
    assert result.output.startswith("Error: ")


def test_a_mistake_is_said_with_its_line_in_both_languages(mapping):
    mapping.write_text(MAPPING.replace("apply: [upper]", "apply: [uper]"), encoding="utf-8")
    english, vietnamese = hub("check", mapping), hub("check", mapping, "--lang", "vi")
    assert (english.exit_code, vietnamese.exit_code) == (1, 1)
    assert "Line 7: there is no transform uper; known: base64, capitalise," in english.output
    assert "Dòng 7: không có phép biến đổi uper" in vietnamese.output


def test_check_ends_with_an_error_for_what_the_target_requires(mapping):
    result = hub("check", mapping)
    assert result.exit_code == 1
    assert "The target's required field sodinhdanh (" in result.output
    assert "warning: The document has no examples" in result.output


def test_run_translates_a_file_and_names_what_is_wrong(mapping, tmp_path):
    file = tmp_path / "in.json"
    records = [{"ten": "An", "lop": "7a", "diem": [{"mon": "GDCD"}]}, {"ten": "", "diem": [{"mon": "Bay"}]}]
    file.write_text(json.dumps({"ds": records}), encoding="utf-8")
    result = hub("run", mapping, file)
    assert result.exit_code == 1
    assert [json.loads(line) for line in result.stdout.splitlines()] == [
        {"hovaten": "An", "tenlop": "7A", "bangdiem": [{"tenmonhoc": "Giáo dục công dân"}]},
        {"bangdiem": [{}]},
    ]
    begins = [line.partition(":")[0] for line in result.stderr.splitlines()]
    assert begins == ["record 1 /ten", "record 1 /diem/0/mon"]


@pytest.mark.parametrize(
    ("form", "name", "text"),
    [
        ("{format: xml, records: h}", "in.xml", "<r><h><ten>An</ten><lop>7a</lop></h></r>"),
        ("{format: rows, sheets: [{sheet: S}]}", "in.csv", "ten,lop\nAn,7a\n"),
        ("{format: json}", "in.ndjson", '{"ten": "An", "lop": "7a"}\n\n'),
    ],
)
def test_run_reads_xml_csv_and_ndjson(mapping, tmp_path, form, name, text):
    mapping.write_text(MAPPING.replace("{format: json, records: ds}", form), encoding="utf-8")
    (tmp_path / name).write_text(text, encoding="utf-8")
    result = hub("run", mapping, tmp_path / name)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == {"hovaten": "An", "tenlop": "7A"}


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b'{"ds": 3}', b"[" * 100_000])
def test_run_on_an_unreadable_file_is_an_error_and_no_traceback(mapping, tmp_path, content):
    file = tmp_path / "in.json"
    file.write_bytes(content)
    result = hub("run", mapping, file)
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)


def test_a_file_is_tried_as_if_it_were_sent(tmp_path):
    file = tmp_path / "in.json"
    records = [flat(1), flat(2, danToc="Nhóm lạ"), flat(3, danToc="Nhóm lạ", tenLop="")]
    file.write_text(json.dumps({"hocBa": records[:1]}), encoding="utf-8")
    right = hub("try", "vendor-flat-secondary", file, "--lang", "en")
    assert right.exit_code == 0, right.output
    assert "1 records: 1 would be accepted, 0 rejected." in right.output
    assert "hocba-hub mappings draft vendor-flat-secondary" in right.output
    file.write_text(json.dumps({"hocBa": records}), encoding="utf-8")
    wrong = hub("try", "vendor-flat-secondary", file, "--lang", "vi")
    assert wrong.exit_code == 1
    assert "3 bản ghi: 1 sẽ được nhận, 2 sẽ bị từ chối." in wrong.output
    lines = [line.split() for line in wrong.output.splitlines()]
    causes = [(line[0], line[2], line[3], line[4]) for line in lines if len(line) > 4 and line[1] == "lỗi"]
    assert causes[0] == ("2", "pupil/ethnic_code", "1", "/danToc")
    assert ("1", "class/name", "2", "/tenLop") in causes
    assert ["ethnic-groups", "Nhóm", "lạ", "2"] in lines
    assert "Card by card" not in hub("try", "vendor-flat-secondary", file, "--lines", "0", "--lang", "en").output
    assert hub("try", "ndc-primary", file).exit_code == 1
    nothing = tmp_path / "in.ndjson"
    nothing.touch()
    empty = hub("try", "vendor-flat-secondary", nothing, "--lang", "en")
    assert (empty.exit_code, "No record was found in the file" in empty.output) == (1, True)


def test_examples_that_fail_end_with_1(mapping):
    mapping.write_text(
        MAPPING + "examples: [{name: e, input: {ds: [{ten: A}]}, output: {hovaten: B}}]\n", encoding="utf-8"
    )
    result = hub("test", mapping)
    assert result.exit_code == 1
    assert "/hovaten: expected 'B', got 'A'" in result.output


def test_a_table_of_ones_own(mapping, tmp_path):
    mapping.write_text(MAPPING.replace("{name: subjects, to: short_name}", "mine"), encoding="utf-8")
    assert "no code table mine" in hub("check", mapping).output
    folder = tmp_path / "tables"
    folder.mkdir()
    head = "table: mine\nversion: 1.0.0\ntitle: {vi: a, en: b}\nsource: x\n"
    table = head + "columns: {a: a, b: b}\ndefault: {from: a, to: b}\n"
    (folder / "mine.yaml").write_text(table + "rows: [{a: x, b: y}]", encoding="utf-8")
    assert "no code table mine" not in hub("check", mapping, "--tables", folder).output
    (folder / "mine.yaml").write_text(table, encoding="utf-8")
    result = hub("check", mapping, "--tables", folder)
    assert result.exit_code == 1
    assert "mine.yaml: error" in result.output


def test_a_review_in_a_spreadsheet_comes_back_as_a_new_version(mapping, tmp_path):
    sheet = tmp_path / "review.csv"
    assert hub("export", mapping, "--out", sheet).exit_code == 0
    lines = list(csv.reader(sheet.open(encoding="utf-8-sig", newline="")))
    lines[2][lines[0].index("required")] = "true"
    with sheet.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows(lines)
    imported = hub("import", mapping, sheet)
    assert imported.exit_code == 0
    (tmp_path / "reviewed.yaml").write_text(imported.output, encoding="utf-8")
    compared = hub("diff", mapping, tmp_path / "reviewed.yaml")
    assert compared.output.splitlines() == [
        "changed  fields tenlop",
        "    - from: lop, apply: [upper]",
        "    + from: lop, apply: [upper], required: true",
        "1 differences",
    ]
    sheet.write_text("nothing", encoding="utf-8")
    assert hub("import", mapping, sheet).exit_code == 1


def test_a_mapping_is_checked_against_a_schema_of_its_own(mapping, tmp_path):
    schema = tmp_path / "own.json"
    properties = {"tenlop": {"type": "boolean"}}
    schema.write_text(json.dumps({"type": "object", "properties": properties}), encoding="utf-8")
    found = hub("check", mapping, "--schema", schema)
    assert found.exit_code == 1
    assert "the target wants boolean" in found.output
    schema.write_text("[", encoding="utf-8")
    assert "own.json: not a JSON Schema" in hub("check", mapping, "--schema", schema).output


def test_a_draft_is_made_from_a_sample_and_never_overwrites(tmp_path):
    sample, out = tmp_path / "Lớp 6A.json", tmp_path / "mine.yaml"
    sample.write_text(json.dumps({"namHoc": "2025-2026", "hocBa": [flat(1), flat(2)]}), encoding="utf-8")
    printed = hub("start", sample, "--lang", "vi")
    assert printed.exit_code == 0, printed.output
    assert "mapping: lop-6a" in printed.output
    assert "# ? kind (Loại học bạ)" in printed.output
    assert "pupil/full_name: {from: hoTen, apply: [collapse-spaces], required: true} # chắc" in printed.output
    written = hub("start", sample, "--out", out, "--name", "mine", "--lang", "en")
    assert written.exit_code == 0
    assert "hocba-hub mappings check" in written.output
    checked = hub("check", out, "--sample", sample, "--lang", "en")
    assert "The document has no examples" in checked.output
    assert "The source field maHocBa" not in checked.output
    again = hub("start", sample, "--out", out)
    assert again.exit_code == 1
    (tmp_path / "no.json").write_text("{}", encoding="utf-8")
    assert hub("start", tmp_path / "no.json").exit_code == 1


def command(*arguments):
    return CliRunner().invoke(main, list(map(str, arguments)))


def test_the_card_and_the_code_tables_are_explained_in_both_languages(mapping):
    shown = command("card", "pupil/gender", "--lang", "en")
    assert (shown.exit_code, "2  female" in shown.output, "identity.number-gender" in shown.output) == (0, True, True)
    assert "năm-tháng-ngày" in command("card", "pupil/birth", "--lang", "vi").output
    assert "year/subjects[]/code" in command("card", "year/subjects", "--lang", "vi").output
    assert "year/learning/term1" in command("card", "--lang", "en").output
    wrong = command("card", "pupil/brith", "--lang", "en")
    assert wrong.exit_code == 1
    assert "pupil/birth" in wrong.output
    assert "subjects" in command("codes", "tables", "--lang", "vi").output
    found = command("codes", "tables", "--search", "tieng viet", "--lang", "vi").output
    assert "TVI" in found
    assert "TOA " not in command("codes", "tables", "subjects", "--search", "tieng viet").output
    assert command("codes", "tables", "nowhere").exit_code == 1
    mapping.write_text(MAPPING + "tables: {gt: {match: loose, pairs: {Nữ: '2'}}}\n", encoding="utf-8")
    assert "Nữ → 2" in hub("show", mapping).output
    assert "Nữ" in command("codes", "tables", "gt", "--mapping", mapping).output
