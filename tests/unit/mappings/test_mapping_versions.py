"""Versions of mappings side by side: choosing, comparing, previewing, reviewing as a table."""

from datetime import date

import pytest

from hocba_hub.mappings import finding_kinds as kinds
from hocba_hub.mappings.check.check import check
from hocba_hub.mappings.check.example_runs import example_values, run_examples
from hocba_hub.mappings.compile.compiled_mapping import compile_mapping
from hocba_hub.mappings.document.diff import ChangeKind, diff
from hocba_hub.mappings.document.document import DocumentError
from hocba_hub.mappings.document.parse import load_document
from hocba_hub.mappings.document.tabular import HEADER, TableFormError, as_table, from_table
from hocba_hub.mappings.library.library import Library, MappingNotFoundError, load_library, shipped_library
from hocba_hub.mappings.library.preview import Outcome, preview
from hocba_hub.mappings.records.record import JsonRecord
from hocba_hub.mappings.schemas import target_schema
from hocba_hub.mappings.tables.table_files import shipped_tables
from hocba_hub.model.card import CARD
from hocba_hub.model.findings import Finding, FindingKind, Severity

TABLES = shipped_tables()
TEXT = """mapping: m
version: 1.0.0
source: {format: json}
target: t
tables: {t: {A: '1', '01': '2'}}
fields:
  id: {from: id, required: true}
  p/q: {from: "a[b=1]/'c/d'", apply: [{date: [dd/mm/yyyy, excel]}, upper]}
  k: [{from: x, when: {l: [TH, '01'], n: {at-least: 3}}}, {from: [y, z], join: ", "}, {value: true}]
  o: {at: s, fields: {v: v, w/u: "01"}}
  rows: {each: r, where: {m: {present: true}}, fields: {n: m, deep: {each: d, fields: {".": "."}}}}
  who: {items: [{role: {value: a}, name: na}, {role: {value: b}, name: {from: nb, table: t}}]}
  e: {from: e, default: "no: 'x'", note: "say: why"}
examples: [{name: one, input: {id: 1, x: q, e: 'y'}, contains: {id: 1}}]
"""
DOCUMENT = load_document(TEXT)


def test_a_mapping_as_a_table_comes_back_the_same():
    table = as_table(DOCUMENT, example_values(DOCUMENT, {}))
    assert table[0] == list(HEADER)
    back = load_document(from_table(DOCUMENT, table))
    assert back.fields.keys() == DOCUMENT.fields.keys()
    assert diff(DOCUMENT, back) == []
    assert as_table(back) == as_table(DOCUMENT)
    assert next(line for line in table if line[0] == "e")[-1] == "y"
    assert all(isinstance(cell, str) for line in table for cell in line)


def test_a_reviewed_table_changes_the_mapping():
    table = as_table(DOCUMENT)
    row = next(line for line in table if line[0] == "rows[]/n")
    row[HEADER.index("apply")], row[HEADER.index("required")] = "[trim, upper]", "true"
    changes = diff(DOCUMENT, load_document(from_table(DOCUMENT, table)))
    assert [(c.kind, c.name, c.before, c.after) for c in changes] == [
        (ChangeKind.CHANGED, "rows[]/n", "from: m", "from: m, apply: [trim, upper], required: true")
    ]


@pytest.mark.parametrize(
    "lines", [[], [["a"]], [list(HEADER), ["rows[]/n", "", "m"]], [list(HEADER), ["a", "", "", "["]]]
)
def test_a_table_that_cannot_be_read_back_is_said(lines):
    with pytest.raises(TableFormError, match="line"):
        from_table(DOCUMENT, lines)


def test_a_table_with_a_wrong_rule_is_findings():
    with pytest.raises(DocumentError, match="shout"):
        from_table(DOCUMENT, [list(HEADER), ["a", "", "x", "[shout]"]])


def test_diff_names_every_part_but_examples_and_version():
    after = load_document(
        TEXT.replace("1.0.0", "1.1.0")
        .replace("A: '1'", "A: '9', B: '3'")
        .replace("  id: {from: id, required: true}\n", "  new: id\n")
        .replace("name: one", "name: other")
    )
    assert [(c.kind.value, c.part, c.name) for c in diff(DOCUMENT, after)] == [
        ("changed", "tables", "t/A"),
        ("added", "tables", "t/B"),
        ("removed", "fields", "id"),
        ("added", "fields", "new"),
    ]


def compiled(fields):
    return compile_mapping(
        load_document("mapping: m\nversion: 1.0.0\nsource: {format: json}\ntarget: t\nfields: " + fields), {}
    )


def outcomes(draft, current, records, findings_of=lambda _: []):
    def outcome(mapping, one):
        made = mapping.translate(one)
        return Outcome(
            made.output, [*made.findings, *(findings_of(made.output) if made.complete else [])], made.unmapped
        )

    return ((outcome(current, one) if current else None, outcome(draft, one)) for one in records)


