"""`hocba-hub generate`: synthetic report cards as NDJSON, with planted defects and the truth about them on demand."""

from __future__ import annotations

import json
from pathlib import Path

import click

from hocba_hub.cli.texts import text


@click.command(help=text("generate"))
@click.option("--cards", type=click.IntRange(min=1), required=True, help=text("option.cards"))
@click.option("--seed", type=int, required=True, help=text("option.seed"))
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help=text("option.out"))
@click.option("--schools", type=click.IntRange(1, 739), help=text("option.schools"))
@click.option("--defects", type=click.FloatRange(0, 1), default=0.0, show_default=True, help=text("option.defects"))
@click.option("--year", default="2025-2026", show_default=True, help=text("option.year"))
def generate(*, cards: int, seed: int, out: Path, schools: int | None, defects: float, year: str) -> None:
    """Write made-up report cards, and the truth about their defects beside them."""
    from hocba_hub.sandbox.synthetic import generate_with_defects

    if len(year) != len("2025-2026") or not year[:4].isdigit() or year[4:] != f"-{int(year[:4]) + 1}":
        raise click.BadParameter(text("year.wrong"), param_hint="--year")
    truth = []
    try:
        with out.open("wb") as file:
            made = generate_with_defects(cards, seed, defects, schools=schools, school_year=year)
            for line, (raw, planted) in enumerate(made, start=1):
                file.write(raw)
                file.write(b"\n")
                if planted is not None:
                    truth.append(
                        {"line": line, "name": planted.name, "code": planted.code, "record_id": planted.record_id}
                    )
        if defects:
            told = json.dumps(truth, ensure_ascii=False, indent=1)
            out.with_name(f"{out.name}.truth.json").write_text(told, encoding="utf-8")
    except OSError as error:
        raise click.ClickException(text("error.unwritable", path=out, reason=error.strerror)) from error
    click.echo(text("generated", cards=cards, defects=len(truth), out=out))
