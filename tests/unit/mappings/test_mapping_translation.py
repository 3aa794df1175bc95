"""A compiled mapping: what records become, and every problem with its place."""

import copy
import gc
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hocba_hub.mappings.compile.compiled_mapping import compile_mapping
from hocba_hub.mappings.compile.trace import Tracer
from hocba_hub.mappings.document.document import DocumentError
from hocba_hub.mappings.document.parse import load_document
from hocba_hub.mappings.records.record import JsonRecord
from hocba_hub.mappings.schemas.targets import from_json_schema
from hocba_hub.mappings.tables.table_files import inline_table, shipped_tables
from hocba_hub.model.codes import UnmappedCode

HEAD = "mapping: m\nversion: 1.0.0\nsource: {format: json}\ntarget: t\n"
TABLES = shipped_tables()


def mapping(text, schema=None, tables=TABLES):
    return compile_mapping(load_document(HEAD + text), tables, schema and from_json_schema(schema))


def outcome(fields, record, **more):
    """Output, and (code, pointer, target) of each finding."""
    made = mapping(f"fields: {fields}" if isinstance(fields, str) else fields[0], **more).translate(JsonRecord(record))
    short = [
        (f.kind.code.removeprefix("mapping."), f.pointer, f.facts.get("target")) for f in made.findings if f.as_json()
    ]
    return made.output, short


def output(fields, record, **more):
    made, findings = outcome(fields, record, **more)
    assert findings == []
    return made


def test_copies_clean_text_and_leaves_out_what_is_blank():
    record = {"x": "  Ða\u0323o ", "n": 5, "b": False, "e": "", "s": "   ", "z": None}
    made = output("{a: x, n: n, b: b, e: e, s: s, z: z, no: nope}", record)
    assert made == {"a": "Đạo", "n": 5, "b": False}


def test_constants_defaults_and_required():
    fields = "{c: {value: 1}, d: {from: x, default: 0}, r: {from: y, required: true}, q: {from: p/q, required: true}}"
    made, findings = outcome(fields, {"x": "", "p": {"q": "  "}})
    assert made == {"c": 1, "d": 0}
    assert findings == [("value.missing", "/y", "r"), ("value.missing", "/p/q", "q")]


def test_transforms_then_tables_in_order():
    text = "tables: {t: {A: '1'}}\nfields: {a: {from: x, apply: [{empty: '-'}, upper], table: t, default: '0'}}"
    assert [output((text,), {"x": x}) for x in ("a", "-", None)] == [{"a": "1"}, {"a": "0"}, {"a": "0"}]


def test_joins_paths_and_lists_and_skips_what_is_not_there():
    fields = "{name: {from: [ho, dem, ten], join: ' '}, all: {from: [khen], join: '; '}}"
    assert output(fields, {"ho": "Nguyễn", "ten": " An", "khen": ["a", "", "b"]}) == {
        "name": "Nguyễn An",
        "all": "a; b",
    }
    assert output(fields, {}) == {}


def test_objects_nested_by_name_by_fields_and_by_place():
    fields = "{p/n: ten, p/q/r: ten, o: {fields: {x: ten}}, s: {at: hs, fields: {t: ten, up: ../ten, root: /ten}}}"
    made = output(fields, {"ten": "A", "hs": {"ten": "B"}})
    assert made == {"p": {"n": "A", "q": {"r": "A"}}, "o": {"x": "A"}, "s": {"t": "B", "up": "A", "root": "A"}}
    assert output(fields, {}) == {}


def test_an_object_that_always_stands_and_one_that_is_required():
    assert output("{o: {fields: {x: x}, always: true}, p: {at: q, fields: {x: x}, always: true}}", {}) == {
        "o": {},
        "p": {},
    }
    assert outcome("{o: {at: q, fields: {x: x}, required: true}}", {}) == ({}, [("value.missing", "/q", "o")])


def test_conditions_choose_among_rules():
    fields = "{k: [{from: a, when: {l: TH}}, {from: b, when: {l: [THCS, THPT], g: {at-least: 6}}}, {value: none}]}"
    cases = [({"l": "TH", "a": "x"}, "x"), ({"l": "THCS", "g": "7,5", "b": "y"}, "y"), ({"l": "THCS", "g": 5}, "none")]
    assert [output(fields, record)["k"] for record, _ in cases] == [wanted for _, wanted in cases]
    assert output(fields, {"l": "TH"}) == {"k": "none"}


