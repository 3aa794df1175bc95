"""The static check, the examples and their coverage, the schemas that mappings name."""

import pytest

from hocba_hub.mappings.check.check import check
from hocba_hub.mappings.check.example_runs import coverage, run_examples
from hocba_hub.mappings.compile.compiled_mapping import compile_mapping
from hocba_hub.mappings.document.document import DocumentError
from hocba_hub.mappings.document.parse import load_document
from hocba_hub.mappings.schemas import NAMES, SchemaUnknownError, target_schema
from hocba_hub.mappings.schemas.targets import from_field_table, from_json_schema
from hocba_hub.mappings.tables.table_files import shipped_tables

HEAD = "mapping: m\nversion: 1.0.0\nsource: {format: json}\ntarget: t\n"
TABLES = shipped_tables()
SCHEMA_WHO = {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}
SCHEMA = from_json_schema(
    {
        "type": "object",
        "required": ["name"],
        "additionalProperties": False,
        "properties": {
            "name": {"type": "string", "maxLength": 20},
            "class": {"type": "string", "maxLength": 3, "pattern": "^[0-9]"},
            "level": {"enum": ["T", "K", None]},
            "count": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
            "rows": {"type": "array", "items": {"$ref": "#/$defs/Row"}},
            "who": SCHEMA_WHO,
            "free": {"type": "object"},
        },
        "$defs": {
            "Row": {"type": "object", "required": ["x"], "properties": {"x": {"type": "string", "maxLength": 2}}}
        },
    }
)


def said(text, target=SCHEMA, source=None, head=HEAD):
    found = check(load_document(head + text), TABLES, target, source)
    assert all(finding.as_json()["message_vi"] != finding.as_json()["message_en"] for finding in found)
    return [
        (f.kind.code.removeprefix("mapping.check."), f.facts.get("line"), f.facts.get("target", f.facts.get("given")))
        for f in found
        if f.kind.code != "mapping.check.no-examples"
    ]


GOOD = "  name: {from: n, required: true}\n"


def test_nothing_is_said_of_a_right_mapping():
    text = f"""tables: {{t: {{'1': T, '2': K}}}}
fields:
{GOOD}
  class: {{from: c, apply: [text]}}
  level: {{from: l, apply: [{{empty: '-'}}], table: t}}
  count: {{from: k, apply: [integer]}}
  free/anything/goes: z
examples:
- name: e
  input: {{n: A, c: 7, l: 1, k: "3", z: q}}
  output: {{name: A, class: "7", level: T, count: 3, free: {{anything: {{goes: q}}}}}}
"""
    assert said(text) == []


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("  nmae: n\n", [("target-unknown", 6, "nmae"), ("target-unmapped", None, "name")]),
        ("  name: n\n", [("target-may-be-empty", 6, "name")]),
        ("  name: {value: 5}\n", [("type-conflict", 6, "name")]),
        ("  name: {from: n, default: 0}\n", [("type-conflict", 6, "name")]),
        (GOOD + "  count: {from: c, apply: [decimal]}\n", [("type-conflict", 7, "count")]),
        (GOOD + "  count: {from: c, apply: [number]}\n", [("type-conflict", 7, "count")]),
        (GOOD + "  who: w\n", [("type-conflict", 7, "who")]),
        (GOOD + "  rows: {at: w, fields: {x: y}}\n", [("type-conflict", 7, "rows")]),
        (GOOD + "  who: {each: w, fields: {id: y}}\n", [("type-conflict", 7, "who")]),
        (
            GOOD + "  who: {at: w, fields: {no: y}}\n",
            [("target-unknown", 7, "who/no"), ("target-unmapped", None, "who/id")],
        ),
        (
            GOOD + "  rows: {each: w, fields: {y: y}}\n",
            [("target-unknown", 7, "rows[]/y"), ("target-unmapped", None, "rows[]/x")],
        ),
        (GOOD + "  class: {value: lop7}\n", [("value-conflict", 7, "class"), ("length-conflict", 7, "class")]),
        (GOOD + "  class: {from: c, default: 12A1}\n", [("length-conflict", 7, "class")]),
        (GOOD + "  class: {from: c, apply: [{date: dd/mm/yyyy}]}\n", [("length-conflict", 7, "class")]),
        (GOOD + "  level: {value: X}\n", [("value-conflict", 7, "level")]),
        (GOOD + "  level: {from: l, apply: [{level: letter}]}\n", [("value-conflict", 7, "level")]),
        (
            "  name: {from: n, table: {name: subjects, from: name, to: name}, required: true}\n",
            [("length-conflict", 6, "name")],
        ),
        ("  name: {from: n, table: {name: subjects, from: name, to: short_name}, required: true}\n", []),
        ("  name: {from: n, table: nope, required: true}\n", [("table-unknown", 6, "nope")]),
        ("  name: {from: n, table: {name: subjects, to: nope}, required: true}\n", [("column-unknown", 6, "nope")]),
        ("  name:\n  - {value: a}\n  - n\n", [("unreachable", 8, "name")]),
        (
            "  name:\n  - {value: a, when: {x: 1}}\n  - {from: n, when: {x: 1}}\n  - {value: b}\n",
            [("unreachable", 8, "name")],
        ),
        (GOOD + "  class: {from: c, when: {x: {is: 1, not: 1}}}\n", [("unreachable", 7, "class")]),
        (GOOD + "  class: {from: c, when: {x: {at-least: 3, at-most: 2}}}\n", [("unreachable", 7, "class")]),
        (
            GOOD + "  rows: {each: r, fields: {x: [{value: a}, y]}}\n",
            [("target-may-be-empty", 7, "rows[]/x"), ("unreachable", 7, "rows[]/x")][1:],
        ),
    ],
)
def test_what_the_target_cannot_take_is_said_with_its_line(fields, expected):
    assert said("fields:\n" + fields) == expected


