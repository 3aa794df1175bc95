"""`hocba-hub generate`: synthetic report cards, as NDJSON with planted defects on demand or in a vendor's format."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hocba_hub.cli.session import SchoolYear
from hocba_hub.cli.texts import text

if TYPE_CHECKING:
    from hocba_hub.sandbox.synthetic import Planted

_CANONICAL = "canonical"


@click.command(help=text("generate"))
@click.option("--cards", type=click.IntRange(min=1), required=True, help=text("option.cards"))
@click.option("--seed", type=int, required=True, help=text("option.seed"))
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help=text("option.out"))
@click.option("--schools", type=click.IntRange(1, 739), help=text("option.schools"))
@click.option("--defects", type=click.FloatRange(0, 1), default=0.0, show_default=True, help=text("option.defects"))
@click.option("--year", type=SchoolYear(), default="2025-2026", show_default=True, help=text("option.year"))
@click.option("--profile", default=_CANONICAL, show_default=True, help=text("option.profile"))
def generate(*, cards: int, seed: int, out: Path, schools: int | None, defects: float, year: str, profile: str) -> None:
    """Write made-up report cards; of canonical ones, the truth about their defects beside them."""
    from hocba_hub.sandbox.synthetic import generate_with_defects
    from hocba_hub.sandbox.vendors import WRITERS

    if profile not in {_CANONICAL, *WRITERS}:
        known = ", ".join([_CANONICAL, *sorted(WRITERS)])
        raise click.BadParameter(text("profile.unknown", known=known), param_hint="--profile")
    if profile != _CANONICAL and defects:
        raise click.BadParameter(text("defects.canonical"), param_hint="--defects")
    made = generate_with_defects(cards, seed, defects, schools=schools, school_year=year)
    try:
        if profile == _CANONICAL:
            wrong = _write_canonical(out, made, truth=bool(defects))
        else:
            with out.open("wb") as file:
                cards = WRITERS[profile]((json.loads(raw) for raw, _ in made), file)
            wrong = 0
    except OSError as error:
        raise click.ClickException(text("error.unwritable", path=out, reason=error.strerror)) from error
    click.echo(text("generated", cards=cards, defects=wrong, out=out))


def _write_canonical(out: Path, made: Iterator[tuple[bytes, Planted | None]], *, truth: bool) -> int:
    """Write cards as NDJSON, and the truth beside them; returns how many have a defect."""
    told = []
    with out.open("wb") as file:
        for line, (raw, planted) in enumerate(made, start=1):
            file.write(raw)
            file.write(b"\n")
            if planted is not None:
                told.append({"line": line, "name": planted.name, "code": planted.code, "record_id": planted.record_id})
    if truth:
        listed = json.dumps(told, ensure_ascii=False, indent=1)
        out.with_name(f"{out.name}.truth.json").write_text(listed, encoding="utf-8")
    return len(told)