@pytest.mark.parametrize(
    ("condition", "record", "held"),
    [
        ("{x: 1}", {"x": "1"}, True),
        ("{x: '01'}", {"x": 1}, False),
        ("{x: {not: 1}}", {"x": 2}, True),
        ("{x: {not: [1, 2]}}", {"x": 2}, False),
        ("{x: {present: true}}", {"x": "  "}, False),
        ("{x: {present: false}}", {}, True),
        ("{x: {at-most: 5}}", {"x": "5,0"}, True),
        ("{x: {at-most: 5}}", {"x": "nhiều"}, False),
        ("{x: {at-least: 6, at-most: 9}}", {"x": 10}, False),
        ("{any: [{x: 1}, {y: 2}]}", {"y": 2}, True),
        ("{any: [{x: 1}, {y: 2}], z: 3}", {"y": 2}, False),
        ("{x: true}", {"x": True}, True),
        ("{x/y: 1}", {"x": "text"}, False),
    ],
)
def test_conditions(condition, record, held):
    assert output(f"{{a: {{value: 1, when: {condition}}}}}", record) == ({"a": 1} if held else {})


def test_lists_with_a_filter_places_and_parents():
    fields = """{rows: {each: diem, where: {ma: {present: true}},
        fields: {code: ma, n: .position, card: ../id, root: /id, marks: {each: tx, fields: {".": "."}}}}}"""
    record = {"id": "H", "diem": [{"ma": "A", "tx": [8, "", 9]}, {"ma": ""}, {"ma": "B"}]}
    assert output(fields, record) == {
        "rows": [
            {"code": "A", "n": 1, "card": "H", "root": "H", "marks": [8, 9]},
            {"code": "B", "n": 3, "card": "H", "root": "H"},
        ]
    }


def test_a_list_from_the_keys_of_an_object_and_from_a_single_value():
    fields = "{rows: {each: diem/*, fields: {code: .key, mark: .}}, one: {each: x, fields: {y: y}}}"
    assert output(fields, {"diem": {"TOAN": 8, "VAN": 7}, "x": {"y": 1}}) == {
        "rows": [{"code": "TOAN", "mark": 8}, {"code": "VAN", "mark": 7}],
        "one": [{"y": 1}],
    }


def test_fixed_entries_stand_if_they_read_something():
    fields = """{signers: {items: [
        {role: {value: head}, name: hieuTruong}, {role: {value: class}, name: gvcn}, {x: {value: y}}]}}"""
    assert output(fields, {"gvcn": "B"}) == {"signers": [{"role": "class", "name": "B"}, {"x": "y"}]}


def test_every_problem_is_found_at_its_place():
    text = """tables: {t: {A: '1'}}
fields:
  id: {from: id, required: true}
  day: {from: ngay, apply: [{date: dd/mm/yyyy}]}
  one: {from: several}
  deep: {from: id/x}
  rows:
    each: diem
    fields:
      code: {from: ma, table: t, required: true}
      mark: {from: 'd[k=1]/v', apply: [decimal]}
  o: {at: ten, fields: {x: y}}
"""
    record = {
        "id": {"a": 1},
        "ngay": "31/02/2020",
        "several": ["a", "b"],
        "ten": "An",
        "diem": [{"ma": "A"}, {"ma": "B", "d": [{"k": 2}, {"k": 1, "v": "tám"}]}, "x", {}],
    }
    made, findings = outcome((text,), record)
    assert made == {"rows": [{"code": "1"}, {}, {}]}
    assert sorted(findings) == sorted(
        [
            ("value.structure", "/id", "id"),
            ("value.unreadable", "/ngay", "day"),
            ("value.several", "/several", "one"),
            ("table.unknown", "/diem/1/ma", "rows[]/code"),
            ("value.unreadable", "/diem/1/d/1/v", "rows[]/mark"),
            ("value.structure", "/diem/2", "rows"),
            ("value.missing", "/diem/3/ma", "rows[]/code"),
            ("value.structure", "/ten", "o"),
        ]
    )


def test_a_record_that_is_no_object_is_one_finding():
    for record in ([], "x", None, 3):
        assert outcome("{a: {from: b, required: true}}", record)[1] == [("source.not-a-record", "", None)]


def test_tables_by_name_by_system_by_day_and_never_by_guess():
    fields = """{a: {from: x, table: {name: commune-names, on: 2025-06-30}},
      b: {from: x, table: {name: commune-names, on: ngay}},
      c: {from: x, table: commune-names}, d: {from: x, table: {name: commune-names, on: ngay}, default: z}}"""
    made, findings = outcome(fields, {"x": 11953, "ngay": "01/07/2025"})
    assert made == {"a": "Phường Hiến Nam", "b": "Phường Phố Hiến", "d": "Phường Phố Hiến"}
    assert findings == [("table.ambiguous", "/x", "c")]
    made, findings = outcome(fields, {"x": "11950", "ngay": "2026-01-01"})
    assert ("table.out-of-validity", "/x", "b") in findings


