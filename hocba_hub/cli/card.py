"""`hocba-hub card`: the fields of a report card, what they mean and what is asked of them."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

import click

from hocba_hub.cli.session import print_table
from hocba_hub.cli.texts import language, language_option, text

if TYPE_CHECKING:
    from hocba_hub.model.card_fields import CardField


@click.command(help=text("card"))
@click.argument("field", required=False)
@language_option
def card(field: str | None) -> None:
    """FIELD is a path such as pupil/birth, or the beginning of one."""
    from hocba_hub.model.card_fields import card_fields

    fields = card_fields()
    named = (field or "").strip("/").replace("[]", "")
    shown = [one for path, one in fields.items() if path.replace("[]", "") == named]
    below = [one for path, one in fields.items() if not named or path.replace("[]", "").startswith(f"{named}/")]
    if not shown and not below:
        near = get_close_matches(named, [path.replace("[]", "") for path in fields], 3, 0.5)
        raise click.ClickException(text("error.card-field", field=named, near=", ".join(near) or "-"))
    for one in shown:
        _show(one)
    if below:
        print_table(
            ("field", "called", "needed", "form"),
            [(one.path, _in_language(one.label_vi, one.label_en), _needed(one), _form(one)) for one in below],
        )


def _in_language(vi: str, en: str) -> str:
    return vi if language() == "vi" else en


def _form(one: CardField) -> str:
    return " · ".join(one.codes) or " · ".join(dict.fromkeys(_in_language(*form) for form in one.forms.values()))


def _needed(one: CardField) -> str:
    return ", ".join(f"{text(f'card.{kind}')} ({text(f'card.{how}')})" for kind, how in one.kinds.items())


def _show(one: CardField) -> None:
    from hocba_hub.rules.of_field import rules_of_fields

    click.echo(f"{one.path}: {_in_language(one.label_vi, one.label_en)}")
    example = str(one.example).lower() if isinstance(one.example, bool) else one.example
    forms = dict.fromkeys(_in_language(*form) for form in one.forms.values())
    for name, said in (
        ("meaning", _in_language(one.meaning_vi, one.meaning_en)),
        ("form", " · ".join(forms)),
        ("needed", _needed(one)),
        ("example", "" if example is None else str(example)),
        ("ndc", one.ndc),
        ("source", one.source),
        ("rules", ", ".join(rules_of_fields()[one.path])),
    ):
        if said:
            click.echo(f"  {text(f'column.{name}')}: {said}")
    for code, names in one.codes.items():
        click.echo(f"    {code}  {_in_language(*names)}".rstrip())