def test_what_several_entries_lack_is_said_once_with_every_line():
    entries = """  rows:
    items:
    - {x: a}
    - {x: b}
  who: {fields: {id: w}}
"""
    assert said("fields:\n" + GOOD + entries) == [
        ("target-may-be-empty", "9, 10", "rows[]/x"),
        ("target-may-be-empty", 11, "who/id"),
    ]
    target = from_json_schema({"type": "object", "required": ["who"], "properties": {"who": SCHEMA_WHO}})
    assert said("fields:\n  who: {fields: {id: w}}\n", target) == [("target-may-be-empty", 6, "who/id")]


def test_source_fields_that_are_not_read_or_never_come():
    text = (
        "fields:\n"
        + GOOD
        + """  class: {from: "diem[ma=A]/c"}
  rows: {each: diem, where: {loai: 1}, fields: {x: {from: vl, required: true}}}
examples:
- {name: e, input: {n: A, extra: 1, diem: [{ma: A, val: 1, deep: {x: 1}}]}, contains: {name: A}, findings: []}
"""
    )
    assert said(text) == [
        ("source-unread", None, "extra"),
        ("source-unread", None, "diem/val"),
        ("source-unread", None, "diem/deep/x"),
        ("source-unseen", 7, "diem/c"),
        ("source-unseen", 8, "diem/loai"),
        ("source-unseen", 8, "diem/vl"),
    ]


def test_types_and_lengths_are_followed_from_a_source_schema():
    source = from_json_schema(
        {
            "type": "object",
            "properties": {
                "long": {"type": "string", "maxLength": 50},
                "whole": {"type": "integer"},
                "letters": {"enum": ["T", "X"]},
                "list": {"type": "array", "items": {"type": "object", "properties": {"y": {"type": "string"}}}},
            },
        }
    )
    text = (
        "fields:\n  name: {from: long, required: true}\n  class: whole\n  level: letters\n"
        "  count: whole\n  rows: {each: list, fields: {x: {from: yy, required: true}}}\n"
    )
    assert said(text, source=source) == [
        ("length-possible", 6, "name"),
        ("type-conflict", 7, "class"),
        ("value-conflict", 8, "level"),
        ("source-unknown", 10, "list/yy"),
    ]


def test_text_of_xml_is_text():
    head = HEAD.replace("json", "xml")
    assert said("fields:\n" + GOOD + "  count: c\n", head=head) == [("type-conflict", 7, "count")]