def test_unknown_codes_are_listed_for_the_work_list_and_not_shown():
    text = """tables: {t: {A: '1'}}
fields:
  a: {from: x, table: t}
  k: {from: x, table: {name: t, otherwise: keep}}
  e: {from: x, table: {name: t, otherwise: empty}, default: 0}
"""
    made = mapping(text).translate(JsonRecord({"x": "ZZ9"}))
    assert made.output == {"k": "ZZ9", "e": 0}
    assert made.unmapped == (UnmappedCode("m/t", "key", "ZZ9", "value"),)  # once, by the mapping whose own table it is
    assert not made.complete
    assert "ZZ9" not in str([finding.as_json() for finding in made.findings])
    assert mapping(text).translate(JsonRecord({"x": "A"})).complete
    shared = "fields: {n: {from: x, table: {name: subjects, from: name, to: code, where: {level: THPT}}}}"
    [entry] = mapping(shared).translate(JsonRecord({"x": "ZZ9"})).unmapped
    assert entry == UnmappedCode("subjects", "name", "ZZ9", "code", (("level", "THPT"),))
    long = mapping(text).translate(JsonRecord({"x": "Z" * 65}))
    assert long.unmapped == ()


def test_what_a_value_was_before_does_not_change_what_it_becomes():
    made = mapping(
        "tables: {t: {'1': one, 'true': yes}}\nfields: {a: {from: x, table: t}, b: {from: y, apply: [mark]}}"
    )
    for _ in range(3):
        assert made.translate(JsonRecord({"x": 1, "y": 8.0})).output == {"a": "one", "b": "8"}
        assert made.translate(JsonRecord({"x": True, "y": 8})).output == {"a": "yes", "b": "8"}
        assert made.translate(JsonRecord({"x": "1", "y": "8,0"})).output == {"a": "one", "b": "8.0"}
        assert made.translate(JsonRecord({"x": 1.0})).output == {"a": "one"}
        assert [f.kind.code for f in made.translate(JsonRecord({"x": "2"})).findings] == ["mapping.table.unknown"]


SCHEMA = {
    "type": "object",
    "required": ["name", "items"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string", "maxLength": 5},
        "level": {"enum": ["T", "K"]},
        "count": {"type": "integer", "minimum": 1, "maximum": 300},
        "flag": {"type": "boolean"},
        "items": {"type": "array", "items": {"$ref": "#/$defs/Item"}},
    },
    "$defs": {"Item": {"type": "object", "required": ["x"], "properties": {"x": {"type": "number", "minimum": 0}}}},
}


def test_with_a_target_what_it_cannot_hold_is_found_at_its_place():
    fields = "{name: n, level: l, count: c, flag: f, items: {each: i, fields: {x: x}}}"
    good = {"n": "Toán", "l": "T", "c": 3, "f": True, "i": [{"x": 1}]}
    assert output(fields, good, schema=SCHEMA)["items"] == [{"x": 1}]
    bad = {"n": "Ngữ văn", "l": "Đ", "c": 301, "f": 1, "i": [{"x": "1"}, {}, {"x": -1}]}
    assert outcome(fields, bad, schema=SCHEMA)[1] == [
        ("value.too-long", "/n", "name"),
        ("value.not-allowed", "/l", "level"),
        ("value.out-of-range", "/c", "count"),
        ("value.wrong-type", "/f", "flag"),
        ("value.wrong-type", "/i/0/x", "items[]/x"),
        ("value.missing", "/i/1/x", "items[]/x"),
        ("value.out-of-range", "/i/2/x", "items[]/x"),
    ]
    assert outcome(fields, {}, schema=SCHEMA)[1] == [
        ("value.missing", "/n", "name"),
        ("value.missing", "/i", "items"),
    ]


def test_what_cannot_be_compiled_is_findings():
    with pytest.raises(DocumentError) as error:
        mapping("fields: {a: {from: x, table: nope}, b: {from: x, table: {name: ethnic-groups, from: name, to: nope}}}")
    assert [finding.kind.code for finding in error.value.findings] == [
        "mapping.check.table-unknown",
        "mapping.check.column-unknown",
    ]


