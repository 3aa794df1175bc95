"""The card explained: nothing of the model is left out, and everything that is said of it is so."""

import json

import pytest

from hocba_hub.model.card_fields import KINDS, NEEDED_BY_MOST, REQUIRED, card_fields
from hocba_hub.model.consistency import NEEDED
from hocba_hub.model.reading import read_card
from hocba_hub.rules.catalogue import CATALOGUE
from hocba_hub.rules.checking import rules_for
from hocba_hub.rules.configuration import DEFAULT
from hocba_hub.rules.of_field import rules_of_fields
from tests.support.sample_cards import continuing_card, primary_card, secondary_card

CARDS = {"primary": primary_card, "secondary": secondary_card, "continuing": continuing_card}


def at(card, path):
    """Every object that holds the field, and the field's name."""
    *above, last = path.split("/")
    nodes = [card]
    for name in above:
        nodes = [node[name.removesuffix("[]")] for node in nodes if name.removesuffix("[]") in node]
        if name.endswith("[]"):
            nodes = [item for node in nodes for item in node]
    return nodes, last


def test_every_field_is_named_in_both_languages_and_every_code_of_ours_too():
    for one in card_fields().values():
        assert one.label_vi
        assert one.label_en
        assert bool(one.meaning_vi) == bool(one.meaning_en)
        assert all(vi and en for vi, en in one.forms.values())
        for code, (vi, en) in one.codes.items():
            assert bool(vi) == bool(en)
            assert vi or " " in code  # a code that is a word names itself


@pytest.mark.parametrize("kind", KINDS)
def test_examples_are_values_that_a_card_may_have(kind):
    for path, one in card_fields().items():
        if one.example is None or kind not in one.kinds or path == "kind":
            continue
        card = json.loads(json.dumps(CARDS[kind]()))
        nodes, last = at(card, path)
        for node in nodes:
            node[last] = [one.example] if isinstance(node.get(last), list) else one.example
        if path == "circular" and kind != "secondary":
            continue
        found = read_card(json.dumps(card).encode()).findings
        assert not [f for f in found if f.kind.code.startswith("schema.")], path


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_said_to_be_required_is_missed(kind):
    for path, one in card_fields().items():
        card = json.loads(json.dumps(CARDS[kind]()))
        card["pupil"] |= {"nationality": "VN", "not_assessed": False}
        nodes, last = at(card, path)
        held = [node for node in nodes if last in node]
        if kind not in one.kinds or not held or path in ("kind", "year/subjects[]/year"):
            continue
        for node in held:
            del node[last]
        is_refused = read_card(json.dumps(card).encode()).card is None
        assert is_refused == (one.kinds[kind] in (REQUIRED, NEEDED_BY_MOST)), path
    assert all(card_fields()[path].kinds[kind] == NEEDED_BY_MOST for path in NEEDED[kind])


def test_the_rules_of_a_field_are_those_that_find_it_wrong():
    rules = rules_of_fields()
    assert {code for codes in rules.values() for code in codes if not code.startswith("card.")} <= set(CATALOGUE)
    assert rules["year/title"] == ("secondary.title.excellent", "secondary.title.good")
    assert rules["pupil/personal_number"] == ("card.personal-number",)
    assert "card.learning-missing" in rules["year/learning/term1"]
    card = json.loads(json.dumps(secondary_card()))
    card |= {"transcribed": False}
    card["year"]["title"] = "Học sinh Xuất sắc"
    read = read_card(json.dumps(card).encode()).card
    for found in rules_for(read, DEFAULT).check(read):
        names = ["[]" if name.isdigit() else name for name in found.pointer.strip("/").split("/")]
        path = "/".join(names).replace("/[]", "[]")
        if found.kind.code in CATALOGUE and path in rules and found.kind.severity != "not_checkable":
            assert found.kind.code in rules[path], (found.kind.code, path)
