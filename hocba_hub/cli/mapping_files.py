"""What the commands about mappings share: the mapping and tables that a user names, and findings as lines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hocba_hub.cli.session import severity_shown
from hocba_hub.cli.texts import language, text

if TYPE_CHECKING:
    from hocba_hub.mappings.document.document import Document
    from hocba_hub.mappings.library.library import Library
    from hocba_hub.mappings.tables.code_table import Table
    from hocba_hub.model.findings import Finding

table_folder = click.option(
    "--tables", type=click.Path(exists=True, file_okay=False, path_type=Path), help=text("option.tables")
)
"""The option that names a folder of more code tables."""


def library() -> Library:
    """The mappings that come with the hub."""
    from hocba_hub.mappings.library.library import shipped_library

    return shipped_library()


def code_tables(folder: Path | None = None) -> dict[str, Table]:
    """The tables that come with the hub, and those of a folder; ends the command if one of these is wrong."""
    from hocba_hub.mappings.tables.table_files import load_tables, shipped_tables

    tables = shipped_tables()
    if folder is not None:
        more, wrong = load_tables(folder)
        for name, findings in wrong.items():
            print_findings(name, findings)
        if wrong:
            raise click.exceptions.Exit(1)
        tables |= more
    return tables


def named_document(name: str) -> Document:
    """The mapping that a user names; ends the command, with the findings, if it cannot be read."""
    from hocba_hub.mappings.document.parse import read_document
    from hocba_hub.mappings.library.library import MappingNotFoundError
    from hocba_hub.mappings.schemas import NAMES

    path = Path(name)
    if path.suffix in (".yaml", ".yml") or path.is_file():
        try:
            written = path.read_bytes().decode("utf-8", "surrogateescape")
        except OSError as error:
            raise click.ClickException(text("error.unreadable", path=name, reason=error.strerror)) from error
        document, findings = read_document(written)
        if document is None:
            print_findings(name, findings)
            raise click.exceptions.Exit(1)
        return document
    bare, _, version = name.partition("@")
    parts = version.split(".")
    if version and not (len(parts) == 3 and all(part.isdigit() for part in parts)):  # noqa: PLR2004 - major, minor, patch
        raise click.ClickException(text("error.version", version=version))
    numbers = (int(parts[0]), int(parts[1]), int(parts[2])) if version else None
    try:
        return library().select(bare, version=numbers)
    except MappingNotFoundError as error:
        said = text("error.mapping-is-schema", name=bare) if bare in NAMES else text("error.mapping", name=name)
        raise click.ClickException(said) from error


def message(finding: Finding) -> str:
    """What is said, in the language of this terminal."""
    said = str(finding.as_json()[f"message_{language()}"])
    return said + (" " + text("try.sent", sent=finding.facts["sent"]) if "sent" in finding.facts else "")


def print_findings(name: str, findings: Sequence[Finding]) -> bool:
    """Show the findings; whether one is an error."""
    from hocba_hub.model.findings import Severity

    for finding in findings:
        place = f" [{finding.pointer}]" if finding.pointer else ""
        said = f"{severity_shown(finding.kind)}: {message(finding)} ({finding.kind.code})"
        click.echo(f"{name}: {said}{place}")
    return any(finding.kind.severity is Severity.ERROR for finding in findings)