def test_an_expression_is_jsonata_and_a_failure_never_shows_the_value():
    made = mapping("fields: {a: {expression: $sum(x), apply: [mark]}, b: {expression: 1/y}}")
    assert made.translate(JsonRecord({"x": [2, 0.5], "y": 2})).output == {"a": "2.5", "b": 0.5}
    assert made.translate(JsonRecord({})).output == {}
    findings = made.translate(JsonRecord({"x": 1, "y": "secret"})).findings
    assert [(f.kind.code, f.expected) for f in findings] == [
        ("mapping.value.expression-failed", "a number on each side of the operator: T2002")
    ]
    assert "secret" not in str(findings)


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ("($f := function($n){$f($n + 1)}; $f(1))", "an end within 200 ms: D1012"),
        ("$sum([1..10000000])", "fewer items than 100,000: D2015"),
        ("x / 0", "values that the expression can work on: D1001"),
    ],
)
def test_an_expression_without_end_is_ended(expression, code):
    made = mapping(f"fields: {{a: {{expression: '{expression}'}}}}")
    findings = made.translate(JsonRecord({"x": 1})).findings
    assert [(f.kind.code, f.expected) for f in findings] == [("mapping.value.expression-failed", code)]


def test_expressions_work_in_any_thread_and_leave_nothing_behind():
    """A compiled expression that is used, or ends, in another thread than its own is an error and a leak."""
    made = mapping("fields: {a: {expression: $sum(x)}, b: {expression: 1/y}}")
    wrong = []

    def work():
        for number in range(500):
            made.translate(JsonRecord({"x": [number, 1], "y": "b" if number % 2 else 4}))

    def measured():
        gc.collect()
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4

    unraisable, sys.unraisablehook = sys.unraisablehook, lambda seen: wrong.append(str(seen.exc_value))
    try:
        for part in range(12):
            with ThreadPoolExecutor(4) as threads:
                [done.result() for done in [threads.submit(work) for _ in range(4)]]
            if part == 2:  # the threads and their memory are there
                before = measured()
        assert measured() - before < 10_000  # KB, after 36,000 evaluations: what leaks is more than 1 KB each
        gc.collect()
    finally:
        sys.unraisablehook = unraisable
    assert wrong == []


def test_several_values_become_one_without_an_expression():
    fields = """
  sum: {from: [a, b], apply: [sum, integer]}
  list: {from: d/m, apply: [sum, {round: 1}]}
  count: {from: [a, no, d/m], apply: [count]}
  none: {from: no, apply: [count]}
  first: {from: [no, b, a], apply: [coalesce]}
  joined: {from: [a, no, b], apply: [{join: "+"}, {prefix: "="}]}
  short: {from: [a, b], join: "+"}
  empty: {from: [no, nope], apply: [sum], default: 0}"""
    record = {"a": "2", "b": 3, "no": " ", "d": [{"m": "8,25"}, {"m": 1}, {}]}
    assert output(fields, record) == {
        "sum": 5,
        "list": "9.3",
        "count": 3,
        "none": 0,
        "first": 3,
        "joined": "=2+3",
        "short": "2+3",
        "empty": 0,
    }
    made = mapping("fields: {a: {from: [x, y], apply: [sum]}}").translate(JsonRecord({"x": "1", "y": "một"}))
    assert [(one.kind.code, one.pointer) for one in made.findings] == [("mapping.value.unreadable", "/x")]


@pytest.mark.parametrize(
    "rule", ["{from: [a, b]}", "{from: a, apply: [upper, sum]}", "{from: [a, b], join: x, apply: [sum]}"]
)
def test_what_makes_one_of_several_stands_first_and_alone(rule):
    with pytest.raises(DocumentError):
        mapping(f"fields: {{a: {rule}}}")


def test_a_constant_is_transformed_and_looked_up_like_what_is_read():
    fields = """
  code: {value: Toán, table: {name: subjects, from: name, to: code, where: {level: THCS}}}
  upper: {value: a, apply: [upper, {suffix: b}]}
  rows: {items: [{x: {value: a, apply: [upper]}, y: y}]}"""
    assert output(fields, {"y": 1}) == {"code": "TOA", "upper": "Ab", "rows": [{"x": "A", "y": 1}]}
    found = mapping("fields: {a: {value: Bay, table: {name: subjects, from: name, to: code}}}").translate(
        JsonRecord({})
    )
    assert [one.kind.code for one in found.findings] == ["mapping.table.unknown"]