def test_an_example_that_fails_says_where():
    text = """fields:
  name: {from: n, required: true}
examples:
- {name: one, input: {n: A}, output: {name: B}}
- {name: two, input: {n: ""}, findings: [{code: mapping.value.missing, at: /n, target: name}]}
- {name: three, input: {n: ""}, contains: {}}
- {name: four, input: {n: A}, findings: [value.missing]}
- {name: five, input: [{n: A}, {n: B}], output: [{name: A}, {name: B}]}
"""
    results = run_examples(compile_mapping(load_document(HEAD + text), {}))
    assert [bool(result.problems) for result in results] == [True, False, True, True, False]
    assert results[0].problems == ("/name: expected 'B', got 'A'",)
    failed = [f for f in check(load_document(HEAD + text), {}, SCHEMA) if f.kind.code == "mapping.check.example-failed"]
    assert [finding.facts["line"] for finding in failed] == [8, 10, 11]


def test_examples_of_xml_and_of_rows():
    xml = (
        HEAD.replace("json", "xml")
        + """fields: {name: {from: n, required: true}}
examples:
- {name: x, input: "<r><n>A</n></r>", output: {name: A}}
- {name: broken, input: "<r>", findings: [mapping.source.not-xml]}
"""
    )
    rows = (
        HEAD.replace("format: json", "format: rows, sheets: [{sheet: S}]")
        + """fields: {name: {from: N, required: true}}
examples:
- {name: x, input: {S: [[N], [A], [B]]}, output: [{name: A}, {name: B}]}
- {name: no sheet, input: {T: [[N]]}, findings: [mapping.source.sheet-missing]}
"""
    )
    for text in (xml, rows):
        results = run_examples(compile_mapping(load_document(text), {}))
        assert [result.problems for result in results] == [(), ()]


def test_coverage_of_target_source_and_rules():
    text = (
        "fields:\n"
        + GOOD
        + """  level: [{from: l, when: {k: 1}}, {value: T}]
  rows: {each: r, fields: {x: x}}
examples:
- {name: e, input: {n: A, k: 2, more: 1}, contains: {level: T}}
"""
    )
    covered = coverage(load_document(HEAD + text), TABLES, SCHEMA)
    assert covered.target_mapped == ("name", "level", "rows[]/x")
    assert covered.target_unmapped == ("class", "count", "who/id", "free")
    assert covered.source_read == ("n", "k")
    assert covered.source_unread == ("more",)
    assert covered.rules_untested == ("level", "rows[]/x")
    assert covered.share() == "target 3/7 · source 2/3 · rules 2/4"


def test_the_schemas_that_mappings_name():
    card = target_schema("report-card")
    assert card.find("year/subjects[]/teacher/personal_number").pattern
    assert card.variant("primary").find("year/qualities") is not None
    assert card.variant("secondary").find("year/qualities") is None
    secondary = target_schema("ndc-secondary")
    assert secondary.find("tenlop").longest == 10
    assert secondary.find("bangdiem[]/tenmonhoc").longest == 20
    assert secondary.find("hocky1").allowed == {"T", "K", "Đ", "CĐ"}
    assert secondary.find("hocky1").required is False
    assert secondary.find("sobuoinghi").least == 1
    assert secondary.find("keythongtinsohocbasothcsthpt") is None
    assert all(target_schema(name).children for name in NAMES)
    with pytest.raises(SchemaUnknownError):
        target_schema("nope")


def test_the_official_name_of_a_subject_does_not_fit_the_dictionary_and_its_short_name_does():
    text = (
        "fields: {bangdiem: {each: s, fields: {tenmonhoc: {from: n, required: true, table: {name: subjects, to: %s}}}}}"
    )
    conflicts = [
        [f.kind.code for f in check(load_document(HEAD + text % to), TABLES, target_schema("ndc-secondary"))]
        for to in ("name", "short_name")
    ]
    assert ["mapping.check.length-conflict" in codes for codes in conflicts] == [True, False]


def test_a_schema_that_refers_to_itself_ends():
    schema = {
        "$ref": "#/$defs/A",
        "$defs": {"A": {"type": "object", "properties": {"a": {"$ref": "#/$defs/A"}, "b": {"type": "string"}}}},
    }
    made = from_json_schema(schema)
    assert made.find("b").type == "text"
    assert made.find("a") is not None


