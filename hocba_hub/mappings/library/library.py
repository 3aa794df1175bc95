"""The mappings that lie in a folder, several versions side by side; and which version is the right one for whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from importlib.resources.abc import Traversable

from hocba_hub.mappings import finding_kinds as kinds
from hocba_hub.mappings.document.document import Document
from hocba_hub.mappings.document.parse import read_document
from hocba_hub.model.errors import HubError
from hocba_hub.model.findings import Finding


class MappingNotFoundError(HubError):
    """No mapping of this name applies here; the message names it."""


@dataclass(frozen=True)
class Library:
    """A set of mappings."""

    documents: tuple[Document, ...]
    """By name, then version."""
    wrong: Mapping[str, list[Finding]]
    """What stands against the files that could not be read, by file name."""

    def select(
        self,
        name: str,
        *,
        version: tuple[int, int, int] | None = None,
        client: str | None = None,
        school_year: str | None = None,
        on: date | None = None,
    ) -> Document:
        """The given version; else the highest of those that apply to the client, the school year and the day.

        Raises:
            MappingNotFoundError: there is none.
        """
        named = [document for document in self.documents if document.name == name]
        if version is None:
            named = [document for document in named if applies(document, client, school_year, on)]
        else:
            named = [document for document in named if document.version == version]
        if not named:
            raise MappingNotFoundError(f"No version of the mapping {name} applies here.")
        return max(named, key=lambda document: document.version)


def applies(document: Document, client: str | None, school_year: str | None, on: date | None) -> bool:
    """Whether a version says of itself that it is for this client, school year and day."""
    said = document.applies
    return (
        (client is None or not said.clients or client in said.clients)
        and (school_year is None or not said.school_years or school_year in said.school_years)
        and (on is None or said.first_day is None or said.first_day <= on)
        and (on is None or said.last_day is None or on <= said.last_day)
    )


def load_library(folder: Traversable) -> Library:
    """Every mapping of a folder of `*.yaml` files."""
    documents: list[Document] = []
    wrong: dict[str, list[Finding]] = {}
    for path in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if not path.name.endswith(".yaml"):
            continue
        document, findings = read_document(path.read_bytes().decode("utf-8", "surrogateescape"))
        if document is not None and any((d.name, d.version) == (document.name, document.version) for d in documents):
            findings = [Finding(kinds.KEY_TWICE, "/version", document.label, facts={"line": document.line("/version")})]
        elif document is not None:
            documents.append(document)
        if findings:
            wrong[path.name] = findings
    return Library(tuple(sorted(documents, key=lambda document: (document.name, document.version))), wrong)


def shipped_library() -> Library:
    """The mappings that come with the hub."""
    return load_library(files("hocba_hub.mappings.library"))
