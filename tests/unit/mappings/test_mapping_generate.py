"""The generated function: its text knows nothing of the document."""

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hocba_hub.mappings.compile.compile_fields import Builder
from hocba_hub.mappings.compile.compile_values import ANYTHING
from hocba_hub.mappings.compile.compiled_mapping import compile_mapping, targets_of
from hocba_hub.mappings.compile.generated_fill import generated
from hocba_hub.mappings.document.parse import load_document
from hocba_hub.mappings.records.record import JsonRecord

HEAD = "mapping: m\nversion: 1.0.0\nsource: {format: json}\ntarget: t\n"
_ALLOWED = re.compile(
    r"def fill\(scope, notes\):|def fill\(nodes, begin, steps, notes, more, numbered\):|\s+("
    r"output = \[\]|position = 0|for node0 in nodes:|position \+= 1|if type\(node0\) is not dict:|continue"
    r"|return output"
    r"|no_object\(rule, node0, begin, steps, position, notes\)|get0 = node0\.get|output\.append\(out0\)"
    r"|for name, before, behind in numbered: out0\[name\] = f'\{before\}\{position\}\{behind\}'|out0\.update\(more\)"
    r"|scope = scope"
    r"|node0 = scope\[0\]|get0 = node0\.get if type\(node0\) is dict else no_keys|return out0|else:|try:"
    r"|node\d+ = get\d+\(o\d+\)|if type\(node\d+\) is dict: get\d+ = node\d+\.get"
    r"|else: get\d+ = no_keys if node\d+ is None else misplaced\(node0, s\d+\)"
    r"|if type\(value\) is str:"
    r"|out\d+ = (\{\}|base\d+\.copy\(\))"
    r"|(if out\d+: )?out\d+\[own\d+\] = out\d+"
    r"|value = (get\d+\(k\w+\)|m\w+\[value\]|f\w+\(scope, notes\))"
    r"|if value is not None: value = f\w+\(scope, notes\)"
    r"|value = value\.strip\(\) if value\.isascii\(\) else clean\(value\)"
    r"|((if value( is not None)?|elif type\(value\) is str or type\(value\) in simple): )?out\d+\[n\w+\] = value"
    r"|(if value is None|elif value is None|else): (pass|absent\(r\w+, scope, notes, out\d+, n\w+\))"
    r"|else: plain\(r\w+, p\w+, value, scope, notes, out\d+, n\w+\)"
    r"|except \(Rejected, TypeError\) as e: failed\(r\w+, m\w+, value, e, scope, notes, out\d+, n\w+\))"
)

HOSTILE = "a']; import os; x = ['"


def source_of(text, head=HEAD, *, items=False):
    builder = Builder(load_document(head + text), {})
    return generated(builder.parts(builder.document.fields, ANYTHING), items=items)[0]


RULES = """fields:
  %s: {from: %s, required: true}
  b: {from: c, apply: [{replace: {from: %s, to: x}}], default: %s}
  o/p: {value: %s}
  l: {each: d, fields: {e: f}}
  w: {from: g, when: {h: %s}}
  n: i/j/k
  q: {at: r/s, fields: {t: t}}
"""
_SCOPE = "(node0, begin, (*steps, position - 1), position)"
CHECKED = "source: {format: json, schema: s}"


@pytest.mark.parametrize("head", [HEAD, HEAD.replace("source: {format: json}", CHECKED)])
@pytest.mark.parametrize("items", [False, True])
@pytest.mark.parametrize("rules", [RULES, "fields: {x: {from: %s, required: true}, y: {from: y, when: {z: 1}}}"])
def test_every_line_is_one_of_a_closed_set(head, items, rules):
    rules = rules.replace("%s", "x")
    for line in source_of(rules, head, items=items).replace(_SCOPE, "scope").splitlines():
        assert _ALLOWED.fullmatch(line), line


@given(st.text(st.characters(categories=["L", "N", "P", "S"], max_codepoint=0xD7FF), min_size=1, max_size=12))
@settings(deadline=None)
def test_no_character_of_a_document_gets_into_it(text):
    word = json.dumps(f"x{text}x", ensure_ascii=False)
    path = json.dumps("'x" + text.replace("'", "''") + "x'", ensure_ascii=False)
    for head in (HEAD, HEAD.replace("source: {format: json}", CHECKED)):
        hostile = source_of(RULES % ("x", path, word, word, word, word), head, items=True)
        assert hostile == source_of(RULES % (("x",) * 6), head, items=True)


def test_names_that_look_like_code_are_only_names():
    text = f'fields: {{"{HOSTILE}": "\'{HOSTILE.replace(chr(39), chr(39) * 2)}\'", b: {{value: "{HOSTILE}"}}}}'
    made = compile_mapping(load_document(HEAD + text), {}).translate(JsonRecord({HOSTILE: "v"}))
    assert made.output == {HOSTILE: "v", "b": HOSTILE}


def translated(fields, record, head=HEAD):
    return compile_mapping(load_document(head + "fields:\n" + fields), {}).translate(JsonRecord(record))


def test_values_of_a_checked_source_are_taken_as_they_are():
    checked = HEAD.replace("source: {format: json}", CHECKED)
    record = {"a": {"b": " Ð ", "c": False, "d": 0}}
    fields = "  x: a/b\n  y: a/c\n  z: a/d\n"
    assert translated(fields, record, checked).output == {"x": " Ð ", "y": False, "z": 0}
    assert translated(fields, record).output == {"x": "Đ", "y": False, "z": 0}