def test_a_field_table_is_a_target():
    rows = [
        {"table": "r", "field": "id", "type": "varchar", "max_length": "5", "required": "Y", "key": "PK"},
        {"table": "r", "field": "n", "type": "int", "max_length": "3", "required": "Y", "min": "1", "max": "9"},
        {"table": "r_c", "field": "keyr", "type": "varchar", "key": "FK"},
        {"table": "r_c", "field": "x", "type": "varchar", "max_length": "2", "required": "Y", "condition": "not if y"},
        {"table": "other", "field": "z", "type": "varchar"},
    ]
    made = from_field_table(rows, "r")
    assert [path for path, _ in made.walk()] == ["n", "c", "c[]/x"]
    assert (made.find("n").least, made.find("n").most, made.find("n").longest) == (1, 9, None)
    assert made.find("c[]/x").required is False
    whole = from_field_table(
        [*rows, {"table": "r", "field": "n", "type": "varchar", "max_length": "7"}], "r", whole=True
    )
    assert [path for path, _ in whole.walk()] == ["id", "n", "r_c", "r_c[]/keyr", "r_c[]/x"]
    assert (whole.find("n").type, whole.find("n").longest) == ("text", 7)


def test_a_document_that_names_its_source_is_checked_against_it():
    head = HEAD.replace("{format: json}", "{format: json, schema: secondary-delivery}") + "fields:\n"

    def found(rule):
        findings = check(load_document(head + rule), TABLES, target_schema("ndc-secondary"))
        return {f.kind.code.rpartition(".")[2] for f in findings} - {"no-examples", "target-unmapped"}

    assert found("  tenlop: {from: class/name, required: true}\n") == set()
    assert found("  tenlop: {from: school/name, required: true}\n") == {"length-possible"}
    assert found("  tenlop: {from: class/name, default: một hai ba bốn}\n") == {"length-conflict"}
    assert found("  tenlop: {from: class/nome, required: true}\n") == {"source-unknown"}
    assert (
        found("  noisinh_maxa: {from: pupil/birthplace/commune_code, when: {pupil/birthplace/commune_list: x}}\n")
        == set()
    )


def test_parts_that_are_left_unread_on_purpose():
    example = "{name: e, input: {n: x, sig: {a: 1, b: [2]}, z: 3}, output: {name: x}}"
    text = f"fields: {{name: {{from: n, required: true}}}}\nexamples: [{example}]"
    head = HEAD.replace("{format: json}", "{format: json, unread: [%s]}")
    assert [given for _, _, given in said(text, head=head % "")] == ["sig/a", "sig/b", "z"]
    assert [given for _, _, given in said(text, head=head % "sig")] == ["z"]
    assert [given for _, _, given in said(text, head=head % "sig/b, z")] == ["sig/a"]
    assert coverage(load_document(head % "sig, z" + text), TABLES, SCHEMA).source_unread == ()
    with pytest.raises(DocumentError, match="path"):
        load_document(head % "'a//b'" + text)


KINDS = from_json_schema(
    {
        "oneOf": [{"$ref": "#/$defs/A"}, {"$ref": "#/$defs/B"}],
        "discriminator": {"propertyName": "kind", "mapping": {"a": "#/$defs/A", "b": "#/$defs/B"}},
        "$defs": {
            name.upper(): {
                "type": "object",
                "required": ["kind", "id", "year"],
                "properties": {
                    "kind": {"const": name},
                    "id": {"type": "string"},
                    "year": {"type": "object", "required": [name], "properties": {name: {"type": "string"}}},
                },
            }
            for name in "ab"
        },
    }
)
TWO_KINDS = """fields:
  id: {from: i, required: true}
  kind: [{value: a, when: {t: A}}, {value: b, when: {t: [B, C]}}]
  year:
    - {when: {t: A}, fields: {a: {from: x, required: true}}}
    - {when: {t: [B, C]}, fields: {%s}}
"""


def test_a_mapping_of_several_kinds_is_checked_for_each_by_the_rules_that_can_count_for_it():
    assert said(TWO_KINDS % "b: {from: x, required: true}", KINDS) == []
    assert said(TWO_KINDS % "a: {from: x, required: true}", KINDS) == [
        ("target-unknown", 10, "year/a"),
        ("target-unmapped", None, "year/b"),
    ]
    unsaid = TWO_KINDS.replace("{when: {t: A}, fields", "{fields") % "b: {from: x, required: true}"
    assert ("target-unknown", 9, "year/a") in said(unsaid, KINDS)
    assert [(one, line) for one, line, _ in said(TWO_KINDS.replace("id:", "no:") % "b: {value: x}", KINDS)] == [
        ("target-unknown", 6),  # once, though it is so for both kinds
        ("target-unmapped", None),
    ]
    document = load_document(HEAD + TWO_KINDS % "b: x")
    assert coverage(document, TABLES, KINDS).target_unmapped == ()
