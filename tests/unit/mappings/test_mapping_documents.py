"""Mapping documents: YAML read narrowly, and every mistake found with its line."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hocba_hub.mappings.document.document import DocumentError
from hocba_hub.mappings.document.field_rules import Items, Object, Value
from hocba_hub.mappings.document.parse import load_document, read_document
from hocba_hub.mappings.finding_kinds import KINDS, TEXT_UNREADABLE
from hocba_hub.mappings.yaml_reading import LARGEST_TEXT, read_yaml
from hocba_hub.model.findings import Finding

HEAD = "mapping: m\nversion: 1.0.0\nsource: {format: json}\ntarget: t\n"


def codes(text: str) -> list[tuple[str, int]]:
    document, findings = read_document(text)
    assert (document is None) == bool(findings)
    for finding in findings:
        shown = finding.as_json()
        assert shown["message_en"]
        # What reads as English words in one language must not stand so in the other; YAML's own words excepted.
        if re.search(r"[a-z]{3,} [a-z]{2,}", finding.expected) and finding.kind is not TEXT_UNREADABLE:
            assert finding.expected not in shown["message_vi"], finding.expected
    return [(f.kind.code.removeprefix("mapping.document."), int(f.facts.get("line", 0))) for f in findings]


def fields(text: str) -> list[tuple[str, int]]:
    return codes(HEAD + "fields:\n" + text)


def test_codes_stay_text():
    value = read_yaml(
        "[01, 1, NO, on, yes, true, null, 2025-07-01, 1.5, 1.50, 1_000, 0x1F, '', ~, -3, 12345678901234567890]"
    ).value
    assert value == [
        "01",
        1,
        "NO",
        "on",
        "yes",
        True,
        None,
        "2025-07-01",
        1.5,
        1.5,
        "1_000",
        "0x1F",
        "",
        None,
        -3,
        "12345678901234567890",
    ]
    assert read_yaml("{01: a, 1.50: b, true: c, on: d}").value == {"01": "a", "1.50": "b", "true": "c", "on": "d"}


def test_anchors_and_merges():
    read = read_yaml("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: [*a, *a]\nd: {<<: [*a, {z: 9}]}")
    assert read.value["b"] == {"x": 1, "y": 3}
    assert read.value["c"] == [{"x": 1, "y": 2}] * 2
    assert read.value["d"] == {"x": 1, "y": 2, "z": 9}
    assert read.line("/b/y") == 2
    assert read.line("/b/nowhere/deeper") == 2


_BILLION = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 10)}]\n" for n in range(8)
)


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("a: [", "unreadable", 2),
        ("a: b: c", "unreadable", 1),
        ("a: *nowhere", "unreadable", 1),
        ("a: !!python/object/apply:os.system [x]", "unreadable", 1),
        ("a: !!binary x", "unreadable", 1),
        ("? [a]\n: b", "unreadable", 1),
        ("a: 1\n---\nb: 2", "unreadable", 2),
        ("\x00", "unreadable", 1),
        ("a: \ud800", "unreadable", 1),
        ("a: &a\n  b: *a", "cyclic", 2),
        ("- " * 100 + "x", "too-large", 1),
        ("[" * 100 + "]" * 100, "too-large", 1),
        (_BILLION, "too-large", 6),
        ("x" * (LARGEST_TEXT + 1), "too-large", 1),
        ("a: 1\na: 2", "key-twice", 2),
        ("a: {<<: 3}", "form", 1),
    ],
)
def test_bad_yaml_is_a_finding_with_its_line(text, code, line):
    assert (code, line) in codes(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [("form", 1)]),
        ("3", [("form", 1)]),
        ("[]", [("form", 1)]),
        ("{}", [("key-absent", 1)] * 5),
        (HEAD + "fields: {a: b}\nfield: {}", [("key-unknown", 6)]),
        (HEAD + "fields: {}", [("form", 5)]),
        (HEAD + "fields: [a]", [("form", 5)]),
        (HEAD.replace("mapping: m", "mapping: My Mapping") + "fields: {a: b}", [("form", 1)]),
        (HEAD.replace("1.0.0", "1.0") + "fields: {a: b}", [("form", 2)]),
        (HEAD.replace("1.0.0", "01.0.0") + "fields: {a: b}", [("form", 2)]),
        (HEAD.replace("{format: json}", "json") + "fields: {a: b}", [("form", 3), ("form", 3)]),
        (HEAD.replace("json", "csv") + "fields: {a: b}", [("form", 3)]),
        (HEAD.replace("format: json", "format: json, namespaces: {a: b}") + "fields: {a: b}", [("key-unknown", 3)]),
        (HEAD.replace("format: json", "format: json, records: 'a['") + "fields: {a: b}", [("path", 3)]),
        (HEAD.replace("format: json", "format: rows") + "fields: {a: b}", [("key-absent", 3)]),
        (
            HEAD.replace("format: json", "format: rows, records: a, sheets: [{sheet: x}]") + "fields: {a: b}",
            [("key-unknown", 3)],
        ),
        (
            HEAD.replace("format: json", "format: rows, sheets: [{sheet: x, header: [3, 1]}]") + "fields: {a: b}",
            [("form", 3)],
        ),
        (
            HEAD.replace("format: json", "format: rows, sheets: [{sheet: x}, {sheet: y}]") + "fields: {a: b}",
            [("key-absent", 3)],
        ),
        (HEAD.replace("target: t", "target: {form: t}") + "fields: {a: b}", [("key-unknown", 4), ("key-absent", 4)]),
        (HEAD.replace("target: t", "target: 3") + "fields: {a: b}", [("form", 4), ("key-absent", 4)]),
        (HEAD + "applies: {from: soon}\nfields: {a: b}", [("form", 5)]),
        (HEAD + "title: {vi: 3}\nfields: {a: b}", [("form", 5)]),
        (HEAD + "tables: {t: [1]}\nfields: {a: b}", [("form", 5)]),
        (HEAD + "tables: {t: {a: {b: c}}}\nfields: {a: b}", [("form", 5)]),
        (HEAD + "fields: {a: b}\nexamples: {}", [("form", 6)]),
        (HEAD + "fields: {a: b}\nexamples:\n- {input: {}}", [("key-absent", 7)]),
        (HEAD + "fields: {a: b}\nexamples:\n- {output: {}}", [("key-absent", 7)]),
        (HEAD + "fields: {a: b}\nexamples:\n- {input: 1, findings: [{at: x}]}", [("form", 7)]),
    ],
)
def test_a_malformed_head_is_findings_with_lines(text, expected):
    assert codes(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  a: 3", [("form", 6)]),
        ("  a: {}", [("form", 6)]),
        ("  a: []", [("form", 6)]),
        ("  a: 'x['", [("path", 6)]),
        (
            "  a: {from: [x, 'y[']}",
            [
                ("path", 6),
            ],
        ),
        ("  a: {from: [x, y]}", [("key-absent", 6)]),
        ("  a: {from: x, value: y}", [("key-absent", 6)]),
        ("  a: {required: true}", [("key-absent", 6)]),
        ("  a: {from: x, required: maybe}", [("form", 6)]),
        ("  a: {from: x, form: y}", [("key-unknown", 6)]),
        ("  a: {value: [1]}", [("form", 6)]),
        ("  a: {from: x, default: {b: c}}", [("form", 6)]),
        ("  a: {from: x, join: 3}", [("form", 6)]),
        ("  a: {expression: 3}", [("form", 6)]),
        ("  a:\n    from: x\n    apply: [trim, shout]", [("transform-unknown", 8)]),
        ("  a: {from: x, apply: [{pad: 0}]}", [("transform-argument", 6)]),
        ("  a: {from: x, apply: [{trim: 3}]}", [("transform-argument", 6)]),
        ("  a: {from: x, apply: [{trim: 3, pad: 2}]}", [("transform-unknown", 6)]),
        ("  a: {from: x, apply: [[trim]]}", [("transform-unknown", 6)]),
        ("  a: {from: x, table: 3}", [("form", 6)]),
        ("  a: {from: x, table: {name: t, to: 3}}", [("form", 6)]),
        ("  a: {from: x, table: {name: t, otherwise: guess}}", [("form", 6)]),
        ("  a: {from: x, table: {name: t, on: 'x['}}", [("path", 6)]),
        ("  a: {from: x, table: {name: t, scope: y}}", [("key-unknown", 6)]),
        ("  a: {from: x, when: y}", [("form", 6)]),
        ("  a: {from: x, when: {y: {}}}", [("form", 6)]),
        ("  a: {from: x, when: {y: {about: 3}}}", [("form", 6)]),
        ("  a: {from: x, when: {y: {present: 3}}}", [("form", 6)]),
        ("  a: {from: x, when: {y: {at-least: many}}}", [("form", 6)]),
        ("  a: {from: x, when: {'y[': 1}}", [("path", 6)]),
        ("  a: {from: x, when: {any: [3]}}", [("form", 6)]),
        ("  a: {each: x}", [("form", 6)]),
        ("  a: {each: 3, fields: {b: c}}", [("path", 6)]),
        ("  a: {each: x, fields: {b: c}, apply: [trim]}", [("key-unknown", 6)]),
        ("  a: {items: {b: c}}", [("form", 6)]),
        ("  a: {items: [b]}", [("form", 6)]),
        ("  a: {fields: {b: c}, from: x}", [("key-unknown", 6)]),
        ("  a/b: c\n  a: d", [("form", 7)]),
        ("  a: d\n  a/b: c", [("form", 7)]),
        ("  a/: d", [("form", 6)]),
        ("  /a: d", [("form", 6)]),
    ],
)
def test_a_malformed_rule_is_a_finding_with_its_line(text, expected):
    assert fields(text) == expected


def test_all_mistakes_are_found_in_one_reading():
    found = codes(HEAD.replace("1.0.0", "1") + "fields:\n  a: 'x['\n  b: {from: y, apply: [nope]}\n  c: {}\n")
    assert [line for _, line in found] == [2, 6, 7, 8]


def test_the_short_forms_mean_the_long_ones():
    document = load_document(
        HEAD
        + """fields:
  a: x
  b/c: y
  b/d: {from: z, apply: trim, table: t}
  e: [{from: p, when: {q: 1}}, r]
  f: {each: g, fields: {".": "."}}