TOO_LONG = FindingKind("schema.too-long", Severity.ERROR, "vi", "en")


def test_preview_counts_changes_and_who_starts_or_stops_passing_without_values():
    records = [
        JsonRecord({"a": "secret-1", "n": "Toán"}),
        JsonRecord({"n": "Ngữ văn"}),
        JsonRecord({"a": "x", "r": [{"v": 1}]}),
    ]
    current = compiled("{id: {from: a, required: true}, name: n, rows: {each: r, fields: {v: v}}}")
    draft = compiled("{id: {from: a, default: none}, name: {from: n, apply: [upper]}, rows: {each: r, fields: {w: v}}}")
    effect = preview(
        outcomes(
            draft, current, records, lambda card: [Finding(TOO_LONG, "/name")] if card.get("name") == "TOÁN" else []
        )
    )
    assert (effect.records, effect.changed) == (3, 3)
    assert dict(effect.fields) == {
        ("name", ChangeKind.CHANGED): 2,
        ("id", ChangeKind.ADDED): 1,
        ("rows[]/v", ChangeKind.REMOVED): 1,
        ("rows[]/w", ChangeKind.ADDED): 1,
    }
    assert (effect.start_failing, effect.start_passing) == ([0], [1])
    assert effect.findings_more == {"schema.too-long": 1}
    assert effect.findings_fewer == {"mapping.value.missing": 1}
    assert "secret" not in repr(effect)


def test_preview_of_the_same_mapping_is_empty_and_of_a_first_one_counts_all():
    made = compiled("{id: {from: a, required: true}}")
    records = [JsonRecord({"a": 1}), JsonRecord({})]
    same = preview(outcomes(made, made, records))
    assert (same.changed, dict(same.fields), same.start_failing, same.start_passing) == (0, {}, [], [])
    first = preview(outcomes(made, None, records))
    assert (first.changed, first.start_passing, first.start_failing) == (1, [0], [])


def versions(*heads):
    text = "source: {format: json}\ntarget: t\nfields: {a: b}\n"
    documents = [
        load_document(f"mapping: m\nversion: {version}\napplies: {applies}\n{text}") for version, applies in heads
    ]
    return Library(tuple(documents), {})


def test_versions_live_side_by_side_and_the_highest_that_applies_is_chosen():
    library = versions(
        ("1.0.0", "{school-years: [2024-2025]}"),
        ("1.9.0", "{}"),
        ("1.10.0", "{clients: [north]}"),
        ("2.0.0", "{from: 2026-09-01, to: 2026-12-31}"),
    )

    def chosen(**facts):
        return library.select("m", **facts).number

    assert chosen() == "2.0.0"
    assert chosen(version=(1, 0, 0)) == "1.0.0"
    assert chosen(on=date(2026, 8, 31)) == "1.10.0"
    assert chosen(on=date(2026, 8, 31), client="south") == "1.9.0"
    assert chosen(on=date(2026, 9, 1), client="south") == "2.0.0"
    assert chosen(on=date(2027, 1, 1), client="south", school_year="2024-2025") == "1.9.0"
    for wrong in ({"version": (3, 0, 0)}, {"name": "other"}):
        with pytest.raises(MappingNotFoundError):
            library.select(**{"name": "m", **wrong})


def test_a_folder_of_mappings(tmp_path):
    (tmp_path / "a.yaml").write_text(TEXT, encoding="utf-8")
    (tmp_path / "b.yaml").write_text(TEXT, encoding="utf-8")
    (tmp_path / "c.yaml").write_text(TEXT.replace("1.0.0", "1.0.1"), encoding="utf-8")
    (tmp_path / "d.yaml").write_bytes(b"mapping: \xff")
    library = load_library(tmp_path)
    assert [document.label for document in library.documents] == ["m 1.0.0", "m 1.0.1"]
    assert set(library.wrong) == {"b.yaml", "d.yaml"}


def test_every_shipped_mapping_is_right_and_its_examples_make_canonical_cards():
    library = shipped_library()
    assert library.wrong == {}
    assert library.documents
    for document in library.documents:
        found = check(document, TABLES, target_schema(document.target))
        assert {finding.kind for finding in found} <= {kinds.LENGTH_POSSIBLE}
        made = compile_mapping(document, TABLES)
        for result in run_examples(made) if document.target == "report-card" else ():
            if result.example.output is not None:
                for translation in result.translations:
                    CARD.validate_python(_strict(translation.output))


def _strict(card):
    """JSON lists as the strict model's tuples."""
    if isinstance(card, dict):
        return {key: _strict(value) for key, value in card.items()}
    return tuple(map(_strict, card)) if isinstance(card, list) else card
