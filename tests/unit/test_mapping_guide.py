"""The guide for authors: its mapping is right, and it names everything there is."""

import re
from pathlib import Path

from hocba_hub.mappings.check import check
from hocba_hub.mappings.findings import KINDS
from hocba_hub.mappings.parse import load_document
from hocba_hub.mappings.schemas import NAMES, target_schema
from hocba_hub.mappings.tables.files import shipped_tables
from hocba_hub.mappings.transforms import TRANSFORMS

GUIDE = (Path(__file__).parents[2] / "docs" / "mappings.md").read_text(encoding="utf-8")


def test_its_mapping_is_right():
    (text,) = re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)
    document = load_document(text)
    found = check(document, shipped_tables(), target_schema(document.target.schema))
    assert [finding.as_json()["message_en"] for finding in found] == []


def test_it_names_every_transform_table_and_schema():
    for name in (*TRANSFORMS, *shipped_tables(), *NAMES):
        assert f"`{name}`" in GUIDE or name in GUIDE.split("```yaml")[1], name


def test_the_codes_it_names_exist():
    codes = {kind.code for kind in KINDS}
    named = re.findall(r"`(mapping\.\w+\.[\w-]+)`", GUIDE)
    assert named
    assert set(named) <= codes