@pytest.mark.parametrize("head", [HEAD, HEAD.replace("source: {format: json}", CHECKED)])
def test_what_stands_where_an_object_should_be(head):
    fields = "  x: {from: a/b/c, required: true}\n  y: {from: a/b/d, apply: [text]}\n"
    assert translated(fields, {"a": {"b": [{"c": "v"}]}}, head).output == {"x": "v"}
    for record, at in (({"a": "v"}, "/a"), ({"a": {"b": 1}}, "/a/b")):
        found = translated(fields, record, head).findings
        assert {(f.kind.code, f.pointer) for f in found} == {("mapping.value.structure", at)}
        assert sorted(target for one in found for target in targets_of(one)) == ["x", "y"]
    (missing,) = translated(fields, {"a": {}}, head).findings
    assert (missing.kind.code, missing.pointer) == ("mapping.value.missing", "/a/b")


def test_what_all_items_of_a_list_read_from_the_root():
    inner = "{k: /key, r: {from: /r, required: true}, n: n, p: {from: [/key, .position], join: '-'}}"
    fields = f"  l: {{each: a/b, fields: {inner}}}\n"
    record = {"key": "K", "a": {"b": [{"n": 1}, {"n": 2}]}}
    made = translated(fields, {**record, "r": "R"})
    assert made.output["l"] == [{"k": "K", "r": "R", "n": n, "p": f"K-{n}"} for n in (1, 2)]
    assert [f.pointer for f in translated(fields, record).findings] == ["/r"]


def test_values_that_stand_only_with_another():
    checked = HEAD.replace("source: {format: json}", CHECKED)
    fields = '  x: {from: a/b, when: {a/c: ["1", "true"]}}\n'
    for record, expected in (
        ({"b": "B", "c": "1"}, {"x": "B"}),
        ({"b": "B", "c": 1}, {"x": "B"}),
        ({"b": "B", "c": True}, {"x": "B"}),
        ({"b": "B", "c": "2"}, {}),
        ({"b": "B"}, {}),
        ({"c": "1"}, {}),
    ):
        assert translated(fields, {"a": record}, checked).output == expected
        assert translated(fields, {"a": record}).output == expected


@pytest.mark.parametrize("head", [HEAD, HEAD.replace("source: {format: json}", CHECKED)])
def test_items_that_are_no_objects_keep_their_place(head):
    fields = "  l: {each: a, fields: {x: {from: x, required: true}, p: .position}}\n"
    made = translated(fields, {"a": [{"x": "1"}, 2, {"y": "3"}, {"x": "4"}]}, head)
    assert made.output["l"] == [{"x": "1", "p": 1}, {"p": 3}, {"x": "4", "p": 4}]
    found = [(f.kind.code, f.pointer) for f in made.findings]
    assert found == [("mapping.value.structure", "/a/1"), ("mapping.value.missing", "/a/2/x")]
    where = fields.replace("fields:", "where: {x: {present: true}}, fields:")
    assert translated(where, {"a": [{"x": "1"}, {"y": "2"}, {"x": "3"}]}, head).output["l"][1] == {"x": "3", "p": 3}


@pytest.mark.parametrize("items", [False, True])
def test_objects_and_lists_that_are_not_there_are_left_out(items):
    rules = "{q: {at: r/s, fields: {t: {from: t, required: true}}}, l: {each: d, fields: {'.': '.'}}}"
    rules = f"{{x: {{each: y, fields: {rules}}}}}" if items else rules
    made = compile_mapping(load_document(f"{HEAD}fields: {rules}"), {})

    def translated(given):
        translation = made.translate(JsonRecord({"y": [given]} if items else given))
        output = translation.output.get("x", [{}])[0] if items else translation.output
        return output, [
            (f.kind.code.removeprefix("mapping."), f.pointer.removeprefix("/y/0")) for f in translation.findings
        ]

    assert translated({"r": {"s": {"t": "1"}}, "d": ["2", "3"]}) == ({"q": {"t": "1"}, "l": ["2", "3"]}, [])
    assert translated({"r": {"s": None}, "d": None}) == ({}, [])
    assert translated({"r": [{"s": {"t": "1"}}], "d": "2"}) == ({"q": {"t": "1"}, "l": ["2"]}, [])
    assert translated({"r": {"s": {}}, "d": []}) == ({}, [("value.missing", "/r/s/t")])
    assert translated({"r": {"s": "?"}})[1] == [("value.structure", "/r/s")]
    assert translated({"r": "?"})[1] == [("value.structure", "/r")]


@pytest.mark.parametrize(
    ("condition", "there"),
    [
        ("{a: {present: true}}", {"a": "1"}),
        ("{a: x}", {"a": "x"}),
        ("{a/b: x}", {"a": [{"b": "x"}]}),
        ("{a: {present: false}}", {}),
        ("{a: ''}", {}),
        ("{a: {not: x}}", {}),
        ("{any: [{a: x}, {c: {present: true}}]}", {"c": "1"}),
    ],
)
def test_what_stands_only_under_a_condition(condition, there):
    rules = "{q: {when: %s, fields: {v: {value: k}}}, w: {from: f, when: %s, default: d, apply: [upper]}}"
    made = compile_mapping(load_document(f"{HEAD}fields: {rules % (condition, condition)}"), {})
    assert made.translate(JsonRecord(there)).output == {"q": {"v": "k"}, "w": "d"}
    other = {} if there else {"a": "x"}
    assert made.translate(JsonRecord(other)) == ({}, (), ())
