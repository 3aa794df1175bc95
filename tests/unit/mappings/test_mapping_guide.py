"""The guide for authors: its mapping is right, and it names everything there is."""

import re
from pathlib import Path

import pytest

from hocba_hub.mappings.check.check import check
from hocba_hub.mappings.check.example_runs import run_examples
from hocba_hub.mappings.compile.compiled_mapping import compile_mapping
from hocba_hub.mappings.document.parse import load_document
from hocba_hub.mappings.finding_kinds import KINDS
from hocba_hub.mappings.library.library import shipped_library
from hocba_hub.mappings.schemas import NAMES, REPORT_CARD, target_schema
from hocba_hub.mappings.tables.table_files import shipped_tables
from hocba_hub.mappings.values.transforms import TRANSFORMS

DOCS = Path(__file__).parents[3] / "docs"
GUIDE = (DOCS / "mappings.md").read_text(encoding="utf-8")
VIETNAMESE = (DOCS / "mappings.vi.md").read_text(encoding="utf-8")
both = pytest.mark.parametrize("guide", [GUIDE, VIETNAMESE], ids=["en", "vi"])


@both
def test_its_mapping_is_right(guide):
    text, xml = re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL)
    document = load_document(text)
    with_xml = load_document(f"mapping: x\nversion: 1.0.0\ntarget: report-card\n{xml}")
    assert [result.problems for result in run_examples(compile_mapping(with_xml, shipped_tables()))] == [()]
    found = check(document, shipped_tables(), target_schema(document.target))
    assert [finding.as_json()["message_en"] for finding in found] == []


@both
def test_it_names_every_transform_table_schema_and_profile(guide):
    profiles = [document.name for document in shipped_library().documents if document.target == REPORT_CARD]
    for name in (*TRANSFORMS, *shipped_tables(), *NAMES, *profiles):
        assert f"`{name}`" in guide or name in guide.split("```yaml")[1], name


@both
def test_the_codes_it_names_exist(guide):
    codes = set(KINDS)
    named = re.findall(r"`(mapping\.\w+\.[\w-]+)`", guide)
    assert named
    assert set(named) <= codes


def test_the_vietnamese_guide_says_what_the_english_one_says():
    def shape(guide):
        """The levels of its headings, the number of rows that begin with code, the number of blocks of commands."""
        lines = guide.splitlines()
        headings = [line.split(" ")[0] for line in lines if line.startswith("#")]
        return headings, sum(line.startswith("| `") for line in lines), guide.count("\n\n    ")

    assert shape(VIETNAMESE) == shape(GUIDE)
    for names in (r"`(mapping\.[\w.-]+)`", r"`([a-z]+(?:-[a-z0-9]+)+)`", r"(hocba-hub [a-z]+ [a-z]+)"):
        assert set(re.findall(names, VIETNAMESE)) == set(re.findall(names, GUIDE))
