"""The profiles that come with the hub: right by the static check, shown by examples, honest about what they are."""

import json
from importlib.resources import files

import pytest
from click.testing import CliRunner

from hocba_hub.cli import main
from hocba_hub.mappings.check.check import check
from hocba_hub.mappings.check.example_runs import coverage, run_examples
from hocba_hub.mappings.compile.compiled_mapping import compile_mapping
from hocba_hub.mappings.library.library import shipped_library
from hocba_hub.mappings.schemas import REPORT_CARD, target_schema
from hocba_hub.mappings.tables.table_files import shipped_tables
from hocba_hub.model.reading import read_card
from hocba_hub.sandbox.synthetic import generate
from hocba_hub.sandbox.vendors import WRITERS

LIBRARY = shipped_library()
TABLES = shipped_tables()
OWN = ["signed-card", "soap-vendor", "vendor-flat-primary", "vendor-flat-secondary"]
profile = pytest.mark.parametrize("name", OWN)


def test_every_profile_has_a_writer_and_every_writer_its_profile():
    profiles = {document.name for document in LIBRARY.documents if document.target == REPORT_CARD}
    assert set(WRITERS) == profiles
    assert set(OWN) <= profiles


@profile
def test_nothing_is_said_against_it_and_its_examples_touch_every_field(name):
    document = LIBRARY.select(name)
    assert check(document, TABLES, target_schema(REPORT_CARD)) == []
    touched = coverage(document, TABLES, target_schema(REPORT_CARD))
    assert touched.target_unmapped == ()
    assert touched.source_unread == ()


@profile
def test_its_examples_are_good_and_bad_and_the_good_ones_are_cards(name):
    document = LIBRARY.select(name)
    results = run_examples(compile_mapping(document, TABLES))
    assert [result.problems for result in results] == [()] * len(results)
    assert any(result.example.findings for result in results)
    good = [result for result in results if not result.example.findings]
    assert len(good) > 1
    for result in good:
        for made in result.translations:
            findings = read_card(json.dumps(made.output).encode()).findings
            assert [(finding.kind.code, finding.pointer) for finding in findings] == []


@profile
def test_it_says_that_it_is_modelled_on_public_knowledge(name):
    text = files("hocba_hub.mappings").joinpath(f"library/{name.replace('-', '_')}.yaml").read_text(encoding="utf-8")
    head = " ".join(text.partition("mapping:")[0].replace("#", " ").split())
    assert "Modelled on public knowledge" in head
    assert "made up" in head


def run(*arguments):
    return CliRunner().invoke(main, ["generate", *map(str, arguments)], env={"HOCBA_LANG": "en"})


@profile
def test_generate_writes_what_its_vendor_would_send(name, tmp_path):
    out = tmp_path / "cards"
    ran = run("--cards", 60, "--seed", 4, "--schools", 12, "--out", out, "--profile", name)
    assert ran.exit_code == 0, ran.output
    with (tmp_path / "wanted").open("wb") as file:
        count = WRITERS[name](map(json.loads, generate(60, 4, schools=12)), file)
    assert out.read_bytes() == (tmp_path / "wanted").read_bytes()
    assert ran.output == f"{count} cards, 0 with a defect: {out}\n"


def test_generate_names_the_profiles_and_plants_defects_in_canonical_cards_only(tmp_path):
    unknown = run("--cards", 1, "--seed", 4, "--out", tmp_path / "x", "--profile", "nobody")
    assert unknown.exit_code == 2
    assert all(name in unknown.output for name in ("canonical", *OWN))
    defects = run("--cards", 1, "--seed", 4, "--out", tmp_path / "x", "--profile", OWN[0], "--defects", 0.5)
    assert defects.exit_code == 2
    assert "only with the canonical format" in defects.output
    assert not (tmp_path / "x").exists()
    plain = run("--cards", 3, "--seed", 4, "--out", tmp_path / "x")
    assert plain.exit_code == 0
    assert (tmp_path / "x").read_bytes() == b"".join(raw + b"\n" for raw in generate(3, 4))