"""
    )
    (a,), (b,), (f,) = (document.fields[name] for name in "abf")
    assert isinstance(a, Value)
    assert (a.target, a.place, a.sources[0].text) == ("a", "/fields/a", "x")
    assert isinstance(b, Object)
    assert [rules[0].target for rules in b.fields.values()] == ["b/c", "b/d"]
    assert [rule.place for rule in document.fields["e"]] == ["/fields/e/0", "/fields/e/1"]
    assert isinstance(f, Items)
    assert f.entries[0]["."][0].target == "f[]"


def test_a_document_that_is_not_one_raises_with_all_its_findings():
    with pytest.raises(DocumentError) as error:
        load_document("mapping: m")
    assert len(error.value.findings) == 4
    assert "version" in str(error.value)


@given(st.text(max_size=200))
@settings(deadline=None)
def test_any_text_is_findings_and_never_an_exception(text):
    document, findings = read_document(text)
    assert document is None
    assert findings


_TREE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *"ab",
                    "from",
                    "apply",
                    "table",
                    "when",
                    "each",
                    "fields",
                    "items",
                    "value",
                    "at",
                    "any",
                    "pad",
                    "where",
                    "on",
                    "name",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(
    st.fixed_dictionaries(
        {},
        optional=dict.fromkeys(("source", "target", "fields", "tables", "examples", "applies", "title", "note"), _TREE),
    )
)
@settings(deadline=None)
def test_any_tree_is_a_document_or_findings(tree):
    import json

    document, findings = read_document(
        "mapping: m\nversion: 1.0.0\n" + "\n".join(f"{k}: {json.dumps(v)}" for k, v in tree.items())
    )
    assert (document is None) == bool(findings)
    for finding in findings:
        finding.as_json()


def test_every_kind_has_both_languages_and_a_code_of_its_own():
    facts = dict.fromkeys(
        [
            *("target", "line", "given", "given_vi", "expected_vi", "value_class_vi", "table", "hint", "sheet"),
            *("destination", "field", "part", "count", "label"),
        ],
        "x",
    )
    for kind in KINDS.values():
        shown = Finding(kind, "", "e", "c", facts).as_json()
        assert shown["message_vi"] != shown["message_en"]
        assert kind.family in {"mapping", "destination"}