def test_an_own_table_may_match_loosely():
    made = mapping('tables: {t: {match: loose, pairs: {Nữ: "2", Nam: "1"}}}\nfields: {a: {from: x, table: t}}')
    assert [made.translate(JsonRecord({"x": x})).output for x in ("NỮ", "nam", "Nữ")] == [{"a": n} for n in "212"]
    exact = mapping('tables: {t: {Nữ: "2"}}\nfields: {a: {from: x, table: t}}')
    assert exact.translate(JsonRecord({"x": "NỮ"})).output == {}


@pytest.mark.parametrize("expression", ["(", "lambda x: x", "1 +"])
def test_what_is_not_jsonata_is_refused_when_the_mapping_is_read(expression):
    with pytest.raises(DocumentError, match="JSONata"):
        mapping(f'fields: {{a: {{expression: "{expression}"}}}}')


VENDOR = """tables: {t: {A: '1', B: '2'}}
fields:
  id: {from: id, required: true}
  p/name: {from: hs/ten, apply: [collapse-spaces]}
  p/day: {from: hs/ngay, apply: [{date: [dd/mm/yyyy, excel]}]}
  kind: [{from: k, when: {k: {present: true}}, table: t}, {value: none}]
  rows:
    each: diem
    where: {ma: {not: X}}
    fields: {code: ma, mark: {from: d, apply: [mark]}, tags: {each: tag, fields: {".": "."}}}
  signers: {items: [{role: {value: a}, name: a}, {role: {value: b}, name: b}]}
"""
_LEAF = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(["A", "8,5", "01/02/2020", "#N/A"])
)
_JSON = st.recursive(
    _LEAF,
    lambda i: (
        st.lists(i, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "hs", "ten", "ngay", "k", "diem", "ma", "d", "tag", "a", "b"]), i, max_size=6
        )
    ),
    max_leaves=10,
)
COMPILED = mapping(VENDOR)
TRACER = Tracer(COMPILED.document, TABLES)


@given(st.dictionaries(st.sampled_from(["id", "hs", "k", "diem", "a", "b"]), _JSON, max_size=6))
@settings(max_examples=100, deadline=None)
def test_any_record_is_an_output_and_findings_and_stays_as_it_was(record):
    before = copy.deepcopy(record)
    made = COMPILED.translate(JsonRecord(record))
    assert repr(record) == repr(before)
    for finding in made.findings:
        finding.as_json()
        assert not finding.pointer or finding.pointer.startswith("/")
    again = COMPILED.translate(JsonRecord(before))
    assert repr(again.output) == repr(made.output)


def _leaves(node, at=""):
    if isinstance(node, dict):
        return [leaf for key, child in node.items() for leaf in _leaves(child, f"{at}/{key}")]
    if isinstance(node, list):
        return [leaf for n, child in enumerate(node) for leaf in _leaves(child, f"{at}/{n}")]
    return [at]


@given(st.dictionaries(st.sampled_from(["id", "hs", "k", "diem", "a", "b"]), _JSON, max_size=6))
@settings(max_examples=100, deadline=None)
def test_every_output_field_can_be_traced_to_its_place(record):
    made = COMPILED.translate(JsonRecord(record))
    leaves = _leaves(made.output)
    places = TRACER.places(JsonRecord(record), leaves)
    assert set(leaves) <= set(places) | {""}
    for leaf in leaves:  # asked for alone, it has the same place, and what it does not lie in is not looked at
        alone = TRACER.places(JsonRecord(record), [leaf])
        assert alone.items() <= places.items()
        assert all(f"{leaf}/".startswith(f"{pointer}/") for pointer in alone)


def test_places_name_the_source_also_of_what_is_missing():
    record = {"id": "1", "hs": {"ten": "A"}, "diem": [{"ma": "X"}, {"ma": "A", "d": 8, "tag": ["", "u"]}], "b": "B"}
    asked = ["/p/name", "/p/day", "/rows/0/mark", "/rows/0/tags/0", "/signers/0/name", "/kind", "/nowhere/0"]
    places = TRACER.places(JsonRecord(record), asked)
    assert "/nowhere" not in places
    assert places["/p/name"] == "/hs/ten"
    assert places["/p/day"] == "/hs/ngay"
    assert places["/rows/0/mark"] == "/diem/1/d"
    assert places["/rows/0/tags/0"] == "/diem/1/tag/1"
    assert places["/signers/0/name"] == "/b"
    assert places["/kind"] == ""


def test_inline_tables_read_numbers_as_text():
    assert inline_table("t", {"1": True, "2": None}).view().find("1").value == "true"
