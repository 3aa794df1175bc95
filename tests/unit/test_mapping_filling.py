"""The generated function: its text knows nothing of the document."""

import json
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from hocba_hub.mappings.closures import Builder
from hocba_hub.mappings.compile import compile_mapping
from hocba_hub.mappings.filling import Part, generated
from hocba_hub.mappings.parse import load_document
from hocba_hub.mappings.records import JsonRecord
from hocba_hub.mappings.value_rules import ANYTHING

HEAD = "mapping: m\nversion: 1.0.0\nsource: {format: json}\ntarget: t\n"
_ALLOWED = re.compile(
    r"def fill\(scope, notes\):|\s+("
    r"node = scope\[0\]|get = node\.get if type\(node\) is dict else no_keys|return out0|else:|try:"
    r"|if value is not None:|if type\(value\) is str:"
    r"|out\d+ = (\{\}|base\d+\.copy\(\))"
    r"|(if out\d+: )?out\d+\[own\d+\] = out\d+"
    r"|value = (get\(k\w+\)|m\w+\[value\]|f\w+\(scope, notes\))"
    r"|value = value\.strip\(\) if value\.isascii\(\) else clean\(value\)"
    r"|(if value( is not None)?: )?out\d+\[n\w+\] = value"
    r"|(else: )?absent\(r\w+, scope, notes, out\d+, n\w+\)"
    r"|elif value is not None: plain\(r\w+, p\w+, value, scope, notes, out\d+, n\w+\)"
    r"|except \(Unfit, TypeError\) as e: failed\(r\w+, m\w+, value, e, scope, notes, out\d+, n\w+\))"
)

HOSTILE = "a']; import os; x = ['"


def source_of(text):
    builder, parts = Builder(load_document(HEAD + text), {}), []
    builder._add(parts, builder.document.fields, ANYTHING, Part(0, ""))
    return generated(parts)[0]


RULES = """fields:
  %s: {from: %s, required: true}
  b: {from: c, apply: [{replace: {from: %s, to: x}}], default: %s}
  o/p: {value: %s}
  l: {each: d, fields: {e: f}}
  w: {from: g, when: {h: %s}}
"""


def test_every_line_is_one_of_a_closed_set():
    for line in source_of(RULES % (("x",) * 6)).splitlines():
        assert _ALLOWED.fullmatch(line), line


@given(st.text(st.characters(categories=["L", "N", "P", "S"], max_codepoint=0xD7FF), min_size=1, max_size=12))
@settings(deadline=None)
def test_no_character_of_a_document_gets_into_it(text):
    word = json.dumps(f"x{text}x", ensure_ascii=False)
    path = json.dumps("'x" + text.replace("'", "''") + "x'", ensure_ascii=False)
    assert source_of(RULES % ("x", path, word, word, word, word)) == source_of(RULES % (("x",) * 6))


def test_names_that_look_like_code_are_only_names():
    text = f'fields: {{"{HOSTILE}": "\'{HOSTILE.replace(chr(39), chr(39) * 2)}\'", b: {{value: "{HOSTILE}"}}}}'
    made = compile_mapping(load_document(HEAD + text), {}).translate(JsonRecord({HOSTILE: "v"}))
    assert made.output == {HOSTILE: "v", "b": HOSTILE}
